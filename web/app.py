"""The Flask application: puts the parts of this folder together around the service that it is given."""

from __future__ import annotations

from flask import Flask

from web.auth import register_auth
from web.context import provide
from web.correlation import register_correlation
from web.docs.page import register_docs
from web.errors import register_errors
from web.json_answer import ServiceJSON
from web.json_body import MAX_BYTES
from web.openapi import register_api
from web.request_metrics import register_request_metrics
from web.security_headers import register_security_headers
from web.streams import Streams, register_streams
from web.tokens import token_key
from workflow_service.bootstrap import Application


def create_app(application: Application, streams: Streams | None = None) -> Flask:
    """Return the HTTP edge of a service.

    Args:
        application: the service, with its settings.
        streams: those of this process, if the usual ones will not do.
    """
    app = Flask("web", static_folder=None)
    app.json = ServiceJSON(app)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES
    provide(app, application)
    register_correlation(app)
    register_request_metrics(app)
    register_security_headers(app)
    register_auth(app, token_key(application.settings.security))
    register_streams(app, streams)
    register_api(app)
    register_docs(app)
    register_errors(app)
    return app
