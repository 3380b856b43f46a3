"""Failpoints: named moments at which a process ends itself, so that tests see what its death there leaves behind.

A failpoint stands around one call of a port, and is put there only when ``WORKFLOW_FAILPOINT`` names it: without that
variable the ports are the very same objects, and nothing anywhere asks whether there is a failpoint.
"""
