"""Simulation: the same compiler and use cases on stores in memory and in virtual time; nothing outside is touched.

A run is a discrete-event simulation: what was sent is done at once, and when nothing can go on, time jumps to the next
instant at which something is due. Agents answer from mocks after a virtual while. The same directives always give the
same result.
"""
