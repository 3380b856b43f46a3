"""Each rule of the protocol is needed: with one taken away, a life that is well otherwise goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.support.protocol.templates import block, gate, template
from tests.support.protocol.world import LEASE, World
from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.execution import Execution
from workflow_service.domain.plan import Plan
from workflow_service.domain.statuses import BlockStatus
from workflow_service.domain.wait import Wait
from workflow_service.repositories.memory.blocks import BlocksInMemory
from workflow_service.repositories.memory.executions import ExecutionsInMemory
from workflow_service.services.claims import Claim, Claims
from workflow_service.services.releases import Releases
from workflow_service.services.sweeps import Sweeps
from workflow_service.services.waits import Waits

Seed = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture
def worlds() -> Iterator[list[World]]:
    """Keep the worlds of a test, and end whoever still acts there."""
    made: list[World] = []
    yield made
    for world in made:
        world.stage.close()


def _started(worlds: list[World], *blocks: Mapping[str, Any], **settings: Any) -> World:
    world = World(document=template("t", *blocks, **settings))
    worlds.append(world)
    world.start(world.processes[0])
    world.run_all()
    return world


def _settled(world: World) -> list[str]:
    world.run_all()
    world.settle_down()
    return world.wrong()


def _completion_without_check(patch: pytest.MonkeyPatch) -> None:
    """A result is stored whatever the block's version and fence are by now."""
    careful = BlocksInMemory.change

    def change(self: BlocksInMemory, before: BlockExecution, after: BlockExecution) -> bool:
        stored = self.get(before.workspace_id, before.id)
        if stored is not None and after.status is BlockStatus.COMPLETED:
            before = replace(before, version=stored.version, fence=stored.fence, status=stored.status)
        return careful(self, before, after)

    patch.setattr(BlocksInMemory, "change", change)


def _no_look_after_the_claim(patch: pytest.MonkeyPatch) -> None:
    """Who has claimed a block runs it, without a look at the execution."""
    def look(self: Claims, block: BlockExecution, since_s: float) -> Claim:
        execution = self._execution(block)
        return Claim(plan=self._plans.of(execution), execution=execution, block=block, since_s=since_s)

    patch.setattr(Claims, "_look", look)


def _no_look_after_the_park(patch: pytest.MonkeyPatch) -> None:
    """Who has parked a block does not look whether its wait had fired before."""
    class Blind:
        """Waits that show none while a block is parked."""

        def __init__(self, waits: Any) -> None:
            self._waits = waits

        def get(self, workspace_id: str, identifier: str) -> None:
            """Return nothing."""

        def __getattr__(self, name: str) -> Any:
            return getattr(self._waits, name)

    careful = Waits.park

    def park(self: Waits, claim: Claim, block: BlockExecution, wait: Wait, approval: Approval | None, *,
             called: bool) -> bool:
        seeing = self._stores
        self._stores = replace(seeing, waits=Blind(seeing.waits))
        try:
            return careful(self, claim, block, wait, approval, called=called)
        finally:
            self._stores = seeing

    patch.setattr(Waits, "park", park)


def _no_sweep_of_what_is_not_released(patch: pytest.MonkeyPatch) -> None:
    """The sweep passes by blocks that have ended."""
    careful = Sweeps._repair_block

    def repair(self: Sweeps, block: BlockExecution) -> None:
        if not block.status.is_terminal:
            careful(self, block)

    patch.setattr(Sweeps, "_repair_block", repair)


def _released_before_the_release(patch: pytest.MonkeyPatch) -> None:
    """A block counts as released before its successors are told."""
    careful = Releases.release

    def release(self: Releases, plan: Plan, source: BlockExecution, **more: Any) -> Claim | None:
        self._finisher.rest(source)
        self._finisher.flush()
        return careful(self, plan, source, **more)

    patch.setattr(Releases, "release", release)


def _close_without_check(patch: pytest.MonkeyPatch) -> None:
    """An execution is closed whatever happened to it since it was read."""
    careful = ExecutionsInMemory.change

    def change(self: ExecutionsInMemory, before: Execution, after: Execution) -> bool:
        stored = self.get(before.workspace_id, before.execution_id)
        if stored is not None and after.status.is_terminal:
            before = replace(before, version=stored.version)
        return careful(self, before, after)

    patch.setattr(ExecutionsInMemory, "change", change)


def _edges_without_epoch(patch: pytest.MonkeyPatch) -> None:
    """An edge is known by its source alone."""
    for module in ("domain.blocks", "services.restarts"):
        patch.setattr(f"workflow_service.{module}.edge_entry", lambda block_id, epoch: f"{block_id}:0")


