"""The Celery edge: turns segments into canvases and messages into calls of the engine. Thin on purpose."""
