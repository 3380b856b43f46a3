"""Addresses where nothing listens, for settings that have to be set."""

from __future__ import annotations

NOWHERE = {
    "MONGODB_URL": "mongodb://127.0.0.1:9/none", "REDIS_URL": "redis://127.0.0.1:9/0",
    "AGENT_SERVICE_URL": "http://127.0.0.1:9", "STATE_SERVICE_URL": "http://127.0.0.1:9",
}
"""What has to be set before the Celery app can be imported."""
