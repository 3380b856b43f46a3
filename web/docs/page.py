"""Serves Swagger UI out of an installed package; nothing comes from another host."""

from __future__ import annotations

from importlib.resources import files

from flask import Blueprint, Flask, Response, abort, redirect, send_from_directory
from werkzeug.wrappers import Response as BaseResponse

_PAGE = "docs.html"
_OWN = str(files("web.docs"))
_SWAGGER_UI = str(files("flask_swagger_ui") / "dist")
_ASSETS = {
    "docs.js": _OWN,
    "swagger-ui-bundle.js": _SWAGGER_UI,
    "swagger-ui.css": _SWAGGER_UI,
    "favicon-32x32.png": _SWAGGER_UI,
}
_ASSET_SECONDS = 3600

blueprint = Blueprint("docs", __name__)


def register_docs(app: Flask) -> None:
    """Add the page to an application."""
    app.register_blueprint(blueprint)


@blueprint.get("/")
def home() -> BaseResponse:
    """Lead to the page."""
    return redirect("/api/docs")


@blueprint.get("/api/docs")
def page() -> Response:
    """Return the page."""
    return send_from_directory(_OWN, _PAGE, max_age=_ASSET_SECONDS)


@blueprint.get("/api/docs/<name>")
def asset(name: str) -> Response:
    """Return a file that the page needs."""
    if name not in _ASSETS:
        abort(404)
    return send_from_directory(_ASSETS[name], name, max_age=_ASSET_SECONDS)
