"""The fields of a template are written in one order."""

from __future__ import annotations

import json

from tests.support.builders import a_block_document, a_template_document
from workflow_service.domain.template_order import in_order


def test_known_fields_have_the_order_of_the_schema_and_the_others_that_of_their_author() -> None:
    block = {"configuration": {"z": 1, "a": {"y": 1, "b": 2}}, "toolType": "api", "blockId": "a", "agentId": "x",
             "conditions": {"branches": [{"nextBlocks": ["b"], "condition": "true"}], "type": "exclusive"}}
    document = {"blocks": [block, a_block_document("b")], "metadata": {"zebra": 1, "category": "c", "ant": 2},
                "version": "1.0.0", "name": "N", "templateId": "t"}
    ordered = in_order(document)
    assert ordered == document
    assert list(ordered) == ["templateId", "name", "version", "metadata", "blocks"]
    assert list(ordered["metadata"]) == ["category", "zebra", "ant"]
    assert list(ordered["blocks"][0]) == ["blockId", "agentId", "toolType", "configuration", "conditions"]
    assert json.dumps(ordered["blocks"][0]["configuration"]) == '{"z": 1, "a": {"y": 1, "b": 2}}'
    assert list(ordered["blocks"][0]["conditions"]["branches"][0]) == ["condition", "nextBlocks"]


def test_order_is_the_same_whatever_the_author_did() -> None:
    document = a_template_document(a_block_document("a"), name="N", tags=["b", "a"])
    assert json.dumps(in_order(document)) == json.dumps(in_order(dict(reversed(document.items()))))
    assert in_order(document)["tags"] == ["b", "a"]
