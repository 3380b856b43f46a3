"""Types of document fields that say how executions belong together."""

from __future__ import annotations

from typing import Any

from workflow_service.domain.children import Body, Parent, Round
from workflow_service.domain.flow import Tolerance
from workflow_service.repositories.mongo.fields import Field
from workflow_service.repositories.mongo.json_values import decode_json, encode_json


class ParentField(Field):
    """The block that an execution is a part of."""

    def to_mongo(self, value: Parent) -> dict[str, Any]:
        """Return what is stored."""
        return {"executionId": value.execution_id, "blockId": value.block_id, "epoch": value.epoch,
                "index": value.index, "round": value.round}

    def to_python(self, value: dict[str, Any]) -> Parent:
        """Return the domain's value."""
        return Parent(execution_id=value["executionId"], block_id=value["blockId"], epoch=value["epoch"],
                      index=value["index"], round=value["round"])


class BodyField(Field):
    """The one block that an execution runs."""

    def to_mongo(self, value: Body) -> dict[str, Any]:
        """Return what is stored."""
        return {"blockId": value.block_id, "level": value.level}

    def to_python(self, value: dict[str, Any]) -> Body:
        """Return the domain's value."""
        return Body(block_id=value["blockId"], level=value["level"])


class RoundField(Field):
    """How far the children have come that are waited for."""

    def to_mongo(self, value: Round) -> dict[str, Any]:
        """Return what is stored."""
        raw = {"first": value.first, "total": value.total, "lanes": value.lanes, "openLanes": list(value.open_lanes),
               "tolerated": {"count": value.tolerance.count, "percent": value.tolerance.percent},
               "version": value.version, "begun": value.begun, "failed": list(value.failed)}
        return raw if value.errors is None else {**raw, "errors": encode_json(value.errors)}

    def to_python(self, value: dict[str, Any]) -> Round:
        """Return the domain's value."""
        errors = value.get("errors")
        return Round(first=value["first"], total=value["total"], lanes=value["lanes"],
                     open_lanes=tuple(value["openLanes"]), tolerance=Tolerance(**value["tolerated"]),
                     version=value["version"], begun=value["begun"], failed=tuple(value["failed"]),
                     errors=None if errors is None else decode_json(errors))
