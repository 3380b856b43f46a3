"""Release: a block that has ended tells its successors, and an end block its execution.

It is idempotent, so that whoever finds a block ended and not released may do it again: an edge is counted once because
its entry is pending once, and whoever sees that none is pending makes the one change from ``pending``.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from workflow_service.domain import blocks
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.outcomes import ends_execution, is_satisfied, is_without_outcome
from workflow_service.domain.plan import Plan
from workflow_service.domain.statuses import FAILURES, BlockStatus
from workflow_service.services.cancellation import Cancellation
from workflow_service.services.claims import Claim, Claims
from workflow_service.services.closing import Closing
from workflow_service.services.finish import Finisher
from workflow_service.services.ports import Clock
from workflow_service.services.sending import Sender
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings

_TRIES = 20
"""How often a successor is read again when others change it; then the sweep releases again."""


@dataclass(kw_only=True)
class _Release:
    """What one release has come to so far."""

    plan: Plan
    ended: deque[BlockExecution]
    """Blocks that have ended and whose successors are to be told."""
    told: list[BlockExecution] = field(default_factory=list)
    ready: list[BlockExecution] = field(default_factory=list)
    claim: Claim | None = None
    """The next block of the run, if it was claimed in the same update that made it ready."""
    waiting: set[str] = field(default_factory=set)
    """Successors that go on waiting, so the execution can't be at its end."""
    complete: bool = True
    """False when a successor was too contended: the block stays unreleased."""


class Releases:
    """Releases ended blocks."""

    def __init__(self, stores: Stores, claims: Claims, sender: Sender, closing: Closing, cancellation: Cancellation,
                 finisher: Finisher, clock: Clock, timings: Timings) -> None:
        """Release blocks of these stores."""
        self._stores = stores
        self._claims = claims
        self._sender = sender
        self._closing = closing
        self._cancellation = cancellation
        self._finisher = finisher
        self._clock = clock
        self._timings = timings

    def release(self, plan: Plan, source: BlockExecution, *, brought: str | None = None,
                stay: bool = False) -> Claim | None:
        """Tell the successors of an ended block, dispatch what became ready, and close the execution if that was all.

        Args:
            brought: a block that the canvas delivers, so it is not dispatched.
            stay: whether the caller goes on with the next block of the run if it becomes ready.

        Returns:
            The claim of that next block.
        """
        release = _Release(plan=plan, ended=deque([source]))
        while release.ended:
            self._tell_successors(release, release.ended.popleft(), stay)
        if ends_execution(plan, source):
            self._cancellation.end(plan, source)
        self._sender.send(plan, release.ready, brought)
        if not release.ready and release.claim is None and (plan.may_park or not release.waiting):
            self._closing.settle(plan, source.workspace_id, source.execution_id)
        if release.complete:
            self._finisher.rest(*release.told, urgent=source.status in FAILURES)
        return release.claim

    def _tell_successors(self, release: _Release, source: BlockExecution, stay: bool) -> None:
        if is_without_outcome(release.plan, source):
            self._cancel_descendants(release, source)
        else:
            for name in release.plan.nodes[source.block_id].successors:
                self._tell(release, source, name, stay and release.plan.next_in_run.get(source.block_id) == name)
        release.told.append(source)

    def _tell(self, release: _Release, source: BlockExecution, name: str, stay: bool) -> None:
        """Decide one edge; if it was the last, make the successor ready, skipped or (a compiler's join) completed."""
        node = release.plan.nodes[name]
        satisfied = is_satisfied(release.plan, source, node)
        identifier = block_execution_id(source.execution_id, name)
        several = len(node.predecessors) > 1
        if several:
            self._stores.blocks.pull_edge(source.workspace_id, identifier, source.entry, satisfied)
        for _ in range(_TRIES):
            before = self._read(source, identifier)
            decided = before if several else blocks.decide_edge(before, source.entry, satisfied)
            after = blocks.settle(decided, node, self._clock.now(), self._timings.lease)
            if after is None:
                if not before.status.is_terminal:
                    release.waiting.add(name)
                return
            if self._store(release, before, after, stay):
                return
        release.complete = False

    def _store(self, release: _Release, before: BlockExecution, after: BlockExecution, stay: bool) -> bool:
        if stay and after.status is BlockStatus.READY:
            release.claim = self._claims.take(before, after)
            return release.claim is not None  # otherwise read again: it was given back, or somebody was first
        if not self._stores.blocks.change(before, after):
            return False
        if after.status is BlockStatus.READY:
            release.ready.append(after)
            self._finisher.relay(after)
        else:
            release.ended.append(after)
            release.waiting.discard(after.block_id)  # another edge of it was decided before, in this same release
        return True

    def _cancel_descendants(self, release: _Release, source: BlockExecution) -> None:
        """Cancel all that can't be reached any more; repeated, it walks past those that are cancelled already.

        The source is read again after them: if a restart has reset it meanwhile, what was read may be of the new epoch.
        """
        names = release.plan.descendants(source.block_id)
        found = self._stores.blocks.get_all(source.workspace_id, source.execution_id, names)
        if self._read(source, source.id).epoch != source.epoch:
            return
        for block in found:
            if block.status is BlockStatus.PENDING:
                after = blocks.cancel(block, self._clock.now(), self._timings.lease, f"failed:{source.block_id}")
                if self._stores.blocks.change(block, after):
                    release.told.append(after)
                else:
                    release.complete = False

    def _read(self, source: BlockExecution, identifier: str) -> BlockExecution:
        block = self._stores.blocks.get(source.workspace_id, identifier)
        if block is None:
            raise LookupError(f"block {identifier} is not stored")
        return block
