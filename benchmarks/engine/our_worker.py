"""The Celery app of the service's workers, as they are measured: ``celery -A benchmarks.engine.our_worker worker``."""

from __future__ import annotations

from benchmarks.engine import our_app
from tasks.app import app

__all__ = ["app", "our_app"]
