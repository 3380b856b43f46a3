"""How gunicorn serves the Agent Service: one process (see ``wsgi``), many threads."""

from __future__ import annotations

import os

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

workers = 1
worker_class = "gthread"
threads = 16
keepalive = 75
graceful_timeout = 5
preload_app = False
control_socket_disable = True


def worker_exit(server: Arbiter, worker: Worker) -> None:
    """End a stopped worker at once: running work is failed at the next start, which waits for this process to go."""
    if worker.booted and worker.pid == os.getpid():
        os._exit(0)
