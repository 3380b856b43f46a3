"""What the use cases need from outside, as protocols. Each docstring is the specification of its adapters.

Every repository has two adapters, ``repositories.mongo`` and ``repositories.memory``, and one contract test suite.
Every call names its workspace, and answers as if nothing of another workspace existed; only ``due`` looks across all
of them, for the sweep, and gives keys alone. A store that does not answer in time raises ``errors.Unavailable``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from workflow_service.domain.agents import Agent, AgentAnswer, AgentCall
from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.changes import StateChanges
from workflow_service.domain.commands import ExecutionFilter, TemplateFilter
from workflow_service.domain.events import Event
from workflow_service.domain.execution import Execution, Slot
from workflow_service.domain.permits import Claimant, Pool
from workflow_service.domain.plan import Segment
from workflow_service.domain.recovery import Checkpoint, RecoveryPoint
from workflow_service.domain.signal import Signal
from workflow_service.domain.standing_hold import HoldStatus, StandingHold
from workflow_service.domain.statuses import BlockStatus
from workflow_service.domain.template import Document
from workflow_service.domain.template_status import TemplateStatus
from workflow_service.domain.wait import Wait

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Key:
    """Where a document is."""

    workspace_id: str
    identifier: str


class Clock(Protocol):
    """The time that leases and deadlines are compared with: that of the store, not of this machine."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC, cut to milliseconds (the store keeps no more)."""


class Repository(Protocol[T]):
    """Documents that have a ``version`` and an ``outbox`` and change by compare-and-set alone."""

    def get(self, workspace_id: str, identifier: str) -> T | None:
        """Return the document; None if this workspace has none with this id."""

    def insert(self, document: T) -> bool:
        """Store a new document; False, with nothing changed, if its id is taken."""

    def change(self, before: T, after: T) -> bool:
        """Store ``after`` if the document still has the version of ``before``, in one update.

        Only fields that differ are written, and events are appended to the outbox, so that what others write beside
        the versions is kept. If the reply is lost the document is read back before an answer is given.

        Returns:
            False if the version moved on: somebody else was first, nothing changed.
        """

    def rest(self, documents: Sequence[T]) -> None:
        """Store that the events of these documents are relayed, each only if its version has not moved on.

        Takes the events that the given document has in its outbox out of the stored one, and stores its ``due_at``
        (and of a block its ``released``) as given. One bulk write.
        """

    def due(self, at: datetime, limit: int) -> Sequence[Key]:
        """Return up to ``limit`` documents of all workspaces whose ``due_at`` has come.

        The longest due come first if the store can say so cheaply.
        """


