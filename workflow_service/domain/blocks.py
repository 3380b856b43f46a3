"""One block within one execution: its value and every change that it can go through.

Each function here is a transition of the block protocol (DESIGN: claim, look, park, complete, release ...). It takes
the block as it was read and returns it as it should be: a new version with the event of the change in its outbox. The
repository stores the change only if the document still has the version that was read, so whoever looked at something
old changes nothing. One thing happens to the document beside the versions, because nobody else needs to know of it: the
owner extends its lease.

``due_at`` is the one question that the sweep asks: at that instant somebody must look at the block again. It is there
while the block is ready, running, waits for a retry, has events that were not relayed, or has ended and was not
released; a block that is parked or at rest has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from workflow_service.domain.agents import Failure
from workflow_service.domain.events import Event
from workflow_service.domain.ids import block_execution_id, edge_entry, idempotency_key
from workflow_service.domain.plan import Node, Plan
from workflow_service.domain.statuses import BLOCK_TRANSITIONS, BlockStatus, WaitKind, check

LATE = "late"
"""Why a block is withdrawn: what it leads to has begun without it."""
CANCELLED = "cancelled"
"""Why a block is withdrawn: an operator takes it out of the execution."""


@dataclass(frozen=True, kw_only=True)
class BlockExecution:
    """One block of one execution."""

    workspace_id: str
    execution_id: str
    block_id: str
    agent_id: str | None
    """The agent that does it; None for a join of the compiler."""
    status: BlockStatus = BlockStatus.PENDING
    version: int = 0
    """Grows with each transition; all changes are made under it."""
    epoch: int = 1
    """Grows when the block is deliberately run again."""
    fence: int = 0
    """Grows with each claim; an old owner is known by it."""
    pending_edges: tuple[str, ...] = ()
    """Entries ``source:epoch`` of the edges that are not decided yet."""
    satisfied: int = 0
    """How many edges are decided and satisfied."""
    lease_owner: str | None = None
    lease_until: datetime | None = None
    attempt: int = 0
    """Calls of the agent in this epoch; the claim counts it, a claim that leads to no call takes it back."""
    retry_count: int = 0
    lost_leases: int = 0
    """How often an owner vanished."""
    sent: int = 0
    """How often the sweep has dispatched it again since it became ready."""
    due_at: datetime | None = None
    retry_at: datetime | None = None
    """When its next attempt is due, while it waits for it."""
    waits_for: str | None = None
    """The name of the permits in whose queue it is, while it waits for one."""
    starts_at: datetime | None = None
    """When its agent may be called, as the agent's rate promised it."""
    permits: tuple[str, ...] | None = None
    """The names of the permits that it took in this epoch; known once it leaves ``running``."""
    started_at: datetime | None = None
    completed_at: datetime | None = None
    input: Mapping[str, Any] | None = None
    output: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    round: int = 0
    """Of a loop: the round that it is in, or that comes next, from 0."""
    parked_for: WaitKind | None = None
    """What it was last parked for in this attempt; None if it was not."""
    supplied: Mapping[str, Any] | None = None
    """What a person gave instead of its run in this epoch: ``output``, ``chosen``, ``by``."""
    chosen: tuple[str, ...] | None = None
    """The blocks of the branches that were taken; None if the block does not branch."""
    released: bool = False
    """True when an ended block has told its successors and everybody else."""
    outbox: tuple[Event, ...] = ()
    """Events that are not known to be relayed."""

    @property
    def id(self) -> str:
        """The id of the block execution."""
        return block_execution_id(self.execution_id, self.block_id)

    @property
    def key(self) -> str:
        """The idempotency key of its agent call."""
        return idempotency_key(self.execution_id, self.block_id, self.epoch)

    @property
    def entry(self) -> str:
        """Its entry in the pending edges of its successors."""
        return edge_entry(self.block_id, self.epoch)


def new_blocks(plan: Plan, workspace_id: str, execution_id: str, at: datetime,
               lease: timedelta) -> tuple[BlockExecution, ...]:
    """Return all block executions of a new execution; those without a predecessor are ready."""
    fresh = (created(node, workspace_id, execution_id) for node in plan.nodes.values())
    return tuple(settle(block, plan.nodes[block.block_id], at, lease) or block for block in fresh)


