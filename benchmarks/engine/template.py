"""The templates by which the service runs the shapes."""

from __future__ import annotations

from typing import Any

from benchmarks.engine.workloads import Shape

AGENT_ID = "echo"
TELL = "tell"
"""The input by which a step is asked to say when it ran."""
_UNBOUNDED = 1000
"""More blocks at once than any shape that is compared has side by side; the others know no such limit."""


def template_document(shape: Shape) -> dict[str, Any]:
    """Return the template of a shape; only ``slots`` leaves the limit of blocks at once as it usually is."""
    kind = shape.name.partition(":")[0]
    document: dict[str, Any] = {
        "templateId": template_id(shape), "name": shape.name, "version": "1.0.0",
        "blocks": [_block(kind, step, before) for step, before in shape.predecessors.items()]}
    return document if kind == "slots" else {**document, "globalSettings": {"maxParallelBlocks": _UNBOUNDED}}


def template_id(shape: Shape) -> str:
    """Return the id of a shape's template."""
    return shape.name.replace(":", "-")


def _block(kind: str, step: int, before: tuple[int, ...]) -> dict[str, Any]:
    configuration: dict[str, Any] = {"step": step}
    if kind == "told":
        configuration[TELL] = True
    if kind == "flow" and before:
        configuration["given"] = f"${{blocks.{_name(before[0])}.output.output}}"
    block = {"blockId": _name(step), "agentId": AGENT_ID, "toolType": "script", "configuration": configuration,
             "dependencies": [_name(one) for one in before]}
    is_gate = kind == "gate" and step == 1
    return {**block, "humanInLoop": {"required": True, "type": "approval", "approvalLevel": "approver"}} \
        if is_gate else block


def _name(step: int) -> str:
    return f"step{step}"
