"""The record of one execution: all that the invariants are checked from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Protocol

from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.events import Event
from workflow_service.domain.execution import Execution
from workflow_service.domain.plan import Plan
from workflow_service.domain.recovery import Checkpoint
from workflow_service.domain.signal import Signal
from workflow_service.domain.statuses import ApprovalStatus
from workflow_service.domain.wait import Wait

Changed = Execution | BlockExecution | Wait | Approval | Signal
"""A document with a version and an outbox."""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One invariant that does not hold."""

    invariant: str
    """``I1`` to ``I12``."""
    subject: str
    """The id of the document, event or effect."""
    message: str


class Entry(Protocol):
    """An event with its place in the history."""

    @property
    def sequence(self) -> int:
        """From 1, without gaps."""

    @property
    def event(self) -> Event:
        """What happened."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A piece of work that an agent really did."""

    key: str
    started: datetime
    ended: datetime | None


def retired_names(plan: Plan, history: Iterable[Entry]) -> tuple[str, ...]:
    """Return the blocks that a history tells of and the plan no longer has."""
    told = {entry.event.block_id for entry in history if entry.event.block_id is not None}
    return tuple(sorted(told - set(plan.nodes)))


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is stored of one execution."""

    plan: Plan
    execution: Execution
    blocks: Sequence[BlockExecution]
    """Those of the plan."""
    retired: Sequence[BlockExecution] = ()
    """Those of definitions that the execution has left behind."""
    waits: Sequence[Wait] = ()
    approvals: Sequence[Approval] = ()
    signals: Sequence[Signal] = ()
    history: Sequence[Entry] = ()
    effects: Sequence[Effect] = ()
    """What its agents did, as far as they tell."""
    checkpoints: Mapping[str, Checkpoint] | None = None
    """What the State Management Service was told last of each block; None if it is not asked."""

    @cached_property
    def by_name(self) -> Mapping[str, BlockExecution]:
        """Its blocks by block id."""
        return {block.block_id: block for block in self.blocks}

    @cached_property
    def documents(self) -> Mapping[str, Changed]:
        """Its documents by the source that their events name."""
        return {self.execution.execution_id: self.execution,
                **{block.id: block for block in (*self.blocks, *self.retired)},
                **{wait.id: wait for wait in self.waits},
                **{approval.approval_id: approval for approval in self.approvals},
                **{signal.signal_id: signal for signal in self.signals}}

    @cached_property
    def events(self) -> Mapping[str, Sequence[Event]]:
        """All events by source, in order of the version: those in the history and those on their way there."""
        found = {event.event_id: event for document in self.documents.values() for event in document.outbox}
        found |= {entry.event.event_id: entry.event for entry in self.history}
        by_source: dict[str, list[Event]] = {source: [] for source in self.documents}
        for event in sorted(found.values(), key=lambda event: event.version):
            by_source.setdefault(event.source, []).append(event)
        return by_source

    @cached_property
    def redefined_at(self) -> datetime | None:
        """When the execution last went on with another definition; None if it has its first."""
        events = [event for event in self.events[self.execution.execution_id] if event.type == "execution_restarting"]
        return next((event.at for event in reversed(events)
                     if event.payload.get("fromVersion", event.payload.get("templateVersion"))
                     != event.payload.get("templateVersion")), None)

    def is_of_an_older_plan(self, event: Event) -> bool:
        """Say whether an event took place when the execution had another definition, and so another plan."""
        return self.redefined_at is not None and event.at < self.redefined_at

    def will_be_looked_at(self, document: Changed) -> bool:
        """Say whether somebody looks at the document because something is left to do (not: when a time is over)."""
        if isinstance(document, Execution):
            return document.due_at is not None and document.due_at != document.deadline
        if isinstance(document, Approval) and document.status is ApprovalStatus.PENDING:
            return document.due_at is not None and document.due_at != document.overdue_at
        return document.due_at is not None
