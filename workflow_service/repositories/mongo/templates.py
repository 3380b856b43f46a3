"""Templates on MongoDB: the latest version in ``templates``, every version, unchanging, in ``template_versions``.

``templates`` decides whether an id is taken and which version is the latest. Whoever dies before the first version is
stored as well leaves a template that is read from there; whoever adds the next version makes up for it first, so that
executions of the first one keep it. A further version is stored before it becomes the latest. What was deleted stays in
``templates`` under that status, so that its id is not given to another workspace, and in ``template_versions``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mongoengine import DateTimeField, DictField, EnumField, ListField
from pymongo import ASCENDING, DESCENDING
from pymongo.collection import Collection

from workflow_service.domain.commands import TemplateFilter
from workflow_service.domain.template_status import WRITABLE, TemplateStatus
from workflow_service.domain.template_versions import is_same_document, precedence
from workflow_service.repositories.mongo.codec import SCHEMA_VERSION, StoredDocument
from workflow_service.repositories.mongo.connection import Raw, Store, store_errors
from workflow_service.repositories.mongo.execution_queries import behind_place
from workflow_service.repositories.mongo.fields import TextField
from workflow_service.repositories.mongo.json_values import decode_json, encode_json
from workflow_service.repositories.mongo.writes import insert_once, new_token, repeated, replace_once
from workflow_service.services.ports import StoredTemplate, TemplateVersion

COLLECTION = "templates"
VERSIONS = "template_versions"
_MAX_SEARCH = 1000
"""Characters that are searched for; a regular expression must not be longer than 32 KB."""


class TemplateDocument(StoredDocument):
    """A template as it is stored: what its author wrote, as it was written, and what the service adds."""

    meta: ClassVar[dict[str, Any]] = {"collection": COLLECTION}

    template_id = TextField(db_field="templateId")
    name = TextField()
    description = TextField()
    version = TextField()
    tags = ListField(TextField())
    metadata = DictField()
    blocks = ListField(DictField())
    global_settings = DictField(db_field="globalSettings")
    created_at = DateTimeField(db_field="createdAt")
    updated_at = DateTimeField(db_field="updatedAt")
    created_by = TextField(db_field="createdBy")
    updated_by = TextField(db_field="updatedBy")
    input_schema = DictField(db_field="inputSchema")
    status = EnumField(TemplateStatus)

    @classmethod
    def from_domain(cls, template: StoredTemplate) -> Raw:
        """Return the document of a template, without its id."""
        raw = {**encode_json(template.document), "workspaceId": template.workspace_id,
               "createdBy": template.created_by, "createdAt": template.created_at, "updatedAt": template.updated_at,
               "schemaVersion": SCHEMA_VERSION, "writer": new_token(), "status": template.status.value}
        return raw if template.updated_by is None else {**raw, "updatedBy": template.updated_by}

    @classmethod
    def to_domain(cls, raw: Raw) -> StoredTemplate:
        """Return the template of a document."""
        return StoredTemplate(
            workspace_id=raw["workspaceId"], created_by=raw["createdBy"], created_at=raw["createdAt"],
            updated_at=raw["updatedAt"], updated_by=raw.get("updatedBy"),
            status=_status(raw),
            document=decode_json({key: value for key, value in raw.items() if key not in _OURS}))


_OURS = frozenset({
    "_id", "workspaceId", "createdBy", "createdAt", "updatedBy", "updatedAt", "schemaVersion", "writer", "status"})
_LISTED = {"version": 1, "createdBy": 1, "updatedBy": 1, "updatedAt": 1, "status": 1}
"""The fields that a list of versions needs."""
_DELETED = TemplateStatus.DELETED.value
_PUT_AWAY = [TemplateStatus.ARCHIVED.value, _DELETED]


class TemplatesInMongo:
    """The templates port."""

    def __init__(self, store: Store) -> None:
        """Take the database."""
        self._store = store

    @store_errors()
    def insert(self, template: StoredTemplate) -> bool:
        """Store a new template with its first version; False if its id is taken (in any workspace)."""
        raw, template_id = TemplateDocument.from_domain(template), template.document["templateId"]
        if not (insert_once(self._latest, {"_id": template_id, **raw}) or self._comes_back(template, raw)):
            return False
        insert_once(self._versions, {"_id": _version_id(template_id, template.document["version"]), **raw})
        return True

    def _comes_back(self, template: StoredTemplate, raw: Raw) -> bool:
        """Put a template in the place of a deleted one of its workspace; False unless its version is the greatest."""
        template_id, workspace_id = template.document["templateId"], template.workspace_id
        gone = self._latest.find_one({"_id": template_id, "workspaceId": workspace_id, "status": _DELETED})
        if gone is None:
            return False
        known = self.versions(workspace_id, template_id)
        if precedence(template.document["version"]) <= precedence(known[-1].version):
            return False
        query = {name: gone[name] for name in ("_id", "workspaceId", "status", "version")}
        return replace_once(self._latest, query, {"_id": template_id, **raw})

    @store_errors()
    def get(self, workspace_id: str, template_id: str, version: str | None = None) -> StoredTemplate | None:
        """Return one version, the latest if none is named."""
        latest = {"_id": template_id, "workspaceId": workspace_id}
        if version is None:
            raw = self._latest.find_one({**latest, "status": {"$ne": _DELETED}})
        else:
            named = {"_id": _version_id(template_id, version), "workspaceId": workspace_id}
            # a version that stood in the first place alone may have been moved between the two looks
            raw = (self._versions.find_one(named) or _as_version(self._latest.find_one({**latest, "version": version}))
                   or self._versions.find_one(named))
        return TemplateDocument.to_domain(raw) if raw else None

    @store_errors()
    def add_version(self, template: StoredTemplate, latest: str) -> bool:
        """Store a new version and make it the latest, if ``latest`` still is that."""
        template_id, version = template.document["templateId"], template.document["version"]
        query = {"_id": template_id, "workspaceId": template.workspace_id, "version": latest,
                 "status": {"$nin": _PUT_AWAY}}
        present = self._latest.find_one(query)
        if present is None or version == latest:
            return False
        insert_once(self._versions, {**present, "_id": _version_id(template_id, latest)})
        raw = self._stored_version(template)
        return raw is not None and replace_once(self._latest, query, {**raw, "_id": template_id, "writer": new_token()})

    @store_errors()
    def set_status(self, workspace_id: str, template_id: str, version: str, status: TemplateStatus) -> bool:
        """Set the status of a template whose latest is still this version."""
        query = {"_id": template_id, "workspaceId": workspace_id, "version": version}
        present = self._latest.find_one(query)
        if present is None or present.get("status") == _DELETED:
            return present is not None and status is TemplateStatus.DELETED
        named, update = _version_id(template_id, version), {"$set": {"status": status.value}}
        insert_once(self._versions, {**(_as_version(present) or {}), "_id": named})
        if status in WRITABLE:
            repeated(lambda: self._versions.update_one({"_id": named, "workspaceId": workspace_id}, update))
        changed = repeated(lambda: self._latest.update_one({**query, "status": {"$ne": _DELETED}}, update))
        return changed.matched_count == 1 or self._is_deleted(query, status)

    def _is_deleted(self, query: Raw, status: TemplateStatus) -> bool:
        """Say whether a template was to be deleted and is: by us, with the reply lost, or by somebody else."""
        return status is TemplateStatus.DELETED and self._latest.find_one({**query, "status": _DELETED}) is not None

    def _stored_version(self, template: StoredTemplate) -> Raw | None:
        """Store a version and return it, or the same one that is there already; None if that is another one."""
        identifier = _version_id(template.document["templateId"], template.document["version"])
        raw = {"_id": identifier, **TemplateDocument.from_domain(template)}
        if insert_once(self._versions, raw):
            return raw
        found = self._versions.find_one({"_id": identifier, "workspaceId": template.workspace_id})
        is_same = found is not None and is_same_document(TemplateDocument.to_domain(found).document, template.document)
        return found if is_same else None

    @store_errors()
    def versions(self, workspace_id: str, template_id: str) -> Sequence[TemplateVersion]:
        """Return all stored versions of a template, the oldest first."""
        first, end = _version_id(template_id, ""), f"{template_id};"  # the next character after the colon
        rows = [*self._latest.find({"_id": template_id, "workspaceId": workspace_id}, _LISTED),
                *self._versions.find({"_id": {"$gte": first, "$lt": end}, "workspaceId": workspace_id}, _LISTED)]
        found = {row["version"]: TemplateVersion(version=row["version"], created_at=row["updatedAt"],
                                                 created_by=row.get("updatedBy") or row["createdBy"],
                                                 status=_status(row))
                 for row in map(_as_version, rows) if row is not None}
        return [found[version] for version in sorted(found, key=precedence)]

    @store_errors()
    def page(self, workspace_id: str, wanted: TemplateFilter) -> tuple[Sequence[StoredTemplate], int]:
        """Return the latest versions, the newest template first, and how many there are in all."""
        query: Raw = {**self._query(wanted), "workspaceId": workspace_id}  # as in the list of executions
        behind = query if wanted.after is None else {**query, "$and": behind_place(wanted.after)}
        found = self._latest.find(behind).sort([("createdAt", DESCENDING), ("_id", ASCENDING)])
        page = [TemplateDocument.to_domain(raw) for raw in found.skip(wanted.offset).limit(wanted.limit)]
        return page, self._latest.count_documents(query)

    def _query(self, wanted: TemplateFilter) -> Raw:
        status = None if wanted.status is None else wanted.status.value
        # what was stored before there were statuses is published, and has none
        unsaid = {"$in": [status, None]} if wanted.status is TemplateStatus.PUBLISHED else status
        query: Raw = {"status": {"$nin": _PUT_AWAY} if status is None else unsaid}
        if wanted.category is not None:
            query["metadata.category"] = encode_json(wanted.category)
        if wanted.tags:
            query["tags"] = {"$all": [encode_json(tag) for tag in wanted.tags]}
        if wanted.search and wanted.search.strip():
            query.update(self._text_query(wanted.search.strip()[:_MAX_SEARCH]))
        return query

    def _text_query(self, search: str) -> Mapping[str, Any]:
        """Ask for a phrase of the text index; the embedded server has none, and there the texts are read."""
        if not self._store.is_embedded:
            return {"$text": {"$search": '"' + search.replace('"', " ") + '"'}}
        pattern = {"$regex": re.escape(search).replace("\0", r"\x00"), "$options": "i"}
        return {"$or": [{"name": pattern}, {"description": pattern}]}

    @property
    def _latest(self) -> Collection[Raw]:
        return self._store.collection(COLLECTION)

    @property
    def _versions(self) -> Collection[Raw]:
        return self._store.collection(VERSIONS)


def _version_id(template_id: str, version: str) -> str:
    return f"{template_id}:{version}"


def _status(raw: Raw) -> TemplateStatus:
    return TemplateStatus(raw.get("status", TemplateStatus.PUBLISHED))


def _as_version(raw: Raw | None) -> Raw | None:
    """Return the document of a latest version as that of a version: archived and deleted are no status of these."""
    return raw if raw is None or _status(raw) in WRITABLE else {**raw, "status": TemplateStatus.PUBLISHED.value}
