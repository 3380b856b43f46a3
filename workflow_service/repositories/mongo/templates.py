"""Templates on MongoDB: the latest version in ``templates``, every version, unchanging, in ``template_versions``.

``templates`` decides whether an id is taken. Whoever dies before the version is stored as well leaves a template that
is read from there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mongoengine import DateTimeField, DictField, ListField
from pymongo import ASCENDING, DESCENDING
from pymongo.collection import Collection

from workflow_service.repositories.mongo.codec import SCHEMA_VERSION, StoredDocument
from workflow_service.repositories.mongo.connection import Raw, Store, store_errors
from workflow_service.repositories.mongo.fields import TextField
from workflow_service.repositories.mongo.json_values import decode_json, encode_json
from workflow_service.repositories.mongo.writes import insert_once, new_token
from workflow_service.services.ports import StoredTemplate

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

    @classmethod
    def from_domain(cls, template: StoredTemplate) -> Raw:
        """Return the document of a template, without its id."""
        return {**encode_json(template.document), "workspaceId": template.workspace_id,
                "createdBy": template.created_by, "createdAt": template.created_at, "updatedAt": template.updated_at,
                "schemaVersion": SCHEMA_VERSION, "writer": new_token()}

    @classmethod
    def to_domain(cls, raw: Raw) -> StoredTemplate:
        """Return the template of a document."""
        return StoredTemplate(
            workspace_id=raw["workspaceId"], created_by=raw["createdBy"], created_at=raw["createdAt"],
            updated_at=raw["updatedAt"],
            document=decode_json({key: value for key, value in raw.items() if key not in _OURS}))


_OURS = frozenset({"_id", "workspaceId", "createdBy", "createdAt", "updatedAt", "schemaVersion", "writer"})


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
        raw = None
        if version is not None:
            raw = self._versions.find_one({"_id": _version_id(template_id, version), "workspaceId": workspace_id})
        if raw is None:
            query = {"_id": template_id, "workspaceId": workspace_id}
            raw = self._latest.find_one(query if version is None else {**query, "version": version})
        return TemplateDocument.to_domain(raw) if raw else None

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
