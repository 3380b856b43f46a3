"""Small templates, one for each shape that the protocol has a rule for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_YEAR_MS = 365 * 24 * 3600 * 1000


def block(block_id: str, *after: str, **more: Any) -> dict[str, Any]:
    """Return a block that follows others."""
    return {"blockId": block_id, "agentId": "agent", "toolType": "api", "dependencies": list(after), **more}


def gate(block_id: str, *after: str, **more: Any) -> dict[str, Any]:
    """Return a block before which a person is asked."""
    return block(block_id, *after, humanInLoop={"required": True, "approvalLevel": "approver"}, **more)


def template(name: str, *blocks: Mapping[str, Any], **settings: Any) -> dict[str, Any]:
    """Return a template that has a year's time."""
    return {"templateId": name, "name": name, "version": "1.0.0", "blocks": list(blocks),
            "globalSettings": {"timeout": _YEAR_MS, **settings}}


def either(left: str, right: str) -> dict[str, Any]:
    """Return the conditions of a block that chooses one of two."""
    return {"type": "exclusive", "branches": [{"condition": "output.way == 'left'", "nextBlocks": [left]},
                                              {"default": True, "nextBlocks": [right]}]}


TEMPLATES: Mapping[str, Mapping[str, Any]] = {one["templateId"]: one for one in (
    template("chain", block("A"), block("B", "A"), block("C", "B")),
    template("fork", block("A"), block("B", "A"), block("C", "A"), block("D", "B", "C")),
    template("pair", block("A"), block("B"), block("C", "A", "B")),
    template("branch", block("A", conditions=either("B", "C")), block("B"), block("C"), block("D", "B", "C")),
    template("gate", block("A"), gate("G", "A"), block("B", "G")),
    template("gates", gate("G"), gate("H"), block("D", "G", "H")),
    template("half", block("A"), block("B", "A"), block("C"), block("D", "B", "C")),
    template("narrow", block("A"), block("B"), block("C"), block("D", "A", "B", "C"), maxParallelBlocks=1),
    template("two", block("A"), block("B"), block("C"), gate("G", "A"), maxParallelBlocks=2),
    template("unsure", block("A", retryPolicy={"maxRetries": 1}), block("B", "A", retryPolicy={"maxRetries": 0})),
    template("guard", block("A"), block("B", "A", conditions={"type": "guard", "expression": "input.wanted == true"}),
             block("C", "B"), block("D", "A")),
)}
"""By name."""
