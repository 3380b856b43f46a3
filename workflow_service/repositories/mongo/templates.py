"""Templates on MongoDB: the latest version in ``templates``, every version, unchanging, in ``template_versions``.

``templates`` decides whether an id is taken and which version is the latest. Whoever dies before the first version is
stored as well leaves a template that is read from there; whoever adds the next version makes up for it first, so that
executions of the first one keep it. A further version is stored before it becomes the latest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mongoengine import DateTimeField, DictField, ListField
from pymongo import ASCENDING, DESCENDING
from pymongo.collection import Collection

from workflow_service.domain.template_versions import is_same_document, precedence
from workflow_service.repositories.mongo.codec import SCHEMA_VERSION, StoredDocument
from workflow_service.repositories.mongo.connection import Raw, Store, store_errors
from workflow_service.repositories.mongo.fields import TextField
from workflow_service.repositories.mongo.json_values import decode_json, encode_json
from workflow_service.repositories.mongo.writes import insert_once, new_token, replace_once
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

    @classmethod
    def from_domain(cls, template: StoredTemplate) -> Raw:
        """Return the document of a template, without its id."""
        raw = {**encode_json(template.document), "workspaceId": template.workspace_id,
               "createdBy": template.created_by, "createdAt": template.created_at, "updatedAt": template.updated_at,
               "schemaVersion": SCHEMA_VERSION, "writer": new_token()}
        return raw if template.updated_by is None else {**raw, "updatedBy": template.updated_by}

    @classmethod
    def to_domain(cls, raw: Raw) -> StoredTemplate:
        """Return the template of a document."""
        return StoredTemplate(
            workspace_id=raw["workspaceId"], created_by=raw["createdBy"], created_at=raw["createdAt"],
            updated_at=raw["updatedAt"], updated_by=raw.get("updatedBy"),
            document=decode_json({key: value for key, value in raw.items() if key not in _OURS}))


_OURS = frozenset({
    "_id", "workspaceId", "createdBy", "createdAt", "updatedBy", "updatedAt", "schemaVersion", "writer"})
_LISTED = {"version": 1, "createdBy": 1, "updatedBy": 1, "updatedAt": 1}
"""The fields that a list of versions needs."""


class TemplatesInMongo:
    """The templates port."""

    def __init__(self, store: Store) -> None:
        """Take the database."""
        self._store = store

    @store_errors()
    def insert(self, template: StoredTemplate) -> bool:
        """Store a new template with its first version; False if its id is taken (in any workspace)."""
        raw, template_id = TemplateDocument.from_domain(template), template.document["templateId"]
        if not insert_once(self._latest, {"_id": template_id, **raw}):
            return False
        insert_once(self._versions, {"_id": _version_id(template_id, template.document["version"]), **raw})
        return True

    @store_errors()
    def get(self, workspace_id: str, template_id: str, version: str | None = None) -> StoredTemplate | None:
        """Return one version, the latest if none is named."""
        latest = {"_id": template_id, "workspaceId": workspace_id}
        if version is None:
            raw = self._latest.find_one(latest)
        else:
            named = {"_id": _version_id(template_id, version), "workspaceId": workspace_id}
            # a version that stood in the first place alone may have been moved between the two looks
            raw = (self._versions.find_one(named) or self._latest.find_one({**latest, "version": version})
                   or self._versions.find_one(named))
        return TemplateDocument.to_domain(raw) if raw else None

    @store_errors()
    def add_version(self, template: StoredTemplate, latest: str) -> bool:
        """Store a new version and make it the latest, if ``latest`` still is that."""
        template_id, version = template.document["templateId"], template.document["version"]
        query = {"_id": template_id, "workspaceId": template.workspace_id, "version": latest}
        present = self._latest.find_one(query)
        if present is None or version == latest:
            return False
        insert_once(self._versions, {**present, "_id": _version_id(template_id, latest)})
        raw = self._stored_version(template)
        return raw is not None and replace_once(self._latest, query, {**raw, "_id": template_id, "writer": new_token()})

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
                                                 created_by=row.get("updatedBy") or row["createdBy"]) for row in rows}
        return [found[version] for version in sorted(found, key=precedence)]

    @store_errors()
    def page(self, workspace_id: str, *, category: str | None, tags: Sequence[str], search: str | None, limit: int,
             offset: int) -> tuple[Sequence[StoredTemplate], int]:
        """Return the latest versions, the newest template first, and how many there are in all."""
        query: Raw = {"workspaceId": workspace_id}
        if category is not None:
            query["metadata.category"] = encode_json(category)
        if tags:
            query["tags"] = {"$all": [encode_json(tag) for tag in tags]}
        if search and search.strip():
            query.update(self._text_query(search.strip()[:_MAX_SEARCH]))
        found = self._latest.find(query).sort([("createdAt", DESCENDING), ("_id", ASCENDING)])
        page = [TemplateDocument.to_domain(raw) for raw in found.skip(offset).limit(limit)]
        return page, self._latest.count_documents(query)

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