def created(node: Node, workspace_id: str, execution_id: str) -> BlockExecution:
    """Return a block as it is stored at first: pending, and nothing has happened to it."""
    return BlockExecution(
        workspace_id=workspace_id, execution_id=execution_id, block_id=node.node_id,
        agent_id=node.block.agent_id if node.block else None,
        pending_edges=tuple(edge_entry(name, 1) for name in node.predecessors))


def unborn(node: Node, workspace_id: str, execution_id: str) -> BlockExecution:
    """Return a block that a newer definition adds, as it stands before its first epoch: nothing decides its edges."""
    return BlockExecution(workspace_id=workspace_id, execution_id=execution_id, block_id=node.node_id, epoch=0,
                          agent_id=node.block.agent_id if node.block else None,
                          pending_edges=tuple(edge_entry(name, 0) for name in node.predecessors))


def decide_edge(block: BlockExecution, entry: str, satisfied: bool) -> BlockExecution:
    """Take one edge out of those pending and count it; an edge that is not pending changes nothing."""
    if entry not in block.pending_edges:
        return block
    return replace(block, pending_edges=tuple(edge for edge in block.pending_edges if edge != entry),
                   satisfied=block.satisfied + satisfied)


def settle(block: BlockExecution, node: Node, at: datetime, lease: timedelta) -> BlockExecution | None:
    """Return the pending block as it goes on once enough of its edges are decided; None while it has to wait.

    Enough are all, if one of them is satisfied or there was none; or as many satisfied ones as its join policy asks
    for. When all are decided and these were too few, it is skipped. What is nobody's work completes at once: a join of
    the compiler, and a block whose output was supplied.
    """
    if block.status is not BlockStatus.PENDING:
        return None
    if block.satisfied < node.needed:
        if block.pending_edges:
            return None
        cause = "too_few_satisfied" if block.satisfied else "no_edge_satisfied"
        return _end(block, BlockStatus.SKIPPED, at, lease, cause=cause)
    if block.pending_edges and not node.is_early:
        return None
    if node.is_join:
        return _end(block, BlockStatus.COMPLETED, at, lease, cause="joined")
    if block.supplied is not None:
        chosen = block.supplied["chosen"]
        return _end(block, BlockStatus.COMPLETED, at, lease, cause="supplied", output=block.supplied["output"],
                    chosen=None if chosen is None else tuple(chosen))
    return _ready(block, at, lease, cause="edges_satisfied")


def is_claimable(block: BlockExecution, epoch: int, at: datetime) -> bool:
    """Say whether a block may be claimed: ready, or its owner's lease has expired.

    Args:
        epoch: that of the message; a block that was run again since may be claimed as well, for it is ready.
    """
    return block.epoch >= epoch and (block.status is BlockStatus.READY or has_lost_owner(block, at))


def has_lost_owner(block: BlockExecution, at: datetime) -> bool:
    """Say whether a running block's lease has expired."""
    return block.status is BlockStatus.RUNNING and block.lease_until is not None and block.lease_until <= at


def claim(block: BlockExecution, owner: str, at: datetime, lease: timedelta) -> BlockExecution:
    """Make somebody the owner for the length of a lease."""
    lost = block.status is BlockStatus.RUNNING
    return _change(block, "block_started", BlockStatus.RUNNING, at, fence=block.fence + 1, lease_owner=owner,
                   lease_until=at + lease, due_at=at + lease, attempt=block.attempt + 1,
                   lost_leases=block.lost_leases + lost, started_at=block.started_at or at,
                   cause="lease_expired" if lost else "claimed")


def undo_claim(block: BlockExecution, at: datetime, lease: timedelta, cause: str) -> BlockExecution:
    """Give a claim back: the block may not run now. The sweep goes on sending it ever more rarely."""
    return _ready(block, at, lease, cause=cause, attempt=block.attempt - 1, sent=block.sent)


def wait_for_permit(block: BlockExecution, name: str, at: datetime, lease: timedelta) -> BlockExecution:
    """Give a claim back: all permits of a name are held by others. Who gives one back sends the block."""
    return _ready(block, at, lease, cause="no_permit", attempt=block.attempt - 1, waits_for=name,
                  starts_at=block.starts_at, told={"waitsFor": name})


