"""Histories: what happened in an execution, told as events or as a log, and whether all of it can be right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from workflow_service.domain.execution import Execution
from workflow_service.domain.invariants import MEANINGS, Record, Violation, retired_names, violations
from workflow_service.domain.logs import LogEntry, LogFilter, entry_of
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.domain.users import User
from workflow_service.services.plans import Plans
from workflow_service.services.ports import Clock, EventRepository, StoredEvent
from workflow_service.services.stores import Stores

_CHUNK = 10_000
"""How many events are read at once."""
_NEWS = 500
"""How many events are told at once to somebody who follows."""
_READINGS = 3
"""How often something has to be found wrong before it counts."""
_ASKED_ELSEWHERE = frozenset({"I2", "I10"})
"""Invariants that the records of other services decide: the agents', and the State Management Service's."""


@dataclass(frozen=True, kw_only=True)
class EventPage:
    """Some events of a history, in their order."""

    events: Sequence[StoredEvent]
    next: int | None
    """The sequence number after which the next page begins; None if this one is the last by now."""


@dataclass(frozen=True, kw_only=True)
class News:
    """What a history tells after some event."""

    events: Sequence[StoredEvent]
    ended: ExecutionStatus | None
    """How the execution ended, if these events are the last of it; None while more may come."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One invariant and what came of it."""

    invariant: str
    meaning: str
    result: str
    """``holds``, ``broken``, or ``not_checked`` because only other services know."""


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was checked of an execution, and what is wrong with it."""

    execution_id: str
    checked_at: datetime
    counts: Mapping[str, int]
    """How many events, blocks, waits, approvals and signals were looked at."""
    checks: Sequence[Check]
    violations: Sequence[Violation]

    @property
    def valid(self) -> bool:
        """True if nothing is wrong."""
        return not self.violations


class Histories:
    """Shows and verifies the histories of executions."""

    def __init__(self, stores: Stores, events: EventRepository, plans: Plans, clock: Clock) -> None:
        """Read these stores."""
        self._stores = stores
        self._events = events
        self._plans = plans
        self._clock = clock

    def events(self, user: User, execution_id: str, after: int = 0, limit: int = 1000) -> EventPage:
        """Return the history as far as it is stored; an event that is still in an outbox is on its way.

        Args:
            after: the sequence number after which to begin.

        Raises:
            NotFound: the workspace has no such execution.
        """
        self._stores.execution_of(user, execution_id)
        found = self._events.of_execution(user.workspace_id, execution_id, after=after, limit=limit + 1)
        return EventPage(events=found[:limit], next=found[limit - 1].sequence if len(found) > limit else None)

    def news(self, user: User, execution_id: str, after: int) -> News:
        """Return what is new, for somebody who asks again and again until the execution has ended and all is told.

        Args:
            after: the sequence number of the event that is known already.

        Raises:
            NotFound: the workspace has no such execution.
        """
        names = (user.workspace_id, execution_id)
        found = self._events.of_execution(*names, after=after, limit=_NEWS)
        if found:
            return News(events=found, ended=None)
        execution = self._stores.execution_of(user, execution_id)
        if not execution.status.is_terminal or not self._is_told(execution):
            return News(events=(), ended=None)
        # what reached the history since the first look
        found = self._events.of_execution(*names, after=after, limit=_NEWS)
        return News(events=found, ended=execution.status if len(found) < _NEWS else None)

    def logs(self, user: User, wanted: LogFilter) -> tuple[Sequence[LogEntry], int]:
        """Return entries of the log, the oldest first, and how many there are in all.

        Raises:
            NotFound: the workspace has no such execution.
        """
        self._stores.execution_of(user, wanted.execution_id)
        entries = (entry_of(stored.sequence, stored.event)
                   for stored in self._history(user.workspace_id, wanted.execution_id))
        admitted = [entry for entry in entries if wanted.admits(entry)]
        return admitted[wanted.offset:][:wanted.limit], len(admitted)

    def verify(self, user: User, execution_id: str) -> Verification:
        """Check the invariants of an execution, which may still be running, on all that is stored of it.

        The documents can't be read at one instant, so one that changes meanwhile may seem to contradict another. What
        is really wrong stays wrong: a violation counts if every one of several readings has it.

        Raises:
            NotFound: the workspace has no such execution, or its template is gone.
        """
        record = self._record(user, execution_id)
        wrong = violations(record)
        for _ in range(_READINGS - 1):
            if not wrong:
                break
            record = self._record(user, execution_id)
            before = {(violation.invariant, violation.subject) for violation in wrong}
            wrong = tuple(violation for violation in violations(record)
                          if (violation.invariant, violation.subject) in before)
        return Verification(execution_id=execution_id, checked_at=self._clock.now(), counts=_counts(record),
                            checks=_checks(wrong), violations=wrong)

    def _record(self, user: User, execution_id: str) -> Record:
        """Return what is stored of an execution: its documents first, for their events reach the history after them."""
        execution = self._stores.execution_of(user, execution_id)
        plan = self._plans.of(execution)
        names = (user.workspace_id, execution_id)
        blocks = self._stores.blocks.get_all(*names, tuple(plan.nodes))
        waits, approvals = self._stores.waits.of_execution(*names), self._stores.approvals.of_execution(*names)
        signals = self._stores.signals.of_execution(*names)
        history = list(self._history(*names))
        retired = retired_names(plan, history)
        return Record(plan=plan, execution=execution, blocks=blocks, waits=waits, approvals=approvals, signals=signals,
                      history=history,
                      retired=self._stores.blocks.get_all(*names, retired) if retired else ())

    def _is_told(self, execution: Execution) -> bool:
        """Say whether every event of an execution that has ended has reached the history."""
        names = (execution.workspace_id, execution.execution_id)
        blocks = self._stores.blocks.get_all(*names, tuple(self._plans.of(execution).nodes))
        untold = [execution.outbox, *(block.outbox for block in blocks),
                  *(wait.outbox for wait in self._stores.waits.of_execution(*names)),
                  *(approval.outbox for approval in self._stores.approvals.of_execution(*names)),
                  *(signal.outbox for signal in self._stores.signals.of_execution(*names))]
        return not any(untold)

    def _history(self, workspace_id: str, execution_id: str) -> Iterator[StoredEvent]:
        """Yield the whole history; a read ends at a gap, which the next one finds filled or passes over."""
        found = self._events.of_execution(workspace_id, execution_id, limit=_CHUNK)
        while found:
            yield from found
            found = self._events.of_execution(workspace_id, execution_id, after=found[-1].sequence, limit=_CHUNK)


def _counts(record: Record) -> Mapping[str, int]:
    return {"events": len(record.history), "blocks": len(record.blocks), "waits": len(record.waits),
            "approvals": len(record.approvals), "signals": len(record.signals)}


def _checks(wrong: Sequence[Violation]) -> Sequence[Check]:
    broken = {violation.invariant for violation in wrong}
    return [Check(invariant=invariant, meaning=meaning, result=_result(invariant, broken))
            for invariant, meaning in MEANINGS.items()]


def _result(invariant: str, broken: set[str]) -> str:
    if invariant in broken:
        return "broken"
    return "not_checked" if invariant in _ASKED_ELSEWHERE else "holds"
