"""Which blocks of a template can never begin."""

from typing import Any

import pytest

from tests.support.builders import a_block_document, a_template_document
from workflow_service.domain.template_parsing import parse_template
from workflow_service.domain.validation import template_issues

a, b, f = (a_block_document(name) for name in "abf")


def never_begin(*blocks: dict[str, Any]) -> list[str]:
    """Return where a template of these blocks has one that never begins; it breaks no other rule."""
    found = template_issues(parse_template(a_template_document(*blocks)), None)
    assert {issue.code for issue in found} <= {"never_begins"}
    return [issue.path for issue in found]


def failing(policy: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the block ``a`` with a failure policy."""
    return a_block_document("a", onFailure=policy, **more)


def ending(block_id: str = "e", *dependencies: str, **more: Any) -> dict[str, Any]:
    """Return a block that ends its execution."""
    return {"blockId": block_id, "dependencies": list(dependencies), "end": {}, **more}


ASKED: dict[str, Any] = {"humanInLoop": {"required": True}}
GUARDED: dict[str, Any] = {"conditions": {"type": "guard", "expression": "true"}}
TO_F = {"action": "branch", "nextBlocks": ["f"]}


@pytest.mark.parametrize(("blocks", "expected"), [
    pytest.param([a, ending("e", "a")], [], id="last"),
    pytest.param([ending(), a_block_document("a", "e")], ["blocks[1]"], id="after an end"),
    pytest.param([ending(), a_block_document("a", "e"), a_block_document("b", "a")], ["blocks[1]"],
                 id="said once for all that follows"),
    pytest.param([b, ending(**GUARDED), a_block_document("a", "e", "b")], [], id="another way in"),
    pytest.param([b, ending(**GUARDED), a_block_document("a", "e", "b", joinPolicy={"mode": "n", "count": 2})],
                 ["blocks[2]"], id="the other way is not enough"),
    pytest.param([ending(onFailure={"action": "continue"}, **ASKED), a_block_document("a", "e")], [],
                 id="after an end that a person may refuse"),
    pytest.param([ending(onFailure={"action": "continue"}), a_block_document("a", "e")], ["blocks[1]"],
                 id="after an end that can't fail"),
    pytest.param([ending(onFailure=TO_F), f], ["blocks[1]"], id="the failure branch of an end that can't fail"),
    pytest.param([ending(onFailure=TO_F, **ASKED), f], [], id="the failure branch of an end that may be refused"),
    pytest.param([ending(onFailure=TO_F, **GUARDED), f], [], id="the failure branch of an end with a guard"),
    pytest.param([failing(TO_F), a_block_document("f", "a")], [], id="a failure branch that is a dependency too")])
def test_what_can_never_begin(blocks: list[dict[str, Any]], expected: list[str]) -> None:
    assert never_begin(*blocks) == expected
