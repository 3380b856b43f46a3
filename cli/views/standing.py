"""Where an execution stands while somebody steps in: what holds it and why, and what is still at work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.text import Text

from cli.views.statuses import label

Document = Mapping[str, Any]
OPERATOR_HOLD = "operator"
"""The hold of somebody who paused the execution."""
_SHOWN_AS_PAUSED = frozenset({"pausing", "paused"})
_STOPPING = _SHOWN_AS_PAUSED | {"cancelling"}
"""When it matters what still goes on; an agent may be at work alone though the execution is paused."""
_HOLDS: Mapping[str, str] = {
    OPERATOR_HOLD: "an operator", "restart": "a restart that begins", "service": "a hold on the service",
    "workspace": "a hold on the workspace", "template": "a hold on the template"}
_AGENT_HOLD = "agent:"


def remarks(execution: Document) -> list[str]:
    """Return what there is to tell about an execution beside its status, a line each."""
    holds, reason = execution.get("holds"), execution.get("reason")
    told = []
    if holds:
        told.append(f"held by {held_by(holds)}{', time-outs stand still' if stands_still(execution) else ''}")
    if reason:
        told.append(f"reason: {reason}")
    if execution["status"] in _STOPPING and execution.get("inFlight"):
        told.append(f"still at work: {at_work(execution['inFlight'])}")
    return told


def held_by(holds: Iterable[str]) -> str:
    """Return what holds an execution, in words."""
    return ", ".join(_HOLDS.get(name) or _agent(name) for name in holds)


def stands_still(execution: Document) -> bool:
    """Say whether the time-outs of an execution stand still because of a hold."""
    return execution.get("clock") == "stopped"


def at_work(blocks: Iterable[Document]) -> str:
    """Return blocks that are at work, in one line."""
    return ", ".join(f"{block['blockId']} ({label(block['status']).plain})" for block in blocks)


def short_status(execution: Document) -> Text:
    """Return the status of an execution, with a word about its holds where the status does not tell."""
    status = label(execution["status"])
    is_told = not execution.get("holds") or execution["status"] in _SHOWN_AS_PAUSED
    return status if is_told else status.append(" (held)", style="yellow")


def _agent(name: str) -> str:
    return f"a hold on agent {name.removeprefix(_AGENT_HOLD)}" if name.startswith(_AGENT_HOLD) else name
