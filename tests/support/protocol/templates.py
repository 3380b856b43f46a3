"""Small templates, one for each shape that the protocol has a rule for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_YEAR_MS = 365 * 24 * 3600 * 1000
NO_RETRY: Mapping[str, Any] = {"maxRetries": 0}
LATE: Mapping[str, Any] = {"mode": "any", "late": "cancel"}
"""The policy of a join that begins after the first and lets the others be withdrawn."""


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


def end(block_id: str, *after: str, status: str = "failed") -> dict[str, Any]:
    """Return a block that ends its execution."""
    return {"blockId": block_id, "dependencies": list(after), "end": {"status": status, "message": "So it is."}}


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
    template("race", block("A"), block("B"), block("J", "A", "B", joinPolicy=LATE), block("D", "J")),
    template("late", block("A"), block("B", "A"), gate("G", wait_s=40), block("H", "G"),
             block("J", "B", "H", joinPolicy=LATE), block("D", "J"), maxParallelBlocks=2),
    template("some", block("A"), block("B"), block("C"),
             block("J", "A", "B", "C", joinPolicy={"mode": "n", "count": 2}), block("D", "J")),
    template("handled", block("A", retryPolicy=NO_RETRY, onFailure={"action": "continue"}),
             block("B", "A", retryPolicy=NO_RETRY, onFailure={"action": "branch", "nextBlocks": ["F"]}), block("F"),
             block("C", "B"), block("D", "C", "F", joinPolicy={"mode": "any"})),
    template("refused", gate("G", wait_s=40, onFailure={"action": "branch", "nextBlocks": ["F"]}), block("F"),
             block("A", "G"), block("D", "A", "F")),
    template("ended", block("A"), end("E", "A"), gate("G", wait_s=40), block("B", "G"), block("C")),
    template("ends", block("A"), end("E", "A"), end("F", status="completed"), block("B"), block("C", "B")),
)}
"""By name."""
