"""The Flask application: settings in, wired service out."""

from __future__ import annotations

from flask import Flask

from sandbox.state_service import failures
from sandbox.state_service.config import StateServiceConfig
from sandbox.state_service.database import Database
from sandbox.state_service.feed import ChangeFeed, CommitSignal
from sandbox.state_service.requests import check_path
from sandbox.state_service.resources import (
    BlockResource,
    ChangesResource,
    CheckpointsResource,
    ContextResource,
    Health,
    PlayResource,
    PlaysResource,
    RecoveryPointResource,
    RecoveryPointsResource,
    StoredResource,
)

DATABASE = "state_service.database"
"""Key in ``app.extensions`` under which the database is found, to close it."""
_PLAY = "/workspaces/<workspace_id>/plays/<play_id>"
_STORED: dict[str, type[StoredResource]] = {
    "/workspaces/<workspace_id>/plays": PlaysResource,
    _PLAY: PlayResource,
    f"{_PLAY}/blocks/<block_id>": BlockResource,
    f"{_PLAY}/recovery-points": RecoveryPointsResource,
    f"{_PLAY}/recovery-points/<point_id>": RecoveryPointResource,
    "/workspaces/<workspace_id>/context": ContextResource,
    "/checkpoints": CheckpointsResource,
}


def create_app(config: StateServiceConfig) -> Flask:
    """Return the service over the database in the configured directory."""
    config.directory.mkdir(parents=True, exist_ok=True)
    signal = CommitSignal()
    database = Database(config.directory / "state.sqlite3", on_commit=signal.commit)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = config.max_body_bytes
    app.extensions[DATABASE] = database
    app.url_value_preprocessor(check_path)
    failures.register(app)
    _add_routes(app, database, ChangeFeed(database, signal, config.max_waiting_readers))
    return app


def _add_routes(app: Flask, database: Database, feed: ChangeFeed) -> None:
    app.add_url_rule("/health", view_func=Health.as_view("health"))
    app.add_url_rule("/changes", view_func=ChangesResource.as_view("changes", feed))
    for path, resource in _STORED.items():
        app.add_url_rule(path, view_func=resource.as_view(resource.__name__, database))
