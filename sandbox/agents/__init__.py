"""The agents of the demo: their registry, scripts and release policy."""
