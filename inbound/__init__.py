"""The edge for messages: what others put into a queue is done as if they had asked the API for it."""
