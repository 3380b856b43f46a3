"""Beginnings and ends that the tests of the protocol share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support.protocol.templates import template
from tests.support.protocol.world import WORKSPACE, World
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus


def fresh(worlds: list[World], *blocks: Mapping[str, Any], **settings: Any) -> World:
    """Return a world with a template of these blocks, whose execution has not begun."""
    world = World(document=template("t", *blocks, **settings))
    worlds.append(world)
    return world


def started(worlds: list[World], *blocks: Mapping[str, Any], context: Mapping[str, Any] | None = None,
            **settings: Any) -> World:
    """Return a world whose execution was started, with its first messages on their way."""
    world = fresh(worlds, *blocks, **settings)
    world.state.shared = dict(context or {})
    world.start(world.processes[0])
    world.run_all()
    return world


def operated(world: World, word: str, name: str = "", by: int = 1) -> None:
    """Let an operator act, from beginning to end."""
    world.operate(world.processes[by], word, name)
    world.stage.lead(f".{word}(")


def settles(world: World) -> None:
    """Let all come to its end, and see to it that nothing is wrong then."""
    world.run_all()
    world.settle_down()
    wrong = world.wrong()
    assert not wrong, "\n".join([*wrong, "", *world.trace])


def ends(world: World, status: ExecutionStatus, **blocks: BlockStatus) -> None:
    """Let all come to its end, and see to it that it is this one."""
    settles(world)
    assert world.execution is not None and world.execution.status is status, "\n".join(world.trace)
    assert {name: world.block_status(name) for name in blocks} == blocks


def stored(world: World, name: str) -> BlockExecution:
    """Return a block as it is stored."""
    found = world.blocks.get(WORKSPACE, block_execution_id("e", name))
    assert found is not None
    return found
