"""The WSGI entry point: ``gunicorn --config python:sandbox.state_service.gunicorn_conf
'sandbox.state_service.wsgi:build_app()'``.

One worker process, because readers of the change feed are woken by the commits of their own process.
``python -m sandbox.state_service`` starts it so.
"""

from __future__ import annotations

import os

from flask import Flask

from sandbox.state_service.app import create_app
from sandbox.state_service.config import StateServiceConfig


def build_app() -> Flask:
    """Return the service with the settings of the environment."""
    return create_app(StateServiceConfig.from_environment(os.environ))
