"""Every event that the domain can produce reads well, and has the level that its meaning calls for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import workflow_service
from workflow_service.domain.events import Event
from workflow_service.domain.logs import Level, LogEntry, LogFilter, entry_of, level_of
from workflow_service.domain.sentences import READY, SENTENCES, sentence_of
from workflow_service.domain.statuses import ApprovalStatus, BlockStatus, ExecutionStatus, WaitKind

_SOURCES = Path(workflow_service.__file__).parent
_TYPE = re.compile(r"(execution|block|wait|approval)_[a-z_]+")
_ENDS: Mapping[str, frozenset[str]] = {
    "execution_": frozenset(status.value for status in ExecutionStatus if status.is_terminal),
    "approval_": frozenset({ApprovalStatus.CANCELLED, ApprovalStatus.SUPERSEDED, ApprovalStatus.EXPIRED})}
"""What a type that is put together from a status may end with."""
_MAKE_READY = frozenset({"_ready", "wake", "undo_claim", "_undo"})
_AT = datetime(2026, 1, 1, tzinfo=UTC)


def _event(type: str, /, block_id: str | None = "merge", **payload: Any) -> Event:
    return Event(type=type, workspace_id="w", execution_id="e", source="e:merge", version=1, at=_AT,
                 block_id=block_id, payload=payload)


def _calls() -> Iterator[ast.Call]:
    for path in sorted(_SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield node


def _types_of(call: ast.Call) -> Iterator[str]:
    """Yield the types of the events that a call writes."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "type")]
    if name not in ("_record", "_change", "_end", "Event"):
        return
    for argument in given:
        if isinstance(argument, ast.Constant) and _TYPE.fullmatch(str(argument.value)):
            yield str(argument.value)
        if name == "_end" and isinstance(argument, ast.Attribute) and argument.attr in BlockStatus.__members__:
            yield f"block_{BlockStatus[argument.attr].value}"
        if isinstance(argument, ast.JoinedStr) and isinstance(argument.values[0], ast.Constant):
            begin = str(argument.values[0].value)
            yield from (begin + end for end in _ENDS.get(begin, ()))


def test_every_event_that_the_domain_produces_has_a_sentence() -> None:
    """Whoever adds an event says how it reads; whoever removes one removes its sentence."""
    produced = {type for call in _calls() for type in _types_of(call)}
    assert len(produced) > 25
    assert produced == set(SENTENCES)


def test_every_cause_of_a_ready_block_has_words() -> None:
    """What makes a block ready is said by whoever calls one of these."""
    callers = [call for call in _calls() if getattr(call.func, "attr", getattr(call.func, "id", "")) in _MAKE_READY]
    values = [value for call in callers for value in (*call.args, *(keyword.value for keyword in call.keywords))]
    causes = {value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)}
    assert {"edges_satisfied", "held", "retry_due"} <= causes
    assert causes | {f"{kind.value}_fired" for kind in WaitKind} <= set(READY)


