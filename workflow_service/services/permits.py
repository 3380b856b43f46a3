"""Permits in use: blocks take them, wait for them in a queue, and give them back.

Nothing is lost by a death: a permit is held in the name of the block and its epoch, not of a worker, so whoever claims
the block next has it; the sweep takes away what a block holds that has ended or moved on. Whoever gives a permit back
sends the first of the queue, and whoever joined the queue looks once more, so one of the two sees the other. Only the
first of the queue may take a permit, and once it has it sends the next, so nobody is overtaken for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from workflow_service.domain import expressions
from workflow_service.domain import permits as rules
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.errors import ExpressionError
from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.permits import MUTEX, Claimant, Pool, agent_permits, claimant_of, kind_of, mutex_permits
from workflow_service.domain.plan import Plan
from workflow_service.domain.statuses import BlockStatus
from workflow_service.domain.template import Block
from workflow_service.services.plans import Plans
from workflow_service.services.ports import Clock
from workflow_service.services.sending import Sender
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings

_LIMIT = 500
"""The most pools that one sweep looks at."""


class Permits:
    """Gives permits to blocks."""

    def __init__(self, stores: Stores, plans: Plans, sender: Sender, clock: Clock, timings: Timings) -> None:
        """Give those of these stores."""
        self._stores = stores
        self._plans = plans
        self._sender = sender
        self._clock = clock
        self._timings = timings

    def needed(self, execution: BlockExecution, block: Block, variables: Mapping[str, Any]) -> dict[str, int]:
        """Return the names of the permits that a block needs, and how many there are of each.

        A map and a loop need none: each item and each round, which is a block of its own, needs them.

        Raises:
            ExpressionError: the name of its mutex can't be evaluated, or is no name.
        """
        wanted: dict[str, int] = {}
        if is_repeated(block):
            return wanted
        if block.mutex is not None:
            name = _name(expressions.resolve(block.mutex.name, variables))
            wanted[mutex_permits(execution.workspace_id, name)] = block.mutex.permits
        at_once = self._timings.agent_limits.of(block.agent_id).max_concurrent
        if block.agent_id is not None and at_once is not None:
            wanted[agent_permits(block.agent_id)] = at_once
        return wanted

    def take(self, claimed: BlockExecution, wanted: Mapping[str, int]) -> str | None:
        """Take all permits for a claimed block; return the first that is not free, and keep none of those before then.
        """
        taken: list[str] = []
        for name, limit in wanted.items():
            if not self._stores.permits.take(name, claimant_of(claimed), claimed.fence, limit, self._look_at()):
                self.hand_back(claimed, taken)
                return name
            taken.append(name)
        if claimed.waits_for is not None and wanted.get(claimed.waits_for, 1) > 1:
            self.pass_on(claimed.waits_for)  # several may be free
        return None

    def hand_back(self, claimed: BlockExecution, names: Iterable[str]) -> None:
        """Give back what a claimed block took that has to wait after all; what an earlier attempt began with it keeps.
        """
        if claimed.attempt > 1:
            return
        for name in names:
            if self._stores.permits.give_back(name, claimant_of(claimed), claimed.fence):
                self.pass_on(name)

    def is_held_above(self, name: str, ancestors: Collection[str]) -> bool:
        """Say whether nobody but executions that this one is a part of hold the permits: it would wait for itself."""
        pool = self._stores.permits.get(name) if ancestors else None
        return pool is not None and bool(pool.holders) and all(
            holder.execution_id in ancestors for holder in pool.holders)

    def wait(self, claimed: BlockExecution, wanted: Iterable[str], name: str) -> None:
        """Join one queue and leave the others, after the claim was given back.

        Then look once more: a permit may have come free meanwhile.
        """
        claimant = claimant_of(claimed)
        self._stores.permits.queue(name, claimant, self._look_at())
        for other in wanted:
            if other != name and self._stores.permits.unqueue(other, claimant):
                self.pass_on(other)
        self.pass_on(name)

    def remind(self, block: BlockExecution, name: str) -> None:
        """Put a block into its queue if it is not there, because whoever gave its claim back died."""
        if self._stores.permits.queue(name, claimant_of(block), self._look_at()):
            self.pass_on(name)

    def give_back(self, plan: Plan, block: BlockExecution) -> None:
        """Give back what a block held that has ended or is reset; costs nothing if it is not limited.

        Args:
            block: as it was in the epoch that is over.
        """
        node = plan.nodes.get(block.block_id)
        if block.attempt == 0 and block.permits is None or node is None or node.block is None:
            return
        for name in self._held(block, node.block):
            if self._stores.permits.give_back(name, claimant_of(block)):
                self.pass_on(name)

    def pass_on(self, name: str) -> None:
        """Send the first of a queue if a permit is free; take out of the queue who can't begin now."""
        while (pool := self._stores.permits.get(name)) is not None and pool.waiting:
            if not self._is_dealt_with(pool, pool.waiting[0]):
                return

    def repair(self) -> int:
        """Look at the pools whose time has come: take away what nobody holds any more, and send who is next."""
        names = self._stores.permits.due(self._clock.now(), _LIMIT)
        for name in names:
            pool = self._stores.permits.get(name)
            if pool is not None:
                self._take_away(pool)
                self.pass_on(name)
            self._stores.permits.look_again(name, self._look_at())
        return len(names)

    def _take_away(self, pool: Pool) -> None:
        """Take away what blocks hold that are not at work any more; they are read after the pool was."""
        for claimant, fence in pool.holders.items():
            if not rules.is_current(claimant, self._block(claimant)):
                self._stores.permits.give_back(pool.name, claimant, fence)

    def _is_dealt_with(self, pool: Pool, first: Claimant) -> bool:
        """Send the first who waits, or take it out of the queue; True if it is the next one's turn then."""
        block = self._block(first)
        is_present = block is not None and block.epoch == first.epoch
        if block is not None and is_present and block.status is BlockStatus.RUNNING:
            return False  # it is about to take its permit
        waits = block if is_present and block is not None and block.status is BlockStatus.READY else None
        limit = None if waits is None else self._limit(pool.name, waits)
        if waits is not None and limit is not None and (len(pool.holders) >= limit or self._start(waits)):
            return False
        self._stores.permits.unqueue(pool.name, first)
        if waits is not None:
            self._start(waits)  # it needs no permit any more; or it was held, was lifted, and found itself in the queue
        return True

    def _start(self, block: BlockExecution) -> bool:
        """Dispatch a block; False if its execution is held."""
        execution = self._stores.executions.get(block.workspace_id, block.execution_id)
        if execution is None or not execution.may_start(block.agent_id):
            return False
        self._sender.send(self._plans.of(execution), [block])
        return True

    def _limit(self, name: str, block: BlockExecution) -> int | None:
        """Return how many permits there are for a block that waits; None if it does not need one any more."""
        execution = self._stores.executions.get(block.workspace_id, block.execution_id)
        node = None if execution is None else self._plans.of(execution).nodes.get(block.block_id)
        if node is None or node.block is None:
            return None
        if kind_of(name) == MUTEX:
            return None if node.block.mutex is None else node.block.mutex.permits
        return self._timings.agent_limits.of(node.block.agent_id).max_concurrent

    def _held(self, block: BlockExecution, described: Block) -> Iterable[str]:
        """Return what a block may hold: as it noted, else as far as its template alone tells; the sweep sees the rest.
        """
        if block.permits is not None:
            return block.permits
        mutex = described.mutex
        is_computed = mutex is not None and any(expressions.placeholders(mutex.name))
        return self.needed(block, replace(described, mutex=None) if is_computed else described, {})

    def _block(self, claimant: Claimant) -> BlockExecution | None:
        identifier = block_execution_id(claimant.execution_id, claimant.block_id)
        return self._stores.blocks.get(claimant.workspace_id, identifier)

    def _look_at(self) -> datetime:
        return self._clock.now() + self._timings.lease


def is_repeated(block: Block) -> bool:
    """Say whether the work of a block is done several times, by blocks of their own."""
    return block.map is not None or block.loop is not None


def _name(resolved: Any) -> str:
    """Return the name of a mutex from what its template came to.

    Raises:
        ExpressionError: it is no text and no whole number, is empty, or is too long.
    """
    if isinstance(resolved, bool) or not isinstance(resolved, str | int) or not str(resolved).strip():
        raise ExpressionError("The name of the mutex has to be a text or a whole number.")
    if len(str(resolved)) > rules.LONGEST_NAME:
        raise ExpressionError(f"The name of the mutex has more than {rules.LONGEST_NAME} characters.")
    return str(resolved)
