"""Where endpoints find the service: the application that the factory was given."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app

from workflow_service.bootstrap import Application

_EXTENSION = "workflow-service"


def provide(app: Flask, application: Application) -> None:
    """Keep the service for the endpoints of an application."""
    app.extensions[_EXTENSION] = application


def service() -> Application:
    """Return the service that the present application fronts."""
    return cast(Application, current_app.extensions[_EXTENSION])