_ERROR = {"code": "flaky", "class": "transient", "message": "not yet"}
_READS: list[tuple[Event, Level, str]] = [
    (_event("execution_started", None, cause="created"), Level.INFO, "Execution started"),
    (_event("execution_waiting", None, cause="all_parked"), Level.INFO, "Nothing can run: all that is left waits"),
    (_event("execution_resumed", None, cause="block_started"), Level.INFO, "No longer waiting: a block runs again"),
    (_event("execution_resumed", None, cause="operator", by="olga"), Level.INFO, "Resumed by olga"),
    (_event("execution_pausing", None, cause="operator", by="olga", reason="wrong clauses"), Level.WARNING,
     "Paused by olga: wrong clauses; what runs may end, nothing new starts"),
    (_event("execution_pausing", None, cause="template", by="olga"), Level.WARNING,
     "Pausing, as the template was put on hold by olga"),
    (_event("execution_pausing", None, cause="held"), Level.WARNING,
     "Paused from the start: something that it belongs to is on hold"),
    (_event("execution_paused", None, cause="nothing_runs"), Level.WARNING,
     "The pause is complete: nothing runs any more"),
    (_event("execution_held", None, cause="agent:reader", by="olga", reason="broken"), Level.WARNING,
     "Agent 'reader' was put on hold by olga: broken"),
    (_event("execution_lifted", None, cause="agent:reader", by="olga"), Level.INFO,
     "Hold on agent 'reader' lifted by olga"),
    (_event("execution_lifted", None, cause="restart"), Level.INFO, "The restart is prepared; its blocks may run"),
    (_event("execution_cancelling", None, cause="olga", mode="force", reason="withdrawn"), Level.WARNING,
     "Cancelled by olga: withdrawn; what runs is stopped"),
    (_event("execution_cancelling", None, cause="timed_out", error={"code": "execution_timed_out", "message": "Late."}),
     Level.ERROR, "Ending the execution: execution_timed_out: Late."),
    (_event("execution_cancelling", None, cause="ended_by:over", mode="force", reason="Fraud."), Level.WARNING,
     "Block 'over' ends the execution: Fraud."),
    (_event("execution_cancelling", None, cause="ended_by:over", mode="force", error={"code": "ended_by_block"}),
     Level.ERROR, "Block 'over' ends the execution"),
    (_event("execution_withdrawing", None, cause="cancelled", by="olga", reason="not needed", blocks=["b", "a"]),
     Level.INFO, "The execution goes on without b, a, asked by olga: not needed"),
    (_event("execution_withdrawing", None, cause="late", blocks=["a"]), Level.INFO,
     "What comes too late is not waited for any more: a"),
    (_event("execution_withdrawn", None, cause="blocks_ended"), Level.INFO, "All that was to be taken out has ended"),
    (_event("execution_cancel_forced", None, cause="olga"), Level.WARNING,
     "What still runs is being stopped, asked by olga"),
    (_event("execution_restarting", None, cause="restart", by="olga", blocks=["a", "b"]), Level.INFO,
     "Restarted by olga; these run again: a, b"),
    (_event("execution_restarting", None, by="olga", blocks=["a"], fromVersion="1.0.0", templateVersion="1.1.0"),
     Level.INFO, "Restarted by olga, with version 1.1.0 instead of 1.0.0; these run again: a"),
    (_event("execution_restarting", None, by="olga", blocks=["a"], fromVersion="1.0.0", templateVersion="1.0.0"),
     Level.INFO, "Restarted by olga; these run again: a"),
    (_event("execution_completed", None), Level.INFO, "Execution completed"),
    (_event("execution_failed", None, error={**_ERROR, "blockId": "merge"}), Level.ERROR,
     "Execution failed: block 'merge': flaky: not yet"),
    (_event("execution_cancelled", None), Level.WARNING, "Execution cancelled"),
    (_event("block_ready", cause="edges_satisfied"), Level.INFO, "Block 'merge' is ready"),
    (_event("block_ready", cause="held"), Level.WARNING,
     "Block 'merge' did not start: its execution or agent is on hold"),
    (_event("block_ready", cause="no_slot"), Level.INFO, "Block 'merge' waits for its turn: as many blocks run as may"),
    (_event("block_ready", cause="something_new"), Level.INFO, "Block 'merge' is ready (something_new)"),
    (_event("block_started", cause="claimed", attempt=1, epoch=1), Level.INFO, "Block 'merge' started"),
    (_event("block_started", cause="claimed", attempt=2, epoch=3), Level.INFO,
     "Block 'merge' started in run 3, attempt 2"),
    (_event("block_started", cause="lease_expired", attempt=2, epoch=1), Level.WARNING,
     "Block 'merge' was taken over from a lost worker, attempt 2"),
    (_event("block_parked", cause="agent"), Level.INFO, "Block 'merge' waits for its agent's answer"),
    (_event("block_retry_scheduled", cause="transient: retry 1 of 3", error=_ERROR), Level.WARNING,
     "Block 'merge' failed: flaky: not yet; retry 1 of 3 follows"),
    (_event("block_retry_scheduled", cause="transient: retry 1 of 3", error=_ERROR, dueAt="2026-01-01T00:00:01.000Z"),
     Level.WARNING, "Block 'merge' failed: flaky: not yet; retry 1 of 3 follows at 2026-01-01T00:00:01.000Z"),
    (_event("block_completed", cause="agent_answered", chosen=None), Level.INFO, "Block 'merge' completed"),
    (_event("block_completed", cause="agent_answered", chosen=["a", "b"]), Level.INFO,
     "Block 'merge' completed; it leads to a, b"),
    (_event("block_completed", cause="agent_answered", chosen=[]), Level.INFO,
     "Block 'merge' completed; it leads nowhere"),
    (_event("block_completed", cause="joined"), Level.INFO, "All that had to come together here has ended"),
    (_event("block_completed", cause="supplied"), Level.INFO,
     "Block 'merge' completed with an output that was supplied"),
    (_event("block_failed", error=_ERROR), Level.ERROR, "Block 'merge' failed: flaky: not yet"),
    (_event("block_failed", error={"code": "lost_worker", "message": "Lost."}), Level.ERROR,
     "Block 'merge' failed: lost_worker: Lost."),
    (_event("block_rejected", error={"by": "bob", "message": "Rejected."}), Level.ERROR,
     "Block 'merge' was rejected by bob"),
    (_event("block_rejected", error={"by": "bob", "message": "Not like this."}), Level.ERROR,
     "Block 'merge' was rejected by bob: Not like this."),
    (_event("block_skipped", cause="guard_false"), Level.INFO, "Block 'merge' was skipped: its condition is false"),
    (_event("block_skipped", cause="no_edge_satisfied"), Level.INFO, "Block 'merge' was skipped: no way leads to it"),
    (_event("block_skipped", cause="too_few_satisfied"), Level.INFO,
     "Block 'merge' was skipped: too few ways lead to it"),
    (_event("block_skipped", cause="late"), Level.INFO,
     "Block 'merge' was skipped: what it leads to has begun without it"),
    (_event("block_skipped", cause="cancelled"), Level.INFO,
     "Block 'merge' was skipped: it was taken out of the execution"),
    (_event("block_completed", cause="end_reached"), Level.INFO, "Block 'merge' was reached"),
    (_event("block_cancelled", cause="cancelled"), Level.WARNING, "Block 'merge' was cancelled with its execution"),
    (_event("block_cancelled", cause="failed:deep"), Level.WARNING,
     "Block 'merge' was cancelled: block 'deep' did not end well"),
    (_event("block_reset", cause="restart", epoch=2), Level.INFO, "Block 'merge' is to run again in run 2"),
    (_event("block_reset", cause="skip", epoch=2), Level.INFO,
     "Block 'merge' is to be skipped: its output was supplied"),
    (_event("block_kept", cause="restart_given_up"), Level.INFO,
     "Block 'merge' stays as it ended: the restart is given up"),
    (_event("execution_restart_revoked", cause="cancelled"), Level.INFO,
     "The restart that was under way is given up"),
    (_event("wait_opened", kind="approval"), Level.INFO, "Block 'merge' is to wait for a person's answer"),
    (_event("wait_fired", kind="agent"), Level.INFO, "Block 'merge' has what it waits for: its agent's answer"),
    (_event("wait_counted", kind="children", parts=9, failed=2), Level.INFO,
     "Block 'merge' has 9 parts at work or done, of which 2 failed"),
    (_event("wait_cancelled", kind="signal"), Level.WARNING, "Block 'merge' no longer waits for a signal"),
    (_event("approval_requested", assignedTo="approver"), Level.INFO, "Block 'merge' asks the role approver"),
    (_event("approval_responded", status="approved", approver="bob"), Level.INFO, "Block 'merge' was approved by bob"),
    (_event("approval_responded", status="rejected", approver="bob"), Level.WARNING,
     "Block 'merge' was rejected by bob"),
    (_event("approval_timeout", assignedTo="admin", escalationLevel=1), Level.WARNING,
     "Block 'merge' got no answer in time and asks the role admin now (level 1)"),
    (_event("approval_postponed"), Level.INFO, "Block 'merge' may be answered later: time stood still during a hold"),
    (_event("approval_cancelled"), Level.WARNING, "Block 'merge' needs no answer any more"),
    (_event("approval_superseded"), Level.WARNING, "Block 'merge' needs no answer any more: it runs again"),
    (_event("approval_expired"), Level.WARNING, "Block 'merge' got no answer in time"),
]


