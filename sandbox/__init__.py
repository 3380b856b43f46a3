"""All that lets the product run alone: embedded servers, reference services, sample agents and the demo.

Nothing outside this package imports it.
"""
