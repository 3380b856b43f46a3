"""The template that every cell runs: line, branch, merge, retry, fan-out, join, gate, each long enough to be hit.

Beside the fan-out a list is worked on, with another workflow for each item, and the beginning waits for a signal and an
instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support.scenarios import echo, gate, template

FAN = ("left", "middle", "right")
ITEMS = 3
SIGNAL = "go"
WORK_MS = 300
"""How long the blocks of the fan-out work: long enough that a process ends during one."""
_RETRIES = {"maxRetries": 3, "backoffStrategy": "fixed", "initialDelay": 50}
_FLAKY = {"failTimes": 1, "failWith": {"code": "flaky", "class": "transient", "message": "Not yet.", "status": 503}}
_CHOICE = {"type": "exclusive", "branches": [
    {"condition": "output.risk > 5", "nextBlocks": ["deep"]}, {"default": True, "nextBlocks": ["quick"]}]}


def rich(template_id: str, **changed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the template.

    Args:
        template_id: its id.
        changed: by block, what its configuration has beside.
    """
    blocks = [
        {"blockId": "rest", "wait": {"duration": 50}},
        {"blockId": "told", "dependencies": ["rest"], "waitFor": {"signals": [SIGNAL]}},
        echo("begin", configuration={"delayMs": 20}),
        echo("assess", ["begin"], configuration={"risk": "${input.risk}"}, conditions=_CHOICE),
        echo("deep"), echo("quick"),
        echo("merge", ["deep", "quick"], configuration=_FLAKY, retryPolicy=_RETRIES),
        *(echo(name, ["merge"], configuration={"delayMs": WORK_MS}, retryPolicy=_RETRIES) for name in FAN),
        {"blockId": "each", "dependencies": ["merge"], "workflow": {"templateId": part_of(template_id)},
         "map": {"items": "[1, 2, 3]", "maxParallel": 2}, "configuration": {"number": "${item}"}},
        echo("join", [*FAN, "each", "told"], configuration={"last": "${blocks.each.output.results[2].sum}"},
             retryPolicy=_RETRIES),
        gate("ask", ["join"]),
        echo("end", ["ask"], configuration={"answer": "${blocks.ask.output.marker}"}, retryPolicy=_RETRIES),
    ]
    for block in blocks:
        if block["blockId"] in changed:
            block["configuration"] |= changed[block["blockId"]]
    return template(template_id, blocks)


def part(template_id: str) -> dict[str, Any]:
    """Return the template of an item of that template's list."""
    blocks = [echo("first", configuration={"delayMs": 50}, retryPolicy=_RETRIES),
              echo("second", ["first"], configuration={"sum": "${input.number + 1}"}, retryPolicy=_RETRIES)]
    return {**template(part_of(template_id), blocks), "output": {"sum": "${blocks.second.output.sum}"}}


def part_of(template_id: str) -> str:
    """Return the id of the template of an item."""
    return f"{template_id}-part"


def done_in(risk: int) -> frozenset[str]:
    """Return the blocks that do their work in an execution with this input that ends well."""
    return frozenset({"begin", "assess", "deep" if risk > 5 else "quick", "merge", *FAN, "join", "ask", "end"})