def _slots_are_kept(patch: pytest.MonkeyPatch) -> None:
    """Nobody gives a slot back."""
    patch.setattr(Claims, "leave", lambda self, claim: None)
    patch.setattr(Claims, "free_stale_slots", lambda self, execution: None)


def _slots_are_kept_until_a_sweep(patch: pytest.MonkeyPatch) -> None:
    """Who leaves does not give the slot back."""
    patch.setattr(Claims, "leave", lambda self, claim: None)


def _slow_owner(worlds: list[World]) -> list[str]:
    """An owner is slow; another claims the block; then the result of the first comes."""
    world = _started(worlds, block("A"), block("B", "A"))
    world.work("A", until="blocks.change A:1f1v2/running A:1f1v3/completed")
    world.pass_time(2 * LEASE)
    world.sweep(world.processes[1], "blocks")
    world.stage.lead("sweep")
    world.work("A", by=1, until="executions.get")
    world.stage.lead("p1.worker")
    return _settled(world)


def _message_in_a_pause(worlds: list[World]) -> list[str]:
    """A message comes when the execution is paused."""
    world = _started(worlds, block("A"), block("B", "A"))
    world.operate(world.processes[1], "pause")
    world.run_all()
    world.work("A")
    return _settled(world)


def _early_answer(worlds: list[World]) -> list[str]:
    """A person answers before the block is parked; no sweep comes, only messages."""
    world = _started(worlds, gate("G"))
    world.work("G", until="blocks.change G:1f1v2/running G:1f1v3/awaiting")
    world.answer_all()
    world.stage.lead("decider")
    world.stage.lead("worker")
    world.work_all()
    return [] if world.block_status("G") is BlockStatus.COMPLETED else ["G was not woken"]


def _death_before_the_release(worlds: list[World]) -> list[str]:
    """A worker dies when its block has completed and nobody was told."""
    world = _started(worlds, block("A"), block("B", "A"))
    world.work("A", until="blocks.get w e:B")
    world.crash(world.processes[0])
    return _settled(world)


def _restart_before_the_close(worlds: list[World]) -> list[str]:
    """All has ended; before the execution is closed, an operator restarts it."""
    world = _started(worlds, block("A"))
    world.work("A", until="executions.change")
    world.operate(world.processes[1], "restart", "A")
    world.stage.lead("restart")
    world.stage.lead("worker")
    return _settled(world)


def _release_after_a_restart(worlds: list[World]) -> list[str]:
    """A is restarted when its result was about to be told to D."""
    world = _started(worlds, block("A"), block("B"), block("D", "A", "B"))
    world.work("B")
    world.work("A", until="blocks.pull_edge")
    world.operate(world.processes[1], "restart", "A")
    world.stage.lead("restart")
    world.stage.lead("worker")
    world.work("D")
    return _settled(world)


def _one_after_the_other(worlds: list[World]) -> list[str]:
    """Three blocks share one slot."""
    return _settled(_started(worlds, block("A"), block("B"), block("C"), maxParallelBlocks=1))


def _one_after_the_other_without_sweep(worlds: list[World]) -> list[str]:
    """Three blocks share one slot; no sweep comes, only messages."""
    world = _started(worlds, block("A"), block("B"), block("C"), maxParallelBlocks=1)
    world.work_all()
    return [name for name in "ABC" if world.block_status(name) is not BlockStatus.COMPLETED]


_SEEDS: list[tuple[Seed, Callable[[list[World]], list[str]]]] = [
    (_completion_without_check, _slow_owner), (_no_look_after_the_claim, _message_in_a_pause),
    (_no_look_after_the_park, _early_answer), (_no_sweep_of_what_is_not_released, _death_before_the_release),
    (_released_before_the_release, _death_before_the_release), (_close_without_check, _restart_before_the_close),
    (_edges_without_epoch, _release_after_a_restart), (_slots_are_kept, _one_after_the_other),
    (_slots_are_kept_until_a_sweep, _one_after_the_other_without_sweep)]


@pytest.mark.parametrize(("seed", "life"), _SEEDS, ids=[seed.__name__.strip("_") for seed, _ in _SEEDS])
def test_a_seeded_bug_is_noticed(seed: Seed, life: Callable[[list[World]], list[str]], worlds: list[World],
                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """The same life is well with the rule and goes wrong without it."""
    assert life(worlds) == []
    seed(monkeypatch)
    assert life(worlds) != []
