"""Small templates, one for each shape that the protocol has a rule for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_YEAR_MS = 365 * 24 * 3600 * 1000


def block(block_id: str, *after: str, **more: Any) -> dict[str, Any]:
    """Return a block that follows others."""
    return {"blockId": block_id, "agentId": "agent", "toolType": "api", "dependencies": list(after), **more}


def gate(block_id: str, *after: str, wait_s: int | None = None, **more: Any) -> dict[str, Any]:
    """Return a block before which a person is asked.

    Args:
        wait_s: after how many seconds the request is escalated.
    """
    asked: dict[str, Any] = {"required": True, "approvalLevel": "approver"}
    if wait_s is not None:
        asked["timeout"] = wait_s * 1000
    return block(block_id, *after, humanInLoop=asked, **more)


def template(name: str, *blocks: Mapping[str, Any], **settings: Any) -> dict[str, Any]:
    """Return a template that has a year's time."""
    return {"templateId": name, "name": name, "version": "1.0.0", "blocks": list(blocks),
            "globalSettings": {"timeout": _YEAR_MS, **settings}}


def either(left: str, right: str) -> dict[str, Any]:
    """Return the conditions of a block that chooses one of two."""
    return {"type": "exclusive", "branches": [{"condition": "output.way == 'left'", "nextBlocks": [left]},
                                              {"default": True, "nextBlocks": [right]}]}


def newer(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the next version of a template: another block stands in the place of the last, and one more follows."""
    *others, last = document["blocks"]
    return {**document, "version": "1.1.0", "blocks": [*others, {**last, "blockId": "N"}, block("M", "N")]}


TEMPLATES: Mapping[str, Mapping[str, Any]] = {one["templateId"]: one for one in (
    template("chain", block("A"), block("B", "A"), block("C", "B")),
    template("fork", block("A"), block("B", "A"), block("C", "A"), block("D", "B", "C")),
    template("pair", block("A"), block("B"), block("C", "A", "B")),
    template("branch", block("A", conditions=either("B", "C")), block("B"), block("C"), block("D", "B", "C")),
    template("gate", block("A"), gate("G", "A", wait_s=40), block("B", "G")),
    template("gates", gate("G", wait_s=70), gate("H"), block("D", "G", "H")),
    template("half", block("A"), block("B", "A"), block("C"), block("D", "B", "C")),
    template("narrow", block("A"), block("B"), block("C"), block("D", "A", "B", "C"), maxParallelBlocks=1),
    template("two", block("A"), block("B"), block("C"), gate("G", "A"), maxParallelBlocks=2),
    template("unsure", block("A", retryPolicy={"maxRetries": 1}), block("B", "A", retryPolicy={"maxRetries": 0})),
    template("guard", block("A"), block("B", "A", conditions={"type": "guard", "expression": "input.wanted == true"}),
             block("C", "B"), block("D", "A")),
    template("slow", gate("G", wait_s=40), block("A", sideEffects="none"), block("D", "A", "G"), timeout=400_000),
    template("idle", gate("G", wait_s=20), block("D", "G"), timeout=50_000),
    template("hasty", block("A"), block("B", "A"), gate("G", "A"), timeout=40_000),
    template("others", block("A"), block("B", agentId="other"), block("C", "A", agentId="other"), block("D", "B", "C"),
             maxParallelBlocks=1),
)}
"""By name."""
