"""Templates before which a cache stands.

Only published versions that are asked for by their number are kept: nothing changes them any more, and an id that was
deleted never gets one of its numbers again. So what is kept can be old but not out of date. What may change (drafts,
which version is the latest, whether a template is archived or deleted) is always asked of the store.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from workflow_service.domain.commands import TemplateFilter
from workflow_service.domain.template_status import TemplateStatus
from workflow_service.integrations import json_text
from workflow_service.integrations.cache.store import Away, CacheStore, Outcome, Watch
from workflow_service.services.ports import StoredTemplate, TemplateRepository, TemplateVersion

log = logging.getLogger(__name__)

_SCHEMA = 1
"""Grows when the form of what is kept changes; what has another one is not read."""
_KIND = "template"


class CachedTemplates:
    """Implements ``ports.TemplateRepository`` by another one and a cache."""

    def __init__(self, templates: TemplateRepository, cache: CacheStore, ttl: timedelta, watch: Watch) -> None:
        """Stand before a repository.

        Args:
            ttl: how long a version is kept.
            watch: is told how each look ended.
        """
        self._templates = templates
        self._cache = cache
        self._ttl = ttl
        self._watch = watch

    def insert(self, template: StoredTemplate) -> bool:
        """Store a new template with its first version."""
        was_stored = self._templates.insert(template)
        self._forget(template.workspace_id, template.document["templateId"], template.document["version"])
        return was_stored

    def get(self, workspace_id: str, template_id: str, version: str | None = None) -> StoredTemplate | None:
        """Return one version, the latest if none is named."""
        if version is None:
            return self._templates.get(workspace_id, template_id)
        found = self._look(workspace_id, template_id, version)
        if found is None:
            found = self._templates.get(workspace_id, template_id, version)
            if found is not None and found.status is TemplateStatus.PUBLISHED:
                self._keep(found)
        return found

    def add_version(self, template: StoredTemplate, latest: str) -> bool:
        """Store a new version and make it the latest, if ``latest`` still is that."""
        was_stored = self._templates.add_version(template, latest)
        self._forget(template.workspace_id, template.document["templateId"], template.document["version"])
        return was_stored

    def set_status(self, workspace_id: str, template_id: str, version: str, status: TemplateStatus) -> bool:
        """Set the status of a template whose latest is still this version."""
        was_set = self._templates.set_status(workspace_id, template_id, version, status)
        self._forget(workspace_id, template_id, version)
        return was_set

    def versions(self, workspace_id: str, template_id: str) -> Sequence[TemplateVersion]:
        """Return all stored versions of a template, the oldest first."""
        return self._templates.versions(workspace_id, template_id)

    def page(self, workspace_id: str, wanted: TemplateFilter) -> tuple[Sequence[StoredTemplate], int]:
        """Return the latest versions, and how many there are in all."""
        return self._templates.page(workspace_id, wanted)

    def _look(self, workspace_id: str, template_id: str, version: str) -> StoredTemplate | None:
        try:
            text = self._cache.read(key_of(workspace_id, template_id, version))
        except Away:
            self._watch(_KIND, Outcome.AWAY)
            return None
        found = None if text is None else _decoded(text, workspace_id, template_id, version)
        self._watch(_KIND, Outcome.MISS if text is None else Outcome.WRONG if found is None else Outcome.HIT)
        return found

    def _keep(self, template: StoredTemplate) -> None:
        document = template.document
        try:
            self._cache.write(key_of(template.workspace_id, document["templateId"], document["version"]),
                              _encoded(template), self._ttl)
        except (Away, ValueError):
            log.debug("template %s not kept", document["templateId"])

    def _forget(self, workspace_id: str, template_id: str, version: str) -> None:
        try:
            self._cache.delete(key_of(workspace_id, template_id, version))
        except Away:
            log.debug("template %s not taken out of the cache", template_id)


def key_of(workspace_id: str, template_id: str, version: str) -> str:
    """Return where a version is kept."""
    return f"workflow:{workspace_id}:template:{template_id}:{version}"


def _encoded(template: StoredTemplate) -> bytes:
    return json_text.encode({
        "schema": _SCHEMA, "workspaceId": template.workspace_id, "document": template.document,
        "createdBy": template.created_by, "createdAt": template.created_at.isoformat(),
        "updatedBy": template.updated_by, "updatedAt": template.updated_at.isoformat()})


def _decoded(text: bytes, workspace_id: str, template_id: str, version: str) -> StoredTemplate | None:
    """Return what is kept; None if it is not to be read, or is not what was asked for."""
    try:
        kept = json_text.decode(text)
        document = kept["document"]
        asked = (kept["schema"], kept["workspaceId"], document["templateId"], document["version"])
        if asked != (_SCHEMA, workspace_id, template_id, version) or not isinstance(document["blocks"], list):
            return None
        return StoredTemplate(
            workspace_id=workspace_id, document=document, status=TemplateStatus.PUBLISHED,
            created_by=_text(kept["createdBy"]), created_at=_instant(kept["createdAt"]),
            updated_by=None if kept["updatedBy"] is None else _text(kept["updatedBy"]),
            updated_at=_instant(kept["updatedAt"]))
    except (ValueError, TypeError, KeyError, IndexError):
        return None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _instant(value: Any) -> datetime:
    instant = datetime.fromisoformat(_text(value))
    if instant.tzinfo is None:
        raise ValueError("an instant of no time zone")
    return instant
