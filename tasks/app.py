"""The Celery app. Importing it reads the settings and connects to nothing."""

from __future__ import annotations

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

from tasks import broker, results
from tasks.settings import celery_settings
from workflow_service.config import load_settings

TRANSPORT_ALIASES.update(broker.TRANSPORTS)

app = Celery("workflow_service", include=["tasks.blocks", "tasks.sweeps", "tasks.worker"])
app.conf.update(celery_settings(load_settings()))
app.loader.override_backends = results.OVERRIDES
