"""From domain values to documents and back, by the fields that a mongoengine document declares.

A field of the domain and one of the document belong together by name. What is None in the domain is absent in the
document; that keeps the sparse index on ``dueAt`` small, which holds only what the sweep must look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields
from typing import Any, ClassVar, Generic, TypeVar

from mongoengine import Document, IntField

from workflow_service.repositories.mongo.connection import ALIAS, Raw
from workflow_service.repositories.mongo.fields import JsonField, TextField
from workflow_service.repositories.mongo.large_values import LargeValues
from workflow_service.repositories.versions import Dataclass

D = TypeVar("D", bound=Dataclass)

SCHEMA_VERSION = 1
"""Of all documents; a migration that changes their shape makes it grow."""


class StoredDocument(Document):  # type: ignore[misc]  # mongoengine has no types
    """What all documents have. Indexes are made by the migrations, one by one, never on the way."""

    meta: ClassVar[dict[str, Any]] = {"abstract": True, "auto_create_index": False, "db_alias": ALIAS}

    id = TextField(primary_key=True)
    schema_version = IntField(db_field="schemaVersion")
    workspace_id = TextField(db_field="workspaceId")
    writer = TextField()
    """The token of the last write that grew the version."""


class Codec(Generic[D]):
    """Converts one kind of domain value."""

    def __init__(self, document: type[StoredDocument], domain: type[D], large_values: LargeValues, *,
                 identifier: Callable[[D], str], owner: Callable[[D], str] | None = None) -> None:
        """Match the fields of both sides.

        Args:
            document: declares the stored fields.
            domain: the dataclass on the other side.
            large_values: keeps JSON that is too large for the document.
            identifier: gives a value's ``_id``.
            owner: names the value, and the moment in its life, in the ids of its files; None for its ``_id``.
        """
        self._domain = domain
        self._large_values = large_values
        self.identifier = identifier
        self._owner = owner or identifier
        self._fields = {field.name: document._fields[field.name] for field in fields(domain)}
        self._required = tuple(field.name for field in fields(domain)
                               if field.default is MISSING and field.default_factory is MISSING)

    def from_domain(self, value: D) -> Raw:
        """Return the whole document, without its writer."""
        return {"_id": self.identifier(value), **self.stored(value), "schemaVersion": SCHEMA_VERSION}

    def to_domain(self, raw: Raw) -> D:
        """Return the value of a document."""
        values: dict[str, Any] = dict.fromkeys(self._required)
        for name, field in self._fields.items():
            content = raw.get(field.db_field)
            if content is not None:
                is_json = isinstance(field, JsonField)
                values[name] = self._large_values.decode(content) if is_json else field.to_python(content)
        return self._domain(**values)

    def stored(self, value: D, names: Iterable[str] | None = None) -> Raw:
        """Return fields of a value, all if none are named, as they are stored; those that are None are left out."""
        raw = {}
        for name in self._fields if names is None else names:
            field, content = self._fields[name], getattr(value, name)
            if content is not None:
                is_json = isinstance(field, JsonField)
                raw[field.db_field] = (self._large_values.encode(self._owner(value), field.db_field, content)
                                       if is_json else field.to_mongo(content))
        return raw

    def absent(self, value: D, names: Iterable[str] | None = None) -> Raw:
        """Return as an argument of ``$unset`` which of the fields are None."""
        chosen = self._fields if names is None else names
        return {self._fields[name].db_field: "" for name in chosen if getattr(value, name) is None}