@pytest.mark.parametrize(("event", "level", "sentence"), _READS,
                         ids=[f"{event.type} {event.payload.get('cause', '')}" for event, *_ in _READS])
def test_how_an_event_reads(event: Event, level: Level, sentence: str) -> None:
    assert (level_of(event), sentence_of(event)) == (level, sentence)


def test_every_sentence_is_in_the_table() -> None:
    assert {event.type for event, *_ in _READS} == set(SENTENCES)


@pytest.mark.parametrize("type", sorted(SENTENCES))
def test_an_event_that_tells_little_is_told_all_the_same(type: str) -> None:
    """The history may hold events of an older version of the service, which told less."""
    assert sentence_of(_event(type)).strip()


def test_an_event_of_a_newer_service_is_told_by_its_type() -> None:
    assert sentence_of(_event("block_cloned")) == "Block cloned"
    assert level_of(_event("block_cloned")) is Level.INFO


def _entry(type: str, block_id: str | None) -> LogEntry:
    return entry_of(7, _event(type, block_id))


def test_an_entry_has_all_that_the_event_has() -> None:
    event = _event("block_failed", error=_ERROR)
    assert entry_of(7, event) == LogEntry(
        sequence=7, timestamp=_AT, level=Level.ERROR, block_id="merge", event_type="block_failed",
        message="Block 'merge' failed: flaky: not yet", details={"error": _ERROR})


@pytest.mark.parametrize(("block_id", "level", "admitted"), [
    (None, None, {"block_failed", "block_cancelled", "block_completed", "execution_failed"}),
    ("merge", None, {"block_failed", "block_cancelled", "block_completed"}),
    ("other", None, set()),
    (None, Level.INFO, {"block_failed", "block_cancelled", "block_completed", "execution_failed"}),
    (None, Level.WARNING, {"block_failed", "block_cancelled", "execution_failed"}),
    ("merge", Level.ERROR, {"block_failed"}),
])
def test_a_filter_admits_a_level_and_those_above_it(block_id: str | None, level: Level | None,
                                                    admitted: set[str]) -> None:
    entries = [_entry("block_failed", "merge"), _entry("block_cancelled", "merge"), _entry("block_completed", "merge"),
               _entry("execution_failed", None)]
    wanted = LogFilter(execution_id="e", block_id=block_id, level=level)
    assert {entry.event_type for entry in entries if wanted.admits(entry)} == admitted
