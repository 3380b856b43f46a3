"""The WSGI entry point: ``gunicorn --config python:sandbox.agent_service.gunicorn_conf
'sandbox.agent_service.wsgi:build_app()'``.

One worker process, because a key's running work is known, waited for and cancelled within the process that does it; the
database directory is locked for it. ``python -m sandbox.agent_service`` starts it so.
"""

from __future__ import annotations

import os

from flask import Flask

from sandbox.agent_service.app import create_app
from sandbox.agent_service.config import AgentServiceConfig


def build_app() -> Flask:
    """Return the service with the settings of the environment."""
    return create_app(AgentServiceConfig.from_environment(os.environ))
