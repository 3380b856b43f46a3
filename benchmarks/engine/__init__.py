"""What a block costs: the same work on the service, on bare Celery canvases and on a floor, in one run."""
