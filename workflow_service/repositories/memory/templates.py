"""Templates in memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from threading import Lock

from workflow_service.domain.commands import TemplateFilter
from workflow_service.domain.paging import Place
from workflow_service.domain.template_status import WRITABLE, TemplateStatus
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
            template_id, version = template.document["templateId"], template.document["version"]
            if template_id in self._templates and not self._may_come_back(template):
                return False
            self._templates[template_id] = stored = as_stored(template)
            self._versions.setdefault(template_id, {})[version] = stored
            return True

    def _may_come_back(self, template: StoredTemplate) -> bool:
        template_id, version = template.document["templateId"], template.document["version"]
        gone = self._templates[template_id]
        return (gone.workspace_id == template.workspace_id and gone.status is TemplateStatus.DELETED
                and precedence(version) > max(precedence(known) for known in self._versions[template_id]))

    def get(self, workspace_id: str, template_id: str, version: str | None = None) -> StoredTemplate | None:
        """Return one version, the latest if none is named."""
        with self._lock:
            latest = self._latest(workspace_id, template_id)
            if latest is None or (version is None and latest.status is TemplateStatus.DELETED):
                return None
            found = latest if version is None else self._versions[template_id].get(version)
            return None if found is None else as_stored(found)

    def add_version(self, template: StoredTemplate, latest: str) -> bool:
        """Store a new version and make it the latest, if ``latest`` still is that."""
        with self._lock:
            template_id, version = template.document["templateId"], template.document["version"]
            present = self._latest(template.workspace_id, template_id)
            if (present is None or present.document["version"] != latest or version == latest
                    or present.status not in WRITABLE):
                return False
            stored = self._versions[template_id].setdefault(version, as_stored(template))
            if not is_same_document(stored.document, template.document):
                return False
            self._templates[template_id] = stored
            return True

    def set_status(self, workspace_id: str, template_id: str, version: str, status: TemplateStatus) -> bool:
        """Set the status of a template whose latest is still this version."""
        with self._lock:
            present = self._latest(workspace_id, template_id)
            if present is None or present.document["version"] != version:
                return False
            if present.status is TemplateStatus.DELETED:
                return status is TemplateStatus.DELETED
            self._templates[template_id] = replace(present, status=status)
            if status in WRITABLE:
                self._versions[template_id][version] = self._templates[template_id]
            return True

    def versions(self, workspace_id: str, template_id: str) -> Sequence[TemplateVersion]:
        """Return all stored versions of a template, the oldest first."""
        with self._lock:
            known = self._versions[template_id] if self._latest(workspace_id, template_id) else {}
            return [TemplateVersion(version=version, created_at=known[version].updated_at, status=known[version].status,
                                    created_by=known[version].updated_by or known[version].created_by)
                    for version in sorted(known, key=precedence)]

    def _latest(self, workspace_id: str, template_id: str) -> StoredTemplate | None:
        stored = self._templates.get(template_id)
        return stored if stored is not None and stored.workspace_id == workspace_id else None

    def page(self, workspace_id: str, wanted: TemplateFilter) -> tuple[Sequence[StoredTemplate], int]:
        """Return the latest versions, the newest template first, and how many there are in all."""
        with self._lock:
            found = [template for template in self._templates.values()
                     if template.workspace_id == workspace_id and _matches(template, wanted)]
        found.sort(key=lambda template: str(template.document["templateId"]))
        found.sort(key=lambda template: template.created_at, reverse=True)
        behind = [template for template in found if wanted.after is None or _is_behind(wanted.after, template)]
        return [as_stored(template) for template in behind[wanted.offset:][:wanted.limit]], len(found)


def _matches(template: StoredTemplate, wanted: TemplateFilter) -> bool:
    document = template.document
    if wanted.category is not None and (document.get("metadata") or {}).get("category") != wanted.category:
        return False
    if template.status not in (WRITABLE if wanted.status is None else (wanted.status,)):
        return False
    phrase = (wanted.search or "").strip()
    texts = (document.get("name", ""), document.get("description", ""))
    return (set(wanted.tags) <= set(document.get("tags") or ())
            and any(re.search(re.escape(phrase), text, re.IGNORECASE) for text in texts))


def _is_behind(place: Place, template: StoredTemplate) -> bool:
    return template.created_at < place.at or (
        template.created_at == place.at and str(template.document["templateId"]) > place.identifier)
