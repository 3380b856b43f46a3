"""The invariants hold for a true story and notice each way in which it is made untrue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from workflow_service.domain import approval as approvals
from workflow_service.domain import blocks
from workflow_service.domain import execution as executions
from workflow_service.domain import wait as waits
from workflow_service.domain.agents import Failure, FailureClass
from workflow_service.domain.approval import Approval, Decision
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.compiler import compile_template
from workflow_service.domain.events import Event
from workflow_service.domain.execution import Execution
from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.invariants import MEANINGS, Effect, Record, violations
from workflow_service.domain.outcomes import is_satisfied
from workflow_service.domain.recovery import checkpoint_of
from workflow_service.domain.statuses import ApprovalStatus, BlockStatus, ExecutionStatus, WaitKind, WaitStatus
from workflow_service.domain.template_parsing import parse_template
from workflow_service.domain.wait import Wait

_LEASE = timedelta(seconds=30)
_START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class _Entry:
    sequence: int
    event: Event


def _described(block_id: str, *after: str, **more: Any) -> dict[str, Any]:
    return {"blockId": block_id, "agentId": "a", "toolType": "api", "dependencies": list(after), **more}


_LINE = (_described("A"), _described("G", "A", humanInLoop={"required": True}), _described("B", "G"))
_RACE = (_described("A"), _described("B"), _described("J", "A", "B", joinPolicy={"mode": "any", "late": "cancel"}))
_HANDLED = (_described("A", onFailure={"action": "continue"}), _described("B", "A"))
_ENDED = ({"blockId": "E", "end": {"status": "failed", "message": "No."}}, _described("A"))


class _Story:
    """Runs ``A -> G (a person is asked) -> B`` by the functions of the domain, minute by minute."""

    def __init__(self, documents: Sequence[Mapping[str, Any]] = _LINE) -> None:
        """Begin with a started execution of these blocks."""
        self.plan = compile_template(parse_template({
            "templateId": "t", "name": "t", "version": "1.0.0", "blocks": list(documents)}))
        self.at = _START
        self.events: list[Event] = []
        self.effects: list[Effect] = []
        self.waits: dict[str, Wait] = {}
        self.approvals: dict[str, Approval] = {}
        self.blocks: dict[str, BlockExecution] = {}
        for block in blocks.new_blocks(self.plan, "w", "e", self.at, _LEASE):
            self.put(block)
        self.execution = executions.start(Execution(
            workspace_id="w", execution_id="e", template_id="t", template_version="1.0.0", created_by="olga",
            created_at=self.at), self.now())
        self.put(self.execution)

    def now(self) -> datetime:
        """Return the next minute."""
        self.at += timedelta(minutes=1)
        return self.at

    def put(self, document: Execution | BlockExecution | Wait | Approval) -> None:
        """Store a document as it is once its events are relayed."""
        self.events += document.outbox
        if isinstance(document, Execution):
            self.execution = replace(document, outbox=(), due_at=None)
        elif isinstance(document, BlockExecution):
            resting = document.status.is_terminal or document.status.is_parked or document.due_at is None
            self.blocks[document.block_id] = replace(blocks.at_rest(document) if resting else document, outbox=())
        elif isinstance(document, Wait):
            self.waits[document.id] = replace(waits.at_rest(document), outbox=())
        else:
            self.approvals[document.approval_id] = replace(approvals.at_rest(document), outbox=())

    def claim(self, name: str) -> BlockExecution:
        """Let a worker claim a block."""
        self.put(blocks.claim(self.blocks[name], "worker", self.now(), _LEASE))
        return self.blocks[name]

    def complete(self, name: str) -> None:
        """Let an agent do the work of a running block, and tell its successors."""
        block = self.blocks[name]
        self.effects.append(Effect(key=block.key, started=self.now(), ended=self.now()))
        self.put(blocks.complete(block, {}, None, self.now(), _LEASE))
        self.release(name)

    def release(self, name: str) -> None:
        """Tell the successors of a block that has ended."""
        block, node = self.blocks[name], self.plan.nodes[name]
        for successor in node.successors:
            told = blocks.decide_edge(self.blocks[successor], block.entry,
                                      is_satisfied(self.plan, block, self.plan.nodes[successor]))
            settled = blocks.settle(told, self.plan.nodes[successor], self.now(), _LEASE)
            self.put(settled or told)
            if settled is not None and settled.status.is_terminal:
                self.release(successor)

    def ask(self) -> None:
        """Let G park for a person."""
        block = self.claim("G")
        wait = waits.opened(waits.Wait(workspace_id="w", execution_id="e", block_id="G", epoch=1,
                                       kind=WaitKind.APPROVAL), self.now())
        self.put(wait)
        gate = self.plan.nodes["G"].block
        assert gate is not None
        self.put(approvals.request(wait, gate.human_in_loop, "G", {}, timedelta(hours=1), self.now()))
        self.put(blocks.park(block, WaitKind.APPROVAL, self.now(), _LEASE, called=False))

    def answer(self, approved: bool) -> None:
        """Let the person answer."""
        (approval,), (wait,) = self.approvals.values(), self.waits.values()
        decided = approvals.decide(approval, Decision(approved=approved, approver="bob"), self.now())
        self.put(decided)
        self.put(waits.fire(wait, approvals.verdict(decided), self.now()))
        self.put(blocks.wake(self.blocks["G"], self.now(), _LEASE, "approval_fired"))

    def close(self, status: ExecutionStatus = ExecutionStatus.COMPLETED) -> None:
        """Close the execution."""
        self.put(executions.close(self.execution, status, None, self.now()))

    def record(self) -> Record:
        """Return what is stored."""
        return Record(
            plan=self.plan, execution=self.execution, blocks=list(self.blocks.values()),
            waits=list(self.waits.values()), approvals=list(self.approvals.values()),
            history=[_Entry(sequence=number, event=event) for number, event in enumerate(self.events, 1)],
            effects=self.effects, checkpoints={name: checkpoint_of(block) for name, block in self.blocks.items()})


def _whole_story() -> _Story:
    story = _Story()
    story.claim("A")
    story.complete("A")
    story.ask()
    (approval,) = story.approvals.values()
    story.at = approval.overdue_at
    story.put(approvals.escalate(approval, story.at))
    story.answer(True)
    story.claim("G")
    story.complete("G")
    story.claim("B")
    story.complete("B")
    story.close()
    return story


def _parked_story() -> _Story:
    story = _Story()
    story.claim("A")
    story.complete("A")
    story.ask()
    return story


def _rejected_story() -> _Story:
    story = _parked_story()
    story.answer(False)
    story.put(blocks.reject(story.claim("G"), "bob", None, story.now(), _LEASE))
    story.put(blocks.cancel(story.blocks["B"], story.now(), _LEASE, "failed:G"))
    story.close(ExecutionStatus.FAILED)
    return story


def _failed_story() -> _Story:
    story = _Story()
    failure = Failure(code="broken", failure_class=FailureClass.AGENT, message="broken")
    story.put(blocks.fail(story.claim("A"), failure, story.now(), _LEASE))
    for name in ("G", "B"):
        story.put(blocks.cancel(story.blocks[name], story.now(), _LEASE, "failed:A"))
    story.close(ExecutionStatus.FAILED)
    return story


def _restarted_story() -> _Story:
    story = _whole_story()
    story.put(executions.begin_restart(story.execution, {"B": 2}, _HOUR, story.now()))
    story.put(blocks.restart(story.blocks["B"], 2, ["G:1"], story.now(), agent_id="a"))
    told = blocks.decide_edge(story.blocks["B"], "G:1", True)
    story.put(blocks.settle(told, story.plan.nodes["B"], story.now(), _LEASE) or told)
    story.put(executions.end_restart(story.execution, story.now()))
    story.claim("B")
    story.complete("B")
    story.close()
    return story


def _claimed_in_a_pause_story() -> _Story:
    """G is claimed and given back, then claimed by a worker that dies, then by one that gives it back."""
    story = _paused_story()
    story.answer(True)
    story.put(blocks.undo_claim(story.claim("G"), story.now(), _LEASE, "held"))
    story.put(executions.hold(story.execution, "service", story.now()))  # another hold is no resume
    story.claim("G")
    story.put(blocks.undo_claim(story.claim("G"), story.now(), _LEASE, "held"))
    return story


def _given_up_in_a_pause_story() -> _Story:
    story = _paused_story()
    story.answer(True)
    lost = Failure(code="lost_worker", failure_class=FailureClass.CRITICAL, message="lost")
    story.put(blocks.fail(story.claim("G"), lost, story.now(), _LEASE))
    story.put(blocks.cancel(story.blocks["B"], story.now(), _LEASE, "failed:G"))
    story.close(ExecutionStatus.FAILED)
    return story


def _withdrawn_story() -> _Story:
    """J begins after A, and B is withdrawn."""
    story = _Story(_RACE)
    story.claim("A")
    story.complete("A")
    story.claim("J")
    story.put(executions.withdraw(story.execution, ["B"], blocks.LATE, story.now()))
    story.put(blocks.withdraw(story.blocks["B"], story.now(), _LEASE, blocks.LATE))
    story.release("B")
    story.put(executions.withdrawn(story.execution, ["B"], story.now()))
    story.complete("J")
    story.close()
    return story


def _handled_story() -> _Story:
    story = _Story(_HANDLED)
    failure = Failure(code="broken", failure_class=FailureClass.AGENT, message="broken")
    story.put(blocks.fail(story.claim("A"), failure, story.now(), _LEASE))
    story.release("A")
    story.claim("B")
    story.complete("B")
    story.close()
    return story


def _ended_story() -> _Story:
    """E ends the execution while A has not begun."""
    story = _Story(_ENDED)
    story.put(blocks.complete(story.claim("E"), {}, None, story.now(), _LEASE, cause="end_reached"))
    story.put(executions.cancel(story.execution, story.now(), {"code": "ended_by_block"}, "ended_by:E",
                                ended_by="E:1"))
    story.put(blocks.cancel(story.blocks["A"], story.now(), _LEASE, "cancelled"))
    story.close(ExecutionStatus.FAILED)
    return story


def _resumed_story() -> _Story:
    """A worker claims G in the pause, is slow, and sees the execution resumed when it looks."""
    story = _paused_story()
    story.answer(True)
    story.claim("G")
    story.put(executions.lift(story.execution, "operator", story.now()))
    story.complete("G")
    return story


def _cancelled_in_a_pause_story() -> _Story:
    story = _paused_story()
    story.put(executions.cancel(story.execution, story.now(), None, "olga"))
    (approval,), (wait,) = story.approvals.values(), story.waits.values()
    for name in ("G", "B"):
        story.put(blocks.cancel(story.blocks[name], story.now(), _LEASE, "cancelled"))
    story.close(ExecutionStatus.CANCELLED)
    story.put(waits.cancel(wait, story.now()))
    story.put(approvals.withdraw(approval, ApprovalStatus.CANCELLED, story.now()))
    return story


def _paused_story() -> _Story:
    story = _parked_story()
    story.put(executions.hold(story.execution, "operator", story.now()))
    story.put(executions.paused(story.execution, story.now()))
    return story


@pytest.mark.parametrize("tell", [_Story, _parked_story, _whole_story, _rejected_story, _failed_story, _restarted_story,
                                  _paused_story, _claimed_in_a_pause_story, _given_up_in_a_pause_story, _resumed_story,
                                  _cancelled_in_a_pause_story, _withdrawn_story, _handled_story, _ended_story])
def test_a_true_story_breaks_nothing(tell: Callable[[], _Story]) -> None:
    """Whatever may happen is no violation."""
    assert violations(tell().record()) == ()


def test_what_is_on_its_way_is_no_violation() -> None:
    """An execution that runs has events in outboxes and documents that the sweep will look at."""
    story = _Story()
    running = blocks.claim(story.blocks["A"], "worker", story.now(), _LEASE)
    record = replace(story.record(), blocks=[running, story.blocks["G"], story.blocks["B"]])
    assert violations(record) == ()


def _block(record: Record, name: str, **fields: Any) -> Record:
    return replace(record, blocks=[replace(block, **fields) if block.block_id == name else block
                                   for block in record.blocks])


def _execution(record: Record, **fields: Any) -> Record:
    return replace(record, execution=replace(record.execution, **fields))


def _approval(record: Record, **fields: Any) -> Record:
    return replace(record, approvals=[replace(approval, **fields) for approval in record.approvals])


def _wait(record: Record, **fields: Any) -> Record:
    return replace(record, waits=[replace(wait, **fields) for wait in record.waits])


def _event(record: Record, source: str, version: int, **payload: Any) -> Record:
    """Change what one event tells."""
    def altered(event: Event) -> Event:
        if (event.source, event.version) != (source, version):
            return event
        return replace(event, payload={**event.payload, **payload})

    return replace(record, history=[_Entry(sequence=entry.sequence, event=altered(entry.event))
                                    for entry in record.history])


def _moved(record: Record, source: str, version: int, by: timedelta) -> Record:
    """Move an event in time."""
    def altered(event: Event) -> Event:
        return replace(event, at=event.at + by) if (event.source, event.version) == (source, version) else event

    return replace(record, history=[_Entry(sequence=entry.sequence, event=altered(entry.event))
                                    for entry in record.history])


def _without(record: Record, source: str, version: int) -> Record:
    """Lose an event and close the gap in the sequence."""
    kept = [entry.event for entry in record.history if (entry.event.source, entry.event.version) != (source, version)]
    return replace(record, history=[_Entry(sequence=number, event=event) for number, event in enumerate(kept, 1)])


def _again(record: Record) -> Record:
    """Store the last event twice."""
    last = record.history[-1]
    return replace(record, history=[*record.history, _Entry(sequence=last.sequence + 1, event=last.event)])


def _with_reset(record: Record) -> Record:
    """Let the restart of B reset G too, so that B of the new epoch did not wait for it."""
    reset = next(entry.event for entry in record.history if entry.event.type == "block_reset")
    other = replace(reset, source=_G, block_id="G", version=7)
    return replace(record, history=[*record.history, _Entry(sequence=len(record.history) + 1, event=other)])


def _kept(record: Record) -> Record:
    """Let the last claim that was given back be kept instead: the block completes in the pause."""
    last = [entry.event for entry in record.history if entry.event.payload.get("cause") == "held"][-1]
    kept = replace(last, type="block_completed", payload={**last.payload, "status": "completed", "cause": "x"})
    return replace(record, history=[_Entry(sequence=entry.sequence, event=kept if entry.event == last else entry.event)
                                    for entry in record.history])


def _with_effect(record: Record, key: str, started: datetime) -> Record:
    return replace(record, effects=[*record.effects, Effect(key=key, started=started, ended=started)])


_HOUR = timedelta(hours=1)
_A, _G, _B = (block_execution_id("e", name) for name in "AGB")

_CORRUPTIONS: Sequence[tuple[str, str, Callable[[], _Story], Callable[[Record], Record]]] = [
    ("I1", "closed too early", _whole_story, lambda r: _block(r, "B", status=BlockStatus.READY, due_at=_START)),
    ("I1", "never closed", _whole_story, lambda r: _execution(r, status=ExecutionStatus.RUNNING)),
    ("I1", "ready and forgotten", _Story, lambda r: _block(r, "A", due_at=None)),
    ("I1", "pending on an edge that nobody decides", _Story,
     lambda r: _block(_block(r, "A", status=BlockStatus.COMPLETED, due_at=None), "A", released=True)),
    ("I1", "parked without a wait", _parked_story, lambda r: replace(r, waits=[])),
    ("I1", "parked on a wait that is over", _parked_story, lambda r: _wait(r, status=WaitStatus.CANCELLED)),
    ("I1", "parked and nobody is asked", _parked_story, lambda r: replace(r, approvals=[])),
    ("I1", "pausing for ever", _paused_story, lambda r: _execution(r, status=ExecutionStatus.PAUSING)),
    ("I1", "restart for ever", _paused_story, lambda r: _execution(r, restart_targets={"B": 2})),
    ("I1", "holds of an ended execution", _whole_story, lambda r: _execution(r, holds=("operator",))),
    ("I1", "blocks are missing", _Story, lambda r: replace(r, blocks=r.blocks[1:])),
    ("I2", "an effect twice", _whole_story, lambda r: _with_effect(r, "e:A:1", r.effects[0].started)),
    ("I2", "an effect of nobody", _whole_story, lambda r: _with_effect(r, "e:A:2", r.effects[0].started)),
    ("I3", "a claim without a new fence", _whole_story, lambda r: _event(r, _A, 2, fence=0)),
    ("I3", "a fence that shrinks", _whole_story, lambda r: _event(r, _G, 5, fence=0)),
    ("I3", "a result of an old fence", _whole_story, lambda r: _event(r, _A, 3, fence=0)),
    ("I3", "a result of a newer fence", _whole_story, lambda r: _event(r, _A, 3, fence=2)),
    ("I4", "an illegal change", _whole_story, lambda r: _event(r, _A, 2, status="completed")),
    ("I4", "a change from another status", _whole_story, lambda r: _event(r, _A, 3, **{"from": "ready"})),
    ("I4", "an ended block goes on", _restarted_story, lambda r: _event(r, _B, 4, status="ready")),
    ("I4", "an ended execution goes on", _restarted_story,
     lambda r: replace(r, history=[_Entry(sequence=entry.sequence, event=replace(entry.event, type="execution_resumed"))
                                   if entry.event.type == "execution_restarting" else entry for entry in r.history])),
    ("I4", "ended otherwise than its blocks", _failed_story, lambda r: _execution(r, status=ExecutionStatus.COMPLETED)),
    ("I5", "started before the one before it ended", _whole_story, lambda r: _moved(r, _G, 1, -3 * _HOUR)),
    ("I4", "a failure that was handled fails it", _handled_story,
     lambda r: _execution(r, status=ExecutionStatus.FAILED)),
    ("I4", "ended otherwise than the block says that ended it", _ended_story,
     lambda r: _execution(r, status=ExecutionStatus.CANCELLED)),
    ("I5", "begun before enough edges were satisfied", _withdrawn_story,
     lambda r: _moved(r, "e:J", 1, -_HOUR)),
    ("I5", "withdrawn and nobody wanted that", _withdrawn_story,
     lambda r: _event(r, "e:B", 2, cause="cancelled")),
    ("I5", "late before the join began", _withdrawn_story,
     lambda r: _moved(r, "e:J", 2, _HOUR)),
    ("I1", "withdrawing for ever", _withdrawn_story,
     lambda r: _execution(r, status=ExecutionStatus.RUNNING, withdrawing={"B": "late"})),
    ("I5", "skipped although an edge is satisfied", _whole_story,
     lambda r: _event(r, _B, 1, cause="no_edge_satisfied")),
    ("I5", "started after a failure", _whole_story, lambda r: _event(r, _A, 3, status="failed")),
    ("I5", "started although the one before it was skipped", _whole_story,
     lambda r: _event(r, _A, 3, status="skipped")),
    ("I5", "started in a new epoch before the one before it ended there", _restarted_story,
     _with_reset),
    ("I5", "cancelled for no reason", _failed_story, lambda r: _event(r, _B, 1, cause="failed:G2")),
    ("I5", "cancelled in an execution that was not", _failed_story, lambda r: _event(r, _B, 1, cause="cancelled")),
    ("I5", "ran without becoming ready", _whole_story, lambda r: _event(r, _B, 1, cause="retry_due")),
    ("I6", "decided twice", _whole_story,
     lambda r: replace(r, history=[_Entry(sequence=entry.sequence,
                                          event=replace(entry.event, type="approval_responded"))
                                   if entry.event.type == "approval_timeout" else entry for entry in r.history])),
    ("I6", "went on undecided", _whole_story, lambda r: _approval(r, status=ApprovalStatus.PENDING)),
    ("I6", "went on before the decision", _whole_story,
     lambda r: _approval(r, responded_at=(r.approvals[0].responded_at or _START) + _HOUR)),
    ("I6", "completed although rejected", _whole_story, lambda r: _approval(r, status=ApprovalStatus.REJECTED)),
    ("I6", "rejected although approved", _rejected_story, lambda r: _approval(r, status=ApprovalStatus.APPROVED)),
    ("I6", "fired with another answer", _whole_story,
     lambda r: _wait(r, payload={**(r.waits[0].payload or {}), "approved": False})),
    ("I6", "asks about what is over", _whole_story,
     lambda r: _approval(r, status=ApprovalStatus.PENDING, due_at=r.approvals[0].overdue_at)),
    ("I6", "waits for what is over", _whole_story, lambda r: _wait(r, status=WaitStatus.OPEN)),
    ("I7", "a join twice", _whole_story, lambda r: _event(r, _G, 4, cause="edges_satisfied")),
    ("I8", "work after the end", _whole_story,
     lambda r: _with_effect(r, "e:A:1", (r.execution.completed_at or _START) + _HOUR)),
    ("I8", "work in a pause", _paused_story, lambda r: _with_effect(r, "e:G:1", _START + 24 * _HOUR)),
    ("I8", "work in a pause after another hold", _claimed_in_a_pause_story,
     lambda r: _with_effect(r, "e:G:1", r.history[-1].event.at)),
    ("I8", "work in a pause that was ended by a cancel", _cancelled_in_a_pause_story,
     lambda r: _with_effect(r, "e:G:1", r.events["e"][-2].at + timedelta(seconds=1))),
    ("I8", "a claim in a pause that is kept", _claimed_in_a_pause_story, _kept),
    ("I8", "a block that fails in a pause", _given_up_in_a_pause_story,
     lambda r: _event(r, _G, r.events[_G][-1].version, cause="agent_error")),
    ("I8", "a claim in a pause that ends before the resume", _resumed_story,
     lambda r: _moved(r, _G, r.events[_G][-1].version, -(r.events[_G][-1].at - r.events[_G][-2].at) * 7 / 8)),
    ("I9", "a gap in the sequence", _whole_story, lambda r: replace(r, history=r.history[1:])),
    ("I9", "an event twice", _whole_story, _again),
    ("I9", "a transition without its event", _whole_story, lambda r: _without(r, _A, 2)),
    ("I9", "an event that nobody relays", _whole_story, lambda r: _block(r, "A", outbox=(r.history[0].event,))),
    ("I9", "replay gives something else", _whole_story, lambda r: _block(r, "A", attempt=7)),
    ("I9", "replay of an execution gives something else", _whole_story, lambda r: _execution(r, generation=7)),
    ("I9", "replay of an approval gives something else", _whole_story, lambda r: _approval(r, approver="eve")),
    ("I9", "an event of nobody", _whole_story, lambda r: replace(r, waits=[])),
    ("I10", "a result that was not told", _whole_story,
     lambda r: replace(r, checkpoints={name: one for name, one in (r.checkpoints or {}).items() if name != "A"})),
    ("I10", "another result was told", _whole_story,
     lambda r: replace(r, checkpoints={**(r.checkpoints or {}), "A": replace((r.checkpoints or {})["A"],
                                                                             status=BlockStatus.SKIPPED)})),
    ("I11", "a level twice", _whole_story, lambda r: _approval(r, escalation_level=0)),
    ("I11", "a level too early", _whole_story, lambda r: _approval(r, timeout=2 * _HOUR)),
]


@pytest.mark.parametrize(("invariant", "tell", "corrupt"), [one[:1] + one[2:] for one in _CORRUPTIONS],
                         ids=[f"{one[0]} {one[1]}" for one in _CORRUPTIONS])
def test_a_false_story_is_noticed(invariant: str, tell: Callable[[], _Story],
                                  corrupt: Callable[[Record], Record]) -> None:
    """Each corruption breaks the invariant that is there against it."""
    broken = violations(corrupt(tell().record()))
    assert invariant in {violation.invariant for violation in broken}, broken


def test_every_invariant_has_a_meaning_and_a_story_that_breaks_it() -> None:
    """Whoever adds an invariant says what it means."""
    assert {invariant for invariant, *_ in _CORRUPTIONS} == set(MEANINGS)
