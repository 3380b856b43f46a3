"""The Celery app. Importing it reads the settings and connects to nothing."""

from __future__ import annotations

from celery import Celery

from tasks.settings import celery_settings
from workflow_service.config import load_settings

app = Celery("workflow_service", include=["tasks.blocks", "tasks.sweeps", "tasks.worker"])
app.conf.update(celery_settings(load_settings()))
