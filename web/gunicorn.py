"""How gunicorn serves the API: a few processes of many threads, each request bounded, each end graceful."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from web.streams import streams_of
from workflow_service.config import load_settings
from workflow_service.logs import logging_settings
from workflow_service.metrics.registry import MULTIPROCESS

_server = load_settings().server
_memory = Path("/dev/shm")

bind = f"[{_server.host}]:{_server.port}" if ":" in _server.host else f"{_server.host}:{_server.port}"
worker_class = "web.worker.Worker"
# a search may have many filters
limit_request_line = 8190
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "16"))
# the service starts threads and connections when it is imported, so each worker imports it after the fork
preload_app = False
# a worker that shows no sign of life for so long is replaced; requests themselves are bounded by their own calls
timeout = 60
# what is being answered when the process is told to end may end
graceful_timeout = 30
keepalive = 5
# heartbeats of workers go through a file, which must not wait for a disk
worker_tmp_dir = str(_memory) if _memory.is_dir() else None
# no second way in, and nothing written to a home directory that may not be there
control_socket_disable = True
# gunicorn's own lines go through the service's log; of requests the service writes a line itself
logconfig_dict: dict[str, Any] = {**logging_settings(), "loggers": {
    "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
    "gunicorn.access": {"level": "WARNING", "handlers": [], "propagate": True}}}

_metrics_of_ours: list[Path] = []


def on_starting(_server: Any) -> None:
    """Give the workers a folder in which their metrics come together, unless there is one."""
    if not os.environ.get(MULTIPROCESS):
        _metrics_of_ours.append(Path(tempfile.mkdtemp(prefix="workflow-metrics-")))
        os.environ[MULTIPROCESS] = str(_metrics_of_ours[0])


def child_exit(_server: Any, worker: Any) -> None:
    """Take away what a worker that has ended said of itself at the moment; what it counted stays."""
    for left in Path(os.environ[MULTIPROCESS]).glob(f"gauge_live*_{worker.pid}.db"):
        left.unlink(missing_ok=True)


def on_exit(_server: Any) -> None:
    """Take away the folder of the metrics if it is ours."""
    for folder in _metrics_of_ours:
        shutil.rmtree(folder, ignore_errors=True)


def post_worker_init(worker: Any) -> None:
    """Leave half of the threads to requests that end, and let streams end when the process is told to."""
    streams = streams_of(worker.wsgi)
    streams.most = max(1, threads // 2)
    streams.is_serving = lambda: bool(worker.alive)
