"""The context that the plays of a workspace share, changed by JSON merge patches (RFC 7396)."""

from __future__ import annotations

from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from sandbox.state_service import changes, documents
from sandbox.state_service.changes import Change, ChangeKind
from sandbox.state_service.errors import VersionConflict


@dataclass(frozen=True, kw_only=True)
class ContextPatch:
    """A change of the shared context."""

    context: dict[str, Any]
    """Merged into what is there: objects key by key, null deletes a key, anything else replaces."""
    if_version: int | None
    """Apply it only to this version; None for any."""
    source: str


def get(connection: Connection, workspace_id: str) -> dict[str, Any]:
    """Return the context with its version; a workspace that nobody wrote to has an empty one of version 0."""
    row = connection.execute("SELECT * FROM contexts WHERE workspace_id = ?", (workspace_id,)).fetchone()
    if row is None:
        return {"context": {}, "version": 0}
    return {"context": documents.load_optional(row["context"]), "version": row["version"]}


def patch(connection: Connection, workspace_id: str, wanted: ContextPatch) -> dict[str, Any]:
    """Merge a patch and return the result; a patch that changes nothing leaves the version as it is.

    Raises:
        VersionConflict: the context has another version than the patch is meant for.
    """
    stored = get(connection, workspace_id)
    if wanted.if_version not in (None, stored["version"]):
        raise VersionConflict(stored["version"], wanted.if_version or 0)
    merged = merge(stored["context"], wanted.context)
    if documents.dump(merged) == documents.dump(stored["context"]):
        return stored
    version = stored["version"] + 1
    connection.execute("INSERT OR REPLACE INTO contexts (workspace_id, context, version) VALUES (?, ?, ?)",
                       (workspace_id, documents.dump(merged), version))
    changes.append(connection, [Change(workspace_id=workspace_id, play_id=None, kind=ChangeKind.CONTEXT,
                                       source=wanted.source)])
    return {"context": merged, "version": version}


def merge(target: Any, change: dict[str, Any]) -> dict[str, Any]:
    """Return the target with a JSON merge patch applied to it."""
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in change.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value) if isinstance(value, dict) else value
    return merged
