"""JSON that a document store has trouble with comes back as it was given."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.repositories.builders import HERE, LEASE, NOW, new_block
from workflow_service.domain.blocks import claim, complete
from workflow_service.services.ports import BlockRepository

NESTED: dict[str, Any] = {"leaf": "$x"}
for _ in range(150):
    NESTED = {"in": NESTED, "list": [1]}

ODD: dict[str, dict[str, Any]] = {
    "dots": {"a.b": 1, ".": 2, "..": {"c.d": 3}},
    "dollars": {"$ref": "#/x", "$schema": "s", "a$": {"$set": {"x": 1}}},
    "reference": {"$ref": "#/x", "$id": "y", "$db": "z"},
    "percent": {"%24ref": 1, "%": 2, "%json": "1", "%file": "x", "100%": 3},
    "empty": {"": {"": ""}, "list": [], "object": {}, "null": None},
    "nul": {"a\0b": "c\0d"},
    "numbers": {"big": 2**70, "small": -2**63 - 1, "long": 2**62, "float": 1.0, "int": 1, "true": True, "tiny": 5e-324},
    "surrogates": {"key \ud800": "value \udfff", "list": ["\ud83d"]},
    "unicode": {"ключ": "значение", "😀": "😀"},
    "deep": NESTED,
    "order": {"z": 1, "a": 2, "m": {"y": 1, "b": 2}},
    "reserved": {"_id": 1, "version": 2, "length": 3, "__proto__": 4},
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_odd_json_comes_back(block_repository: BlockRepository, value: dict[str, Any]) -> None:
    ready = new_block(input=value)
    block_repository.insert(ready)
    running = claim(ready, "worker-1", NOW, LEASE)
    block_repository.change(ready, running)
    block_repository.change(running, complete(running, {"wrapped": [value]}, None, NOW, LEASE))
    found = block_repository.get(HERE, ready.id)
    assert found is not None
    # the text tells 1 from 1.0 and true, and one order of keys from another
    assert repr(found.input) == repr(value)
    assert repr(found.output) == repr({"wrapped": [value]})


def test_numbers_come_back_as_plain_numbers(block_repository: BlockRepository) -> None:
    block_repository.insert(new_block(input={"long": 2**40}))
    found = block_repository.get(HERE, "x1:b1")
    assert found is not None and found.input is not None
    assert type(found.input["long"]) is int
