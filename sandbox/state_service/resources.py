"""The resources of the service: read the request, call one function within a transaction, answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask.views import MethodView

from sandbox.state_service import blocks, checkpoints, context, plays, recovery_points
from sandbox.state_service.database import Database
from sandbox.state_service.feed import ChangeFeed
from sandbox.state_service.requests import read_body, read_query
from sandbox.state_service.schemas import (
    BlockReportSchema,
    ChangesQuerySchema,
    CheckpointsSchema,
    ContextPatchSchema,
    PlaySchema,
    PlaysQuerySchema,
    RecoveryPointSchema,
)
from sandbox.state_service.views import play_document

Answer = dict[str, Any]
_PLAY = PlaySchema()
_PLAYS_QUERY = PlaysQuerySchema()
_CHECKPOINTS = CheckpointsSchema()
_BLOCK_REPORT = BlockReportSchema()
_RECOVERY_POINT = RecoveryPointSchema()
_CONTEXT_PATCH = ContextPatchSchema()
_CHANGES_QUERY = ChangesQuerySchema()


class Health(MethodView):
    """``/health``."""

    def get(self) -> Answer:
        """Say that the service answers."""
        return {"status": "ok"}


class StoredResource(MethodView):
    """A resource over the database; one object serves all requests."""

    init_every_request = False

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database


class PlayResource(StoredResource):
    """``/workspaces/{workspaceId}/plays/{playId}``."""

    def put(self, workspace_id: str, play_id: str) -> Answer:
        """Create or update the play."""
        play = read_body(_PLAY)
        with self._database.writing() as connection:
            return {"playId": play_id, "accepted": plays.put(connection, workspace_id, play_id, play)}

    def get(self, workspace_id: str, play_id: str) -> Answer:
        """Return the play with all its parts."""
        with self._database.reading() as connection:
            return play_document(connection, workspace_id, play_id)


class PlaysResource(StoredResource):
    """``/workspaces/{workspaceId}/plays``."""

    def get(self, workspace_id: str) -> Answer:
        """Return a page of the workspace's plays."""
        wanted = read_query(_PLAYS_QUERY)
        with self._database.reading() as connection:
            return plays.listing(connection, workspace_id, wanted)


class CheckpointsResource(StoredResource):
    """``/checkpoints``."""

    def post(self) -> Answer:
        """Record a batch of checkpoints."""
        batch = read_body(_CHECKPOINTS)["checkpoints"]
        with self._database.writing() as connection:
            tally = checkpoints.record(connection, batch)
        return {"accepted": tally.accepted, "stale": tally.stale}


class BlockResource(StoredResource):
    """``/workspaces/{workspaceId}/plays/{playId}/blocks/{blockId}``."""

    def get(self, workspace_id: str, play_id: str, block_id: str) -> Answer:
        """Return the block."""
        with self._database.reading() as connection:
            return blocks.get(connection, workspace_id, play_id, block_id)

    def patch(self, workspace_id: str, play_id: str, block_id: str) -> Answer:
        """Record what an agent reports of the block."""
        said = read_body(_BLOCK_REPORT)
        with self._database.writing() as connection:
            return blocks.report(connection, workspace_id, play_id, block_id, said)


class RecoveryPointResource(StoredResource):
    """``/workspaces/{workspaceId}/plays/{playId}/recovery-points/{pointId}``."""

    def put(self, workspace_id: str, play_id: str, point_id: str) -> Answer:
        """Store the recovery point."""
        point = read_body(_RECOVERY_POINT)
        with self._database.writing() as connection:
            recovery_points.put(connection, workspace_id, play_id, point_id, point)
        return {"pointId": point_id}


class RecoveryPointsResource(StoredResource):
    """``/workspaces/{workspaceId}/plays/{playId}/recovery-points``."""

    def get(self, workspace_id: str, play_id: str) -> Answer:
        """Return the play's recovery points."""
        with self._database.reading() as connection:
            plays.get(connection, workspace_id, play_id)
            return {"recoveryPoints": recovery_points.of_play(connection, workspace_id, play_id)}


class ContextResource(StoredResource):
    """``/workspaces/{workspaceId}/context``."""

    def get(self, workspace_id: str) -> Answer:
        """Return the workspace's context."""
        with self._database.reading() as connection:
            return context.get(connection, workspace_id)

    def patch(self, workspace_id: str) -> Answer:
        """Merge a patch into the workspace's context."""
        wanted = read_body(_CONTEXT_PATCH)
        with self._database.writing() as connection:
            return context.patch(connection, workspace_id, wanted)


class ChangesResource(MethodView):
    """``/changes``."""

    init_every_request = False

    def __init__(self, feed: ChangeFeed) -> None:
        """Take the feed."""
        self._feed = feed

    def get(self) -> Answer:
        """Return the changes after a cursor."""
        query = read_query(_CHANGES_QUERY)
        page = self._feed.read(query["after"], query["limit"], timedelta(milliseconds=query["wait_ms"]))
        return {"changes": page.changes, "next": page.next_cursor}