def wait_for_rate(block: BlockExecution, starts_at: datetime, at: datetime, lease: timedelta) -> BlockExecution:
    """Give a claim back: its agent was called often enough. The sweep sends the block when it may start."""
    return _ready(block, at, lease, cause="rate_limited", attempt=block.attempt - 1, due_at=starts_at,
                  starts_at=starts_at, told={"startsAt": starts_at.isoformat(timespec="milliseconds")})


def admit(block: BlockExecution, permits: tuple[str, ...]) -> BlockExecution:
    """Remember which permits it has, and that it waits for nothing; stored with the next transition."""
    return replace(block, permits=permits, waits_for=None, starts_at=None)


def hand_back(block: BlockExecution, at: datetime, lease: timedelta) -> BlockExecution:
    """Give a running block back because its worker has to end.

    Whoever claims it next calls the agent with the same key and joins the same work. The attempt stays counted: the
    agent may be at work, and who gives the block up has to know.
    """
    return _ready(block, at, lease, cause="worker_stopping")


def park(block: BlockExecution, kind: WaitKind, at: datetime, lease: timedelta, *, called: bool) -> BlockExecution:
    """Let the block wait without a worker.

    Args:
        called: whether the agent was called; otherwise the attempt is taken back.
    """
    return _change(block, "block_parked", kind.parked_status, at, **_NO_LEASE, due_at=at + lease, parked_for=kind,
                   attempt=block.attempt - (not called), cause=kind.value)


def next_round(block: BlockExecution) -> BlockExecution:
    """Let the loop come to its next round; stored with the park that follows."""
    return replace(block, round=block.round + 1)


def wake(block: BlockExecution, at: datetime, lease: timedelta, cause: str) -> BlockExecution:
    """Make a block that was parked, or waited for a retry, ready again."""
    return _ready(block, at, lease, cause=cause)


def wait_for_retry(block: BlockExecution, failure: Failure, due_at: datetime, at: datetime,
                   reason: str) -> BlockExecution:
    """Let the block wait for its next attempt."""
    return _change(block, "block_retry_scheduled", BlockStatus.RETRY_WAIT, at, **_NO_LEASE, due_at=due_at, sent=0,
                   retry_at=due_at, parked_for=None, error=failure.to_document(), retry_count=block.retry_count + 1,
                   cause=reason, told={"dueAt": due_at.isoformat(timespec="milliseconds")})


def complete(block: BlockExecution, output: Mapping[str, Any], chosen: tuple[str, ...] | None, at: datetime,
             lease: timedelta, cause: str = "agent_answered") -> BlockExecution:
    """End the block with its output and the branches that it chose."""
    return _end(block, BlockStatus.COMPLETED, at, lease, output=output, chosen=chosen, error=None, cause=cause)


def fail(block: BlockExecution, failure: Failure, at: datetime, lease: timedelta) -> BlockExecution:
    """End the block with a failure that no retry mended."""
    return _end(block, BlockStatus.FAILED, at, lease, error=failure.to_document(), cause=failure.code)


def reject(block: BlockExecution, by: str | None, comments: str | None, at: datetime,
           lease: timedelta) -> BlockExecution:
    """End the block because a person said no."""
    error = {"code": "rejected", "message": comments or "Rejected.", "by": by}
    return _end(block, BlockStatus.REJECTED, at, lease, error=error, cause="rejected",
                attempt=block.attempt - 1)


def skip(block: BlockExecution, at: datetime, lease: timedelta) -> BlockExecution:
    """End the block without a call because its guard is false."""
    return _end(block, BlockStatus.SKIPPED, at, lease, cause="guard_false", attempt=block.attempt - 1)


def withdraw(block: BlockExecution, at: datetime, lease: timedelta, cause: str) -> BlockExecution:
    """End the block without a result while its execution goes on without it; its fence grows as that of a cancel."""
    return _end(block, BlockStatus.SKIPPED, at, lease, cause=cause, fence=block.fence + 1)


