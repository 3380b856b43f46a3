"""How gunicorn serves the State Management Service: one process (see ``wsgi``), eight threads."""

from __future__ import annotations

workers = 1
worker_class = "gthread"
threads = 8
keepalive = 75
# no request takes long but one that waits for changes, and who waits can ask again
graceful_timeout = 1
preload_app = False
control_socket_disable = True
