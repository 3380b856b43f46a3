"""How a simulation is shown: camelCase, instants as datetimes, as the views of executions are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.events import Event
from workflow_service.domain.execution import Execution
from workflow_service.domain.flow import SignalMode
from workflow_service.domain.ids import is_join
from workflow_service.domain.sentences import sentence_of
from workflow_service.domain.statuses import WaitKind, WaitStatus
from workflow_service.domain.wait import Wait
from workflow_service.simulation.simulator import Simulator

WAITING, CUT_SHORT = "waiting", "cut_short"
"""Outcomes of a simulation that are no ends of an execution."""
OUTCOMES = ("completed", "failed", "cancelled", WAITING, CUT_SHORT)
Places = Mapping[str, str]
"""Id of an execution -> where it stands; empty for the one that is simulated, ``m[2]`` for a part of its block m."""
_UNDONE = frozenset({"no_slot", "held"})
"""Why a block that was claimed did not begin after all."""
_AWAITED: Mapping[WaitKind, str] = {
    WaitKind.APPROVAL: "a person's answer", WaitKind.AGENT: "its agent"}


def simulation_view(simulator: Simulator, execution: Execution, cut_short: str | None) -> dict[str, Any]:
    """Return all that is to be told of a simulation.

    Args:
        execution: the one that was simulated, as it is now.
        cut_short: why it was not simulated to its end; None if it was.
    """
    calendar, start, now = simulator.calendar, execution.created_at, simulator.clock.now()
    events, began = simulator.events, _beginnings(simulator.events)
    places = _places(calendar.executions.everything(), simulator.repeated)
    blocks = [block for block in calendar.blocks.everything() if not is_join(block.block_id)]
    has_ended = execution.status.is_terminal
    waits_for = [] if has_ended else list(_waits_for(calendar.waits.everything(), places))
    outcome = execution.status.value if has_ended else CUT_SHORT if cut_short else WAITING
    return {"templateId": execution.template_id, "templateVersion": execution.template_version, "outcome": outcome,
            "reason": None if has_ended else cut_short or _reason(waits_for), "error": execution.error,
            "output": simulator.output, "startedAt": start, "endedAt": now, "durationMs": _milliseconds(now - start),
            "path": [_step(block, began[block.id], places) for block in _in_order(blocks, began)],
            "neverReached": [{"within": places[block.execution_id], "blockId": block.block_id,
                              "status": block.status.value} for block in blocks if block.id not in began],
            "approvals": list(_approvals(calendar.approvals.everything(), events, simulator.people.refused, places)),
            "waitsFor": waits_for, "agentCalls": dict(sorted(simulator.agents.calls.items())),
            "timeline": [_entry(event, start, places) for event in events]}


def _places(executions: Iterable[Execution], repeated: Collection[str]) -> Places:
    """Return where each execution stands: a part of a block is named for it, and for its number if there are several.

    Args:
        executions: each after those that it is a part of.
        repeated: the blocks that have several parts.
    """
    places: dict[str, str] = {}
    for execution in executions:
        part, above = execution.parent, ""
        if part is not None:
            number = f"[{part.index}]" if part.block_id in repeated or part.index else ""
            above = "/".join(name for name in (places[part.execution_id], f"{part.block_id}{number}") if name)
        places[execution.execution_id] = above
    return places


def _beginnings(events: Iterable[Event]) -> dict[str, datetime]:
    """Return when each block began that did: by its first claim that was not given back."""
    began: dict[str, datetime] = {}
    for event in events:
        name = event.source
        if event.type == "block_started":
            began.setdefault(name, event.at)
        elif event.type == "block_ready" and event.payload.get("cause") in _UNDONE and event.payload["attempt"] == 0:
            began.pop(name, None)
    return began


def _in_order(blocks: Iterable[BlockExecution], began: Mapping[str, datetime]) -> list[BlockExecution]:
    """Return the blocks that began, in the order in which they did."""
    order = {name: number for number, name in enumerate(began)}
    return sorted((block for block in blocks if block.id in order), key=lambda block: order[block.id])


def _step(block: BlockExecution, began: datetime, places: Places) -> dict[str, Any]:
    return {"within": places[block.execution_id], "blockId": block.block_id, "agentId": block.agent_id,
            "status": block.status.value, "attempts": block.attempt, "startedAt": began,
            "completedAt": block.completed_at, "input": block.input, "output": block.output, "error": block.error}


def _approvals(approvals: Iterable[Approval], events: Iterable[Event],
               refused: Mapping[str, str], places: Places) -> Iterator[dict[str, Any]]:
    asked: dict[str, list[Event]] = {}
    for event in events:
        if event.type in ("approval_requested", "approval_timeout"):
            asked.setdefault(event.source, []).append(event)
    for approval in sorted(approvals, key=lambda one: (one.requested_at, one.execution_id, one.block_id)):
        roles = [event.payload["assignedTo"] for event in asked.get(approval.approval_id, ())]
        yield {"within": places[approval.execution_id], "blockId": approval.block_id, "type": approval.type,
               "title": approval.title, "assignedTo": roles[0] if roles else approval.assigned_to,
               "payload": approval.payload, "inputSchema": approval.input_schema,
               "requestedAt": approval.requested_at, "status": approval.status.value,
               "respondedAt": approval.responded_at, "response": approval.response, "comments": approval.comments,
               "refusal": refused.get(approval.approval_id),
               "escalations": [{"escalatedAt": event.at, "assignedTo": event.payload["assignedTo"],
                                "level": event.payload["escalationLevel"]}
                               for event in asked.get(approval.approval_id, ())[1:]]}


def _waits_for(waits: Iterable[Wait], places: Places) -> Iterator[dict[str, Any]]:
    """Yield what is waited for in vain; a parent waits for what its children wait for."""
    for wait in waits:
        if wait.status is WaitStatus.OPEN and wait.kind is not WaitKind.CHILDREN:
            yield {"within": places[wait.execution_id], "blockId": wait.block_id, "kind": wait.kind.value,
                   "message": f"Block '{wait.block_id}' waits for {_awaited(wait)}"}


def _awaited(wait: Wait) -> str:
    if not wait.signals:
        return _AWAITED.get(wait.kind, wait.kind.value)
    return "the signal " + f" {'and' if wait.signal_mode is SignalMode.ALL else 'or'} ".join(map(repr, wait.signals))


def _reason(waits_for: list[dict[str, Any]]) -> str:
    if not waits_for:
        return "Nothing happens any more, and it has not ended."
    return "It waits for ever: " + "; ".join(dict.fromkeys(wait["message"] for wait in waits_for)) + "."


def _entry(event: Event, start: datetime, places: Places) -> dict[str, Any]:
    return {"timestamp": event.at, "sinceStartMs": _milliseconds(event.at - start),
            "within": places[event.execution_id], "blockId": event.block_id, "type": event.type,
            "message": sentence_of(event)}


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
