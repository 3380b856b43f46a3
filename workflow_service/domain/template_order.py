"""The one order in which the fields of a template are written out: that of ``TEMPLATE_SCHEMA``.

What the schema does not name (a configuration, a form, further metadata) keeps the order of its author, and so do
lists. So a template that is exported, imported and exported again is the same text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow_service.domain.template import Document
from workflow_service.domain.template_schema import TEMPLATE_SCHEMA


def in_order(document: Document) -> dict[str, Any]:
    """Return a copy of a template document with its fields in their order."""
    ordered: dict[str, Any] = _ordered(document, TEMPLATE_SCHEMA)
    return ordered


def _ordered(value: Any, schema: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        known = schema.get("properties", {})
        names = [*(name for name in known if name in value), *(name for name in value if name not in known)]
        return {name: _ordered(value[name], known.get(name, {})) for name in names}
    if isinstance(value, list | tuple):
        return [_ordered(item, schema.get("items", {})) for item in value]
    return value
