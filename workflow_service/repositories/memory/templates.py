"""Templates in memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from threading import Lock

from workflow_service.repositories.memory.stored_values import as_stored
from workflow_service.services.ports import StoredTemplate


class TemplatesInMemory:
    """The templates port."""

    def __init__(self) -> None:
        """Start empty."""
        self._templates: dict[str, StoredTemplate] = {}
        self._lock = Lock()

    def insert(self, template: StoredTemplate) -> bool:
        """Store a new template with its first version; False if its id is taken (in any workspace)."""
        with self._lock:
            template_id = template.document["templateId"]
            if template_id in self._templates:
                return False
            self._templates[template_id] = as_stored(template)
            return True

    def get(self, workspace_id: str, template_id: str, version: str | None = None) -> StoredTemplate | None:
        """Return one version, the latest if none is named."""
        with self._lock:
            stored = self._templates.get(template_id)
            if stored is None or stored.workspace_id != workspace_id:
                return None
            return as_stored(stored) if version in (None, stored.document["version"]) else None

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
