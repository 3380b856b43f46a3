"""Templates that acceptance and chaos tests run, made of ``echo`` blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def echo(block_id: str, after: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    """Return a block that gives back its input; ``configuration`` is laid over a marker of the block."""
    configuration = {"marker": block_id, **more.pop("configuration", {})}
    return {"blockId": block_id, "agentId": "echo", "toolType": "script", "dependencies": list(after),
            "configuration": configuration, **more}


def gate(block_id: str, after: Sequence[str], **more: Any) -> dict[str, Any]:
    """Return a block that asks a person to edit its marker."""
    form = {"type": "object", "required": ["marker"], "properties": {"marker": {"type": "string", "minLength": 1}}}
    return echo(block_id, after, humanInLoop={"required": True, "type": "edit", "inputSchema": form, **more})


def template(template_id: str, blocks: Sequence[dict[str, Any]], **settings: Any) -> dict[str, Any]:
    """Return a template document."""
    return {"templateId": template_id, "name": template_id, "version": "1.0.0", "blocks": list(blocks),
            "globalSettings": settings}


def review(template_id: str = "review") -> dict[str, Any]:
    """Return a template with all that the main job has: line, retry, branch, merge, fan-out, join, gate."""
    fast_retry = {"maxRetries": 3, "backoffStrategy": "fixed", "initialDelay": 50}
    choice = {"type": "exclusive", "branches": [
        {"condition": "output.risk > 5", "nextBlocks": ["deep"]}, {"default": True, "nextBlocks": ["quick"]}]}
    parallel = [f"part{number}" for number in range(4)]
    return template(template_id, [
        echo("begin"),
        echo("assess", ["begin"], configuration={"risk": "${input.risk}"}, conditions=choice),
        echo("deep"), echo("quick"),
        echo("merge", ["deep", "quick"], retryPolicy=fast_retry, configuration={
            "failTimes": 2, "failWith": {"code": "flaky", "class": "transient", "message": "not yet", "status": 503}}),
        *(echo(name, ["merge"]) for name in parallel),
        echo("join", parallel),
        gate("publish", ["join"]),
        echo("end", ["publish"], configuration={"published": "${blocks.publish.output.marker}"}),
    ])