def cancel(block: BlockExecution, at: datetime, lease: timedelta, cause: str) -> BlockExecution:
    """End the block without a result; its fence grows, so that nothing told of it before counts as newer."""
    return _end(block, BlockStatus.CANCELLED, at, lease, cause=cause, fence=block.fence + 1)


def with_input(block: BlockExecution, resolved: Mapping[str, Any]) -> BlockExecution:
    """Remember what the agent is given; stored with the next transition."""
    return replace(block, input=resolved)


def at_rest(block: BlockExecution) -> BlockExecution:
    """Return a parked or ended block as it is when all has been done about it."""
    return replace(block, due_at=None, released=block.status.is_terminal)


def restart(block: BlockExecution, epoch: int, pending_edges: Iterable[str], at: datetime, *, agent_id: str | None,
            supplied: Mapping[str, Any] | None = None) -> BlockExecution:
    """Begin a new epoch: pending, all edges open again, nobody's.

    Args:
        agent_id: the agent that does it now.
        supplied: what is taken instead of its run; None for nothing.
    """
    fresh = BlockExecution(workspace_id=block.workspace_id, execution_id=block.execution_id, block_id=block.block_id,
                           agent_id=agent_id)
    opened = replace(fresh, version=block.version, epoch=epoch, fence=block.fence + 1, outbox=block.outbox,
                     pending_edges=tuple(pending_edges), supplied=supplied, due_at=at)
    return _record(opened, "block_reset", at, previous=block.status, cause="restart" if supplied is None else "skip")


def keep(block: BlockExecution, at: datetime) -> BlockExecution:
    """Make a new version of an ended block, so that a restart which was given up and still knows the old one fails."""
    return _record(replace(block, due_at=at), "block_kept", at, previous=block.status, cause="restart_given_up")


_NO_LEASE: Mapping[str, Any] = {"lease_owner": None, "lease_until": None}
_NOTHING: Mapping[str, Any] = {}


def _ready(block: BlockExecution, at: datetime, lease: timedelta, cause: str, **fields: Any) -> BlockExecution:
    changes = {**_NO_LEASE, "due_at": at + lease, "sent": 0, "retry_at": None, "waits_for": None,
               "starts_at": None, **fields}
    return _change(block, "block_ready", BlockStatus.READY, at, cause=cause, **changes)


def _end(block: BlockExecution, status: BlockStatus, at: datetime, lease: timedelta, cause: str,
         **fields: Any) -> BlockExecution:
    # the clock of the process that ends it may be behind that of the one that began it
    ended_at = at if block.started_at is None else max(at, block.started_at)
    return _change(block, f"block_{status.value}", status, at, **_NO_LEASE, due_at=at + lease, completed_at=ended_at,
                   retry_at=None, waits_for=None, starts_at=None, released=False, cause=cause, **fields)


def _change(block: BlockExecution, event_type: str, status: BlockStatus, at: datetime, cause: str,
            told: Mapping[str, Any] = _NOTHING, **fields: Any) -> BlockExecution:
    check(BLOCK_TRANSITIONS, "block", block.id, block.status, status)
    return _record(replace(block, status=status, **fields), event_type, at, previous=block.status, cause=cause,
                   told=told)


def _record(block: BlockExecution, event_type: str, at: datetime, previous: BlockStatus, cause: str,
            told: Mapping[str, Any] = _NOTHING) -> BlockExecution:
    """Return the changed block as a new version with its event.

    Args:
        told: what else the event says.
    """
    event = Event(type=event_type, workspace_id=block.workspace_id, execution_id=block.execution_id,
                  block_id=block.block_id, source=block.id, version=block.version + 1, at=at,
                  payload={"from": previous.value, "cause": cause, **told, **replayed(block)})
    return replace(block, version=block.version + 1, outbox=(*block.outbox, event))


def replayed(block: BlockExecution) -> dict[str, Any]:
    """Return what the events of a block, replayed, give of it (JSON)."""
    return {"status": block.status.value, "epoch": block.epoch, "fence": block.fence, "attempt": block.attempt,
            "retryCount": block.retry_count, "lostLeases": block.lost_leases, "error": block.error,
            "chosen": list(block.chosen) if block.chosen is not None else None}
