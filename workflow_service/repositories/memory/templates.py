"""Templates in memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from threading import Lock

from workflow_service.domain.template_versions import is_same_document, precedence
from workflow_service.repositories.memory.stored_values import as_stored
from workflow_service.services.ports import StoredTemplate, TemplateVersion


class TemplatesInMemory:
    """The templates port."""

    def __init__(self) -> None:
        """Start empty."""
        self._templates: dict[str, StoredTemplate] = {}
        self._versions: dict[str, dict[str, StoredTemplate]] = {}
        self._lock = Lock()

    def insert(self, template: StoredTemplate) -> bool:
        """Store a new template with its first version; False if its id is taken (in any workspace)."""
        with self._lock:
            template_id = template.document["templateId"]
            if template_id in self._templates:
                return False
            self._templates[template_id] = stored = as_stored(template)
            self._versions[template_id] = {template.document["version"]: stored}
            return True

    def get(self, workspace_id: str, template_id: str, version: str | None = None) -> StoredTemplate | None:
        """Return one version, the latest if none is named."""
        with self._lock:
            latest = self._latest(workspace_id, template_id)
            found = latest if latest is None or version is None else self._versions[template_id].get(version)
            return None if found is None else as_stored(found)

    def add_version(self, template: StoredTemplate, latest: str) -> bool:
        """Store a new version and make it the latest, if ``latest`` still is that."""
        with self._lock:
            template_id, version = template.document["templateId"], template.document["version"]
            present = self._latest(template.workspace_id, template_id)
            if present is None or present.document["version"] != latest or version == latest:
                return False
            stored = self._versions[template_id].setdefault(version, as_stored(template))
            if not is_same_document(stored.document, template.document):
                return False
            self._templates[template_id] = stored
            return True

    def versions(self, workspace_id: str, template_id: str) -> Sequence[TemplateVersion]:
        """Return all stored versions of a template, the oldest first."""
        with self._lock:
            known = self._versions[template_id] if self._latest(workspace_id, template_id) else {}
            return [TemplateVersion(version=version, created_at=known[version].updated_at,
                                    created_by=known[version].updated_by or known[version].created_by)
                    for version in sorted(known, key=precedence)]

    def _latest(self, workspace_id: str, template_id: str) -> StoredTemplate | None:
        stored = self._templates.get(template_id)
        return stored if stored is not None and stored.workspace_id == workspace_id else None

    def page(self, workspace_id: str, *, category: str | None, tags: Sequence[str], search: str | None, limit: int,
             offset: int) -> tuple[Sequence[StoredTemplate], int]:
        """Return the latest versions, the newest template first, and how many there are in all."""
        with self._lock:
            found = [template for template in self._templates.values()
                     if template.workspace_id == workspace_id and _matches(template, category, tags, search)]
        found.sort(key=lambda template: str(template.document["templateId"]))
        found.sort(key=lambda template: template.created_at, reverse=True)
        return [as_stored(template) for template in found[offset:offset + limit]], len(found)


def _matches(template: StoredTemplate, category: str | None, tags: Sequence[str], search: str | None) -> bool:
    document = template.document
    if category is not None and (document.get("metadata") or {}).get("category") != category:
        return False
    wanted = (search or "").strip()
    texts = (document.get("name", ""), document.get("description", ""))
    return (set(tags) <= set(document.get("tags") or ())
            and any(re.search(re.escape(wanted), text, re.IGNORECASE) for text in texts))