class ExecutionRepository(Repository[Execution], Protocol):
    """Executions."""

    def take_slot(self, workspace_id: str, execution_id: str, slot: Slot, limit: int) -> bool:
        """Add a slot in one update if fewer than ``limit`` are taken; False if none is free."""

    def free_slots(self, workspace_id: str, execution_id: str, slots: Sequence[Slot]) -> bool:
        """Take these slots away; False if none of them was there."""

    def queue_blocks(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> None:
        """Add blocks that wait for a slot to the end of ``slot_queue``, each once, in one update; the version stays."""

    def unqueue_blocks(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> None:
        """Take blocks out of ``slot_queue`` in one update; the version stays."""

    def unchanged(self, executions: Sequence[Execution]) -> Sequence[Execution]:
        """Return those of which no later version is stored."""

    def page(self, workspace_id: str, wanted: ExecutionFilter) -> tuple[Sequence[Execution], int]:
        """Return executions, the latest created first, by id among those of one instant, and how many there are in all.

        They come as a list shows them: ``input``, ``context``, ``outbox`` and what a restart supplied are empty.
        """

    def live_children(self, workspace_id: str, execution_id: str, limit: int) -> Sequence[Execution]:
        """Return up to ``limit`` executions right below this one that have not ended, in any order."""

    def child_counts(self, workspace_id: str, execution_id: str) -> Mapping[tuple[str, int], Mapping[str, int]]:
        """Return for each block and epoch how many executions right below this one have which status."""

    def live(self, workspace_id: str | None, after: str, limit: int) -> Sequence[Key]:
        """Return up to ``limit`` executions that have not ended, by their ids, from the one after ``after``.

        Args:
            workspace_id: None for those of all workspaces.
        """


class BlockRepository(Repository[BlockExecution], Protocol):
    """Block executions. Outputs too large for a document are kept elsewhere by the adapter, unseen from here."""

    def insert_all(self, blocks: Sequence[BlockExecution]) -> None:
        """Store new blocks; those that are there already stay as they are."""

    def get_all(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> Sequence[BlockExecution]:
        """Return these blocks of one execution, in any order; those that are missing are left out."""

    def get_many(self, workspace_id: str, identifiers: Sequence[str]) -> Sequence[BlockExecution]:
        """Return blocks of any executions by their ids, in any order; those that are missing are left out."""

    def outlines(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> Sequence[BlockExecution]:
        """Return the same without ``input``, ``output``, ``supplied`` and ``outbox``, which may be large."""

    def statuses(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> Mapping[str, BlockStatus]:
        """Return the statuses of these blocks of one execution, reading nothing else; missing ones are left out."""

    def extend_lease(self, block: BlockExecution, until: datetime) -> bool:
        """Move ``lease_until`` and ``due_at`` of a running block and leave the version as it is.

        Returns:
            False if the fence moved on or the block does not run any more.
        """

    def defer(self, block: BlockExecution, due_at: datetime, sent: int) -> None:
        """Store when the sweep looks again and how often it sent the block, if the version has not moved on.

        The version stays.
        """

    def first_open(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> str | None:
        """Return the id of a block that has not ended; None if all have. Looks in the given order and stops early."""


class WaitRepository(Repository[Wait], Protocol):
    """Waits."""

    def open_of(self, workspace_id: str, execution_id: str) -> Sequence[Wait]:
        """Return the open waits of an execution."""

    def of_execution(self, workspace_id: str, execution_id: str) -> Sequence[Wait]:
        """Return all waits of an execution, in any order."""


class ApprovalRepository(Repository[Approval], Protocol):
    """Approvals."""

    def pending(self, workspace_id: str, *, roles: Sequence[str] | None, execution_id: str | None, block_id: str | None,
                type: str | None, limit: int, within: str | None = None) -> Sequence[Approval]:
        """Return approvals that wait for an answer, the oldest first.

        Args:
            within: those of this execution and of all that are a part of it; None for any.
            roles: those assigned to one of these roles; None for all.
        """

    def of_execution(self, workspace_id: str, execution_id: str) -> Sequence[Approval]:
        """Return all approvals of an execution, the oldest first."""

    def of_family(self, workspace_id: str, execution_id: str) -> Sequence[Approval]:
        """Return all approvals of an execution and of all that are a part of it, the oldest first."""


class SignalRepository(Repository[Signal], Protocol):
    """Signals. The order is that of their coming, and by id among those of one instant."""

    def oldest(self, workspace_id: str, execution_id: str, names: Sequence[str], wait_id: str) -> Signal | None:
        """Return the oldest signal with one of these names that is kept, or was taken for this wait."""

    def taken_by(self, workspace_id: str, execution_id: str, wait_id: str) -> Sequence[Signal]:
        """Return the signals that were taken for a wait, without their payloads."""

    def of_execution(self, workspace_id: str, execution_id: str) -> Sequence[Signal]:
        """Return all signals of an execution, the oldest first, without their payloads."""

    def page(self, workspace_id: str, execution_id: str, limit: int, offset: int) -> tuple[Sequence[Signal], int]:
        """Return signals of an execution, the oldest first, and how many there are in all."""


class StandingHoldRepository(Protocol):
    """Standing holds: a handful."""

    def insert(self, hold: StandingHold) -> bool:
        """Store a new hold; False if there is one for its scope and target, whatever its status."""

    def of_workspace(self, workspace_id: str) -> Sequence[StandingHold]:
        """Return the holds of a workspace and of the whole service, the oldest first."""

    def unfinished(self) -> Sequence[StandingHold]:
        """Return the holds of all workspaces that are being applied or lifted."""

    def advance(self, hold: StandingHold, status: HoldStatus, progress: str) -> bool:
        """Store how far a hold has come, if it still has the status and progress of ``hold``; False otherwise."""

    def remove(self, hold: StandingHold) -> None:
        """Forget a hold that is being lifted; a new one for the same scope and target stays."""


@dataclass(frozen=True, kw_only=True)
class StoredTemplate:
    """One version of a template as it is stored; versions never change."""

    workspace_id: str
    document: Document
    """What the author wrote."""
    created_by: str
    """Who stored the template first."""
    created_at: datetime
    """When the template was first stored."""
    updated_at: datetime
    """When this version was stored."""
    updated_by: str | None = None
    """Who stored this version; None if it was who stored the template first."""
    status: TemplateStatus = TemplateStatus.PUBLISHED


@dataclass(frozen=True, kw_only=True)
class TemplateVersion:
    """What is told of a version in a list of them."""

    version: str
    created_at: datetime
    """When this version was stored."""
    created_by: str
    """Who stored it."""
    status: TemplateStatus = TemplateStatus.PUBLISHED
    """Draft or published."""


class PermitRepository(Protocol):
    """Permits by the name of their pool, which holds the workspace if the pool belongs to one.

    Each change is one update. A pool is there as long as somebody uses it; ``look_at`` is when the sweep looks at one
    that was not there.
    """

    def get(self, name: str) -> Pool | None:
        """Return a pool; None if nobody uses it."""

    def take(self, name: str, claimant: Claimant, fence: int, limit: int, look_at: datetime) -> bool:
        """Take a permit and leave the queue, if fewer than ``limit`` are held and nobody waits before the claimant.

        One that is held already is confirmed: it is held by this fence from now on, unless that is an older one.
        """

    def give_back(self, name: str, claimant: Claimant, fence: int | None = None) -> bool:
        """Give a permit back; False if it was not held.

        Args:
            fence: the one under which it has to be held; None for any.
        """

    def queue(self, name: str, claimant: Claimant, look_at: datetime) -> bool:
        """Add a claimant to the end of the queue; False if it is in it already, and stays where it is."""

    def unqueue(self, name: str, claimant: Claimant) -> bool:
        """Take a claimant out of the queue; False if it was not in it."""

    def due(self, at: datetime, limit: int) -> Sequence[str]:
        """Return up to ``limit`` names of pools that the sweep is to look at."""

    def look_again(self, name: str, at: datetime) -> None:
        """Store when the sweep looks again at a pool, or forget the pool if nobody uses it any more."""


class CallRates(Protocol):
    """How often agents were called lately, by all workers together."""

    def ask(self, agent_id: str, per_minute: int, at: datetime, *, is_promised: bool) -> datetime:
        """Return when one more call may start, by the rule of ``domain.rates``; one that starts now is counted.

        Best effort and bounded in time: it never raises. If it can't be known, the call starts now.

        Args:
            at: now.
            is_promised: whether an earlier answer promised an instant that has come.
        """


class TemplateRepository(Protocol):
    """Templates, each with its immutable versions."""

    def insert(self, template: StoredTemplate) -> bool:
        """Store a new template with its first version; False if its id is taken (in any workspace).

        The id of a deleted template is taken as well, but its own workspace may use it again for a version that is
        greater than all that it had.
        """

    def get(self, workspace_id: str, template_id: str, version: str | None = None) -> StoredTemplate | None:
        """Return one version, the latest if none is named.

        A deleted template has no latest, but its versions are still there: executions have them. The status of a
        version that is named is draft or published, whatever became of the template.
        """

    def add_version(self, template: StoredTemplate, latest: str) -> bool:
        """Store a new version of a template of its workspace and make it the latest, if ``latest`` still is that.

        The version is stored first, the latest moves second: whoever dies in between leaves a version that can be read
        by its number alone. Given again with the same document, that one is made the latest as it was stored.

        Returns:
            False, with the latest as it was, if the workspace has no such template, if its latest is another version,
            archived or deleted, or if the new version is stored already with another document.
        """

    def set_status(self, workspace_id: str, template_id: str, version: str, status: TemplateStatus) -> bool:
        """Set the status of a template whose latest is still this version; it may be set again.

        A published version is one in the list of versions too; archived and deleted are said of the latest alone, and a
        deleted one stays so.

        Returns:
            False if the workspace has no such template or its latest is another version.
        """

    def versions(self, workspace_id: str, template_id: str) -> Sequence[TemplateVersion]:
        """Return all stored versions of a template, the oldest (the smallest number) first; none if it is unknown.

        Those of a deleted template too.
        """

    def page(self, workspace_id: str, wanted: TemplateFilter) -> tuple[Sequence[StoredTemplate], int]:
        """Return the latest versions, the newest template first, by id among those of one instant, and how many in all.

        No place and no limit changes how many there are in all.
        """


@dataclass(frozen=True, kw_only=True)
class StoredEvent:
    """An event with its place in the history of its execution."""

    sequence: int
    """From 1, without gaps."""
    event: Event


class EventRepository(Protocol):
    """The history of executions. Any number of relays may append at once."""

    def append(self, events: Sequence[Event]) -> Sequence[StoredEvent]:
        """Store events under the next sequence numbers of their executions, without gaps, and return those stored now.

        Each event is stored once, however often it is given: unique indexes on (execution, sequence) and on the event's
        id decide. The order of events of one execution is kept.
        """

    def of_execution(self, workspace_id: str, execution_id: str, *, after: int = 0,
                     limit: int = 10_000) -> Sequence[StoredEvent]:
        """Return the history in order, from the sequence number after ``after``."""


class CheckpointRepository(Protocol):
    """Checkpoints and recovery points that the State Management Service has not taken yet."""

    def add(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Keep checkpoints; a later one (epoch, fence) of the same block takes the place of an earlier one."""

    def oldest(self, limit: int) -> Sequence[Checkpoint]:
        """Return up to ``limit`` of them, the longest kept first."""

    def remove(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Forget exactly these; a later one of the same block stays."""

    def lag(self, at: datetime) -> timedelta | None:
        """Return how long the oldest one has been waiting; None if there is none."""


class AgentService(Protocol):
    """The service that runs agents. Calls block for as long as the agent works, bounded by their time-out.

    A failure of a call, down to a dead connection, is an answer (``Failure``), never an exception.
    """

    def agents(self) -> Sequence[Agent]:
        """Return the registry. Raises errors.Unavailable."""

    def run(self, call: AgentCall) -> AgentAnswer:
        """Let an agent do a block. The same key does the work once, however often it is called."""

    def result(self, agent_id: str, idempotency_key: str) -> AgentAnswer:
        """Ask for the result of a call that was accepted.

        Raises:
            Unavailable: the service does not say how it stands with this key; it may still be at work.
        """

    def stop(self, agent_id: str, idempotency_key: str) -> bool:
        """Stop a call, or see to it that it never starts; True when that is certain, also because the agent is gone."""


class StateService(Protocol):
    """The State Management Service: workspaces, plays (executions), blocks, recovery points."""

    def put_play(self, execution: Execution) -> None:
        """Tell it of an execution; an older version changes nothing. Raises errors.Unavailable."""

    def checkpoint(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Tell it of many blocks in one call; late ones change nothing. Raises errors.Unavailable."""

    def put_recovery_point(self, point: RecoveryPoint) -> None:
        """Store a point from which an execution may start again. Raises errors.Unavailable."""

    def recovery_points(self, workspace_id: str, execution_id: str) -> Sequence[RecoveryPoint]:
        """Return the points of an execution, the oldest first. Raises errors.Unavailable."""

    def changes(self, after: int, wait: timedelta) -> StateChanges:
        """Return what changed after a cursor, waiting a while if nothing has. Raises errors.Unavailable."""

    def context(self, workspace_id: str) -> Mapping[str, Any]:
        """Return the shared context of a workspace. Raises errors.Unavailable."""


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    """A segment of an execution that is to be sent to workers."""

    workspace_id: str
    execution_id: str
    epoch: int
    segment: Segment


class Dispatcher(Protocol):
    """Sends hints to workers. Best effort and bounded in time: it never raises; what it loses the sweep sends again."""

    def dispatch(self, dispatches: Sequence[Dispatch]) -> bool:
        """Send segments; False if not all of them could be sent."""
