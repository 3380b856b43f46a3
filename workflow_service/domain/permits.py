"""Permits: the one concept behind every limit of "at most so many at once", across executions.

A named set of permits is held by block executions, each in one of its epochs, and has a queue of those who wait. A
block holds its permits from before its agent is called until it ends or is reset: also while it is parked at an agent,
while its lost worker is replaced, and while it waits for a retry, because a failed call does not say that the agent has
stopped, and a half-done change is nothing that others should find. A block that has to wait holds no permit unless its
agent was called before, and the names are always asked for in one order, so no two blocks wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.ids import idempotency_key
from workflow_service.domain.statuses import BlockStatus, WaitKind

LONGEST_NAME = 500
"""Characters of a mutex's name once its expressions are resolved."""
MUTEX, AGENT = KINDS = "mutex", "agent"
"""The kinds of permits: the first part of the names of their pools."""


@dataclass(frozen=True, kw_only=True)
class Claimant:
    """A block execution in one of its epochs."""

    workspace_id: str
    execution_id: str
    block_id: str
    epoch: int

    @property
    def key(self) -> str:
        """What no other claimant has."""
        return idempotency_key(self.execution_id, self.block_id, self.epoch)


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The permits of one name: who holds one, and who waits for one."""

    name: str
    holders: Mapping[Claimant, int] = field(default_factory=lambda: MappingProxyType({}))
    """Each with the fence of the claim that took or confirmed its permit last."""
    waiting: tuple[Claimant, ...] = ()
    """The first is the next."""


def mutex_permits(workspace_id: str, name: str) -> str:
    """Return the name of the permits of a mutex; a workspace has its own."""
    return f"{MUTEX}:{workspace_id}:{name}"


def agent_permits(agent_id: str) -> str:
    """Return the name of the permits of an agent; all workspaces share them."""
    return f"{AGENT}:{agent_id}"


def kind_of(name: str) -> str:
    """Return the kind of the permits of a name."""
    return name.partition(":")[0]


def claimant_of(block: BlockExecution) -> Claimant:
    """Return who a block execution is in its present epoch."""
    return Claimant(workspace_id=block.workspace_id, execution_id=block.execution_id, block_id=block.block_id,
                    epoch=block.epoch)


def take(pool: Pool, claimant: Claimant, fence: int, limit: int) -> Pool | None:
    """Return the pool as it is when a claimant has one; None if it gets none.

    It gets one if it has one already, by no later claim, or if one is free and nobody waits before it.
    """
    if claimant in pool.holders:
        return _held(pool, claimant, fence) if pool.holders[claimant] <= fence else None
    if len(pool.holders) >= limit or pool.waiting[:1] not in ((), (claimant,)):
        return None
    return _held(pool, claimant, fence)


def was_parked_at_work(block: BlockExecution) -> bool:
    """Say whether a block was parked, in this attempt, after it had begun: it has what it needs."""
    return block.parked_for not in (None, WaitKind.APPROVAL)


def is_at_work(block: BlockExecution) -> bool:
    """Say whether somebody may be at work on a block of this epoch, or its work may be half done."""
    if block.status.is_terminal or block.status is BlockStatus.PENDING:
        return False
    return block.status is BlockStatus.RUNNING or block.attempt > 0 or was_parked_at_work(block)


def is_current(claimant: Claimant, block: BlockExecution | None) -> bool:
    """Say whether a claimant may still hold a permit.

    Args:
        block: as it stands; None if there is none any more.
    """
    return block is not None and block.epoch == claimant.epoch and is_at_work(block)


def _held(pool: Pool, claimant: Claimant, fence: int) -> Pool:
    return Pool(name=pool.name, holders={**pool.holders, claimant: fence},
                waiting=tuple(one for one in pool.waiting if one != claimant))
