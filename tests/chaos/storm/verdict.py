"""What a storm has left behind, judged when everything has come to rest."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tests.chaos.storm.log import Decision, Log
from tests.chaos.storm.recovery import Recovery, recoveries
from tests.chaos.storm.store import Sight
from tests.chaos.storm.workflows import FAILS
from tests.support.driver import effects_of
from workflow_service.domain.events import Event
from workflow_service.domain.invariants import Effect, Record, violations
from workflow_service.domain.statuses import ApprovalStatus, ExecutionStatus

_TOLD_WITHIN_S = 20
_AT_LEAST_S = 0.2
_FREED = "failed"
"""A run that failed for good has freed its key: the next attempt is to do the work again."""
_YES_OR_NO = {True: ApprovalStatus.APPROVED, False: ApprovalStatus.REJECTED}


@dataclass(kw_only=True)
class Verdict:
    """How a storm ended."""

    ended: Counter[str] = field(default_factory=Counter)
    """How many executions ended in each status."""
    lost: list[str] = field(default_factory=list)
    """Executions that were accepted and are not there, or have not ended."""
    faulty: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """What is wrong, by execution."""
    duplicate_effects: int = 0
    """How many keys did their work more than once."""
    illegal: int = 0
    """Violations of the invariants, among them illegal transitions."""
    decided_twice: int = 0
    """Approvals that took two answers, or remember another one than they took."""
    unexpected: int = 0
    """Executions that nobody stepped into and that ended as they should not have."""
    effects: int = 0
    """How often work was done."""
    events: int = 0
    recoveries: Sequence[Recovery] = ()

    @property
    def is_good(self) -> bool:
        """True when nothing is wrong."""
        return not self.lost and not self.faulty


def judge(sight: Sight, agents_url: str, log: Log) -> Verdict:
    """Look at every execution that there is."""
    verdict, history = Verdict(), dict[str, Sequence[Event]]()
    stored = sight.all()
    if stored is None:
        raise RuntimeError("The database does not answer although nobody disturbs it any more.")
    going = [known for known, status in stored.items() if not ExecutionStatus(status).is_terminal]
    verdict.lost = sorted({*(set(log.accepted) - set(stored)), *going})
    decisions = _by_approval(log.decisions)
    deadline = time.monotonic() + _TOLD_WITHIN_S
    for execution_id, status in stored.items():
        verdict.ended[status] += 1
        record = _record(sight, agents_url, execution_id, verdict, deadline)
        history |= record.events
        _judge_one(record, decisions, _touched(log, execution_id), verdict)
    verdict.recoveries = list(recoveries(log, history))
    verdict.faulty = dict(verdict.faulty)
    return verdict


def _record(sight: Sight, agents_url: str, execution_id: str, verdict: Verdict, deadline: float) -> Record:
    """Return all that is stored of an execution, with the work that was done and not given up.

    Args:
        deadline: until when its events may be on their way to the history.
    """
    within = timedelta(seconds=max(deadline - time.monotonic(), _AT_LEAST_S))
    try:
        record = sight.records.told(execution_id, within)
    except AssertionError:
        record = sight.records.of(execution_id)
        verdict.faulty[execution_id].append("Events wait in outboxes, and nobody relays them.")
    return replace(record, effects=[
        Effect(key=f"{effect['key']}", started=datetime.fromisoformat(effect["startedAt"]),
               ended=datetime.fromisoformat(effect["endedAt"]) if effect["endedAt"] else None)
        for effect in effects_of(agents_url, execution_id) if effect["startedAt"] and effect["status"] != _FREED])


def _judge_one(record: Record, decisions: Mapping[str, Sequence[Decision]], touched: bool, verdict: Verdict) -> None:
    execution_id = record.execution.execution_id
    found = [f"{one.invariant} {one.subject}: {one.message}" for one in violations(record)]
    twice = list(_decided_twice(record, decisions))
    strange = [] if touched else list(_unexpected(record))
    verdict.illegal += len(found)
    verdict.decided_twice += len(twice)
    verdict.unexpected += len(strange)
    verdict.effects += len(record.effects)
    verdict.events += len(record.history)
    verdict.duplicate_effects += sum(times > 1 for times in Counter(one.key for one in record.effects).values())
    if wrong := [*found, *twice, *strange]:
        verdict.faulty[execution_id] += wrong


def _decided_twice(record: Record, decisions: Mapping[str, Sequence[Decision]]) -> Iterator[str]:
    for approval in record.approvals:
        taken = [one for one in decisions.get(approval.approval_id, ()) if 200 <= one.status < 300]
        if len(taken) > 1:
            yield f"{approval.approval_id}: {len(taken)} answers were taken."
        elif taken and (approval.approver, approval.status) != (taken[0].who, _YES_OR_NO[taken[0].approved]):
            yield (f"{approval.approval_id}: it took {taken[0].approved} of {taken[0].who}, and is "
                   f"{approval.status.value} by {approval.approver}.")


def _unexpected(record: Record) -> Iterator[str]:
    """Yield how an execution ended if it should not have: a fault is no reason to fail."""
    rejected = any(approval.status is ApprovalStatus.REJECTED for approval in record.approvals)
    fails = rejected or record.execution.template_id == FAILS
    expected = ExecutionStatus.FAILED if fails else ExecutionStatus.COMPLETED
    if record.execution.status.is_terminal and record.execution.status is not expected:
        yield f"It is {record.execution.status.value} and should be {expected.value}: {record.execution.error}"


def _touched(log: Log, execution_id: str) -> bool:
    """Say whether an operator may have cancelled or restarted an execution."""
    return any(command.execution_id == execution_id and command.name in ("cancel", "restart")
               and not 400 <= command.status < 500 for command in log.commands)


def _by_approval(decisions: Sequence[Decision]) -> Mapping[str, Sequence[Decision]]:
    found = defaultdict(list)
    for decision in decisions:
        found[decision.approval_id].append(decision)
    return found
