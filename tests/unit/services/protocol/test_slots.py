"""The slot queue: blocks that share slots all run, whoever dies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.protocol.scenes import ends, started
from tests.support.protocol.templates import block
from tests.support.protocol.world import World
from workflow_service.domain.statuses import ExecutionStatus


@pytest.mark.parametrize("number", range(1, 60, 2))
def test_the_slot_queue_forgets_nobody(number: int, worlds: list[World]) -> None:
    """One of those who run three blocks in one slot dies before one of the calls."""
    world = started(worlds, block("A"), block("B"), block("C"), maxParallelBlocks=1)
    message = world.messages[0]
    for name in "BC":  # as a sweep may send them
        world.messages.append(replace(message, command=replace(message.command, block_id=name)))
    for process in (world.processes[0], world.processes[1], world.processes[0]):
        world.worker(process, world.messages.pop(0))
    for step in range(number):
        if world.stage.actors:
            world.stage.step(world.stage.actors[step % len(world.stage.actors)])
    world.crash(world.processes[0])
    ends(world, ExecutionStatus.COMPLETED)
    assert {work.key for work in world.agent.finished} == {"e:A:1", "e:B:1", "e:C:1"}
