"""Release: a block that has ended tells its successors, and an end block its execution.

It is idempotent, so that whoever finds a block ended and not released may do it again: what an edge came to is read
from its source, and whoever sees that all are decided makes the one change from ``pending``.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from workflow_service.domain import blocks
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.outcomes import decide_edges, ends_execution, is_without_outcome
from workflow_service.domain.plan import Node, Plan
from workflow_service.domain.routing import Route
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
_SENT_AT_ONCE = 64
"""So many ready blocks are sent before the next ones are made ready, so that work begins meanwhile."""


@dataclass(kw_only=True)
class _Release:
    """What one release has come to so far."""

    plan: Plan
    ended: deque[BlockExecution]
    """Blocks that have ended and whose successors are to be told."""
    told: list[BlockExecution] = field(default_factory=list)
    ready: list[BlockExecution] = field(default_factory=list)
    """What became ready and is still to be sent."""
    stay: bool = False
    """Whether the caller goes on with the next block that becomes ready."""
    route: Route
    """The way on which the caller's work came; what goes another way is not the caller's."""
    goes_on: bool = False
    """True when something became ready."""
    claim: Claim | None = None
    """A block that the caller goes on with, claimed in the same update that made it ready."""
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
            stay: whether the caller goes on with one that becomes ready; it has a worker, and the others need one.

        Returns:
            The claim of that one.
        """
        release = _Release(plan=plan, ended=deque([source]), stay=stay, route=plan.nodes[source.block_id].route)
        while release.ended:
            self._tell_successors(release, release.ended.popleft())
        if ends_execution(plan, source):
            self._cancellation.end(plan, source)
        self._sender.send(plan, release.ready, brought)
        if not release.goes_on and (plan.may_park or not release.waiting):
            self._closing.settle(plan, source.workspace_id, source.execution_id)
        if release.complete:
            self._finisher.rest(*release.told, urgent=source.status in FAILURES)
        return release.claim

    def _tell_successors(self, release: _Release, source: BlockExecution) -> None:
        if is_without_outcome(release.plan, source):
            self._cancel_descendants(release, source)
        else:
            for name in release.plan.nodes[source.block_id].successors:
                self._tell(release, source, name)
                if len(release.ready) >= _SENT_AT_ONCE and self._sender.slot_limit(release.plan) is None:
                    self._sender.send(release.plan, release.ready)
                    release.ready = []
        release.told.append(source)

    def _tell(self, release: _Release, source: BlockExecution, name: str) -> None:
        """Make a successor ready, skipped or (a compiler's join) completed, if the source was the last before it.

        Whoever ends looks at the others after its own end is stored, so the last one sees that all have ended; two that
        end at once may both see it, and the version decides. What an edge came to is read from its source, nothing is
        counted on the way.
        """
        node = release.plan.nodes[name]
        others = _others(node, source)
        names = (source.workspace_id, source.execution_id)
        if others and not node.is_early and self._stores.blocks.first_open(*names, others) is not None:
            release.waiting.add(name)
            return
        sources = (source, *(self._stores.blocks.outlines(*names, others) if others else ()))
        for number in range(_TRIES):
            is_untouched = number == 0 and not others and source.epoch == 1
            before = blocks.created(node, *names) if is_untouched else self._read(
                source, block_execution_id(source.execution_id, name))
            decided = decide_edges(release.plan, before, node, sources)
            after = blocks.settle(decided, node, self._clock.now(), self._timings.lease)
            if after is None:
                if not before.status.is_terminal:
                    release.waiting.add(name)
                return
            if self._store(release, before, after, node):
                return
        release.complete = False

    def _store(self, release: _Release, before: BlockExecution, after: BlockExecution, node: Node) -> bool:
        is_callers = release.stay and not (node.has_gate or node.is_early) and node.route == release.route
        if is_callers and after.status is BlockStatus.READY:
            release.stay = False
            release.claim = self._claims.take(before, after)
            release.goes_on |= release.claim is not None
            return release.claim is not None  # otherwise read again: it was given back, or somebody was first
        if not self._stores.blocks.change(before, after):
            return False
        if after.status is BlockStatus.READY:
            release.goes_on = True
            release.ready.append(after)  # whoever claims it relays that it was ready, and if nobody does, the sweep
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


def _others(node: Node, source: BlockExecution) -> tuple[str, ...]:
    """Return the other blocks before a node, those after the source first: sent later, they are likely to be open."""
    position = node.predecessors.index(source.block_id)
    return node.predecessors[position + 1:] + node.predecessors[:position]
