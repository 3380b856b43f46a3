"""Signals between processes: a signal against a time-out, two blocks that need the same, who dies in between."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from tests.support.protocol.scenes import ends, operated, started, stored
from tests.support.protocol.world import LEASE, WORKSPACE, World
from workflow_service.domain.signal import Signal
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus

B, S = BlockStatus, ExecutionStatus


def awaits(block_id: str, *signals: str, **wait: Any) -> dict[str, Any]:
    """Return a block that waits for signals."""
    return {"blockId": block_id, "waitFor": {"signals": list(signals), **wait}}


def both(block_id: str, *signals: str) -> dict[str, Any]:
    """Return a block that waits for all of some signals."""
    return awaits(block_id, *signals, mode="all")


def parked(worlds: list[World], *blocks: dict[str, Any], **settings: Any) -> World:
    """Return a world in which all blocks wait."""
    world = started(worlds, *blocks, **settings)
    world.work_all()
    world.flush_all()
    assert all(world.block_status(one["blockId"]) is B.AWAITING_SIGNAL for one in blocks)
    return world


def send(world: World, name: str, by: int = 0, key: str | None = None) -> None:
    """Let somebody send a signal, from beginning to end."""
    world.signal(world.processes[by], name, key)
    world.stage.lead(f"sender({name})")


def taken(world: World) -> dict[str, str | None]:
    """Return the signals by name, and which blocks have them."""
    found: Sequence[Signal] = world.signals.of_execution(WORKSPACE, "e")
    return {signal.name: signal.taken_for for signal in found}


def timed_out(world: World, name: str) -> bool:
    """Say whether a block that has completed went on without its signal."""
    output = stored(world, name).output
    assert output is not None
    return bool(output["timedOut"])


@pytest.mark.parametrize("point", ["executions.get", "signals.insert", "waits.open_of", "signals.oldest",
                                   "signals.change", "waits.change", "signals.taken_by", "blocks.get", "blocks.change"])
def test_a_time_out_comes_while_a_signal_is_sent(point: str, worlds: list[World]) -> None:
    world = parked(worlds, awaits("W", "go", timeout=60_000, onTimeout="continue"))
    world.pass_time(timedelta(seconds=61))
    world.signal(world.processes[0], "go")
    world.stage.lead("sender", until=point)
    world.sweep(world.processes[1], "waits")
    world.stage.lead("sweep")
    world.stage.lead("sender")
    ends(world, S.COMPLETED, W=B.COMPLETED)
    assert taken(world) == {"go": None if timed_out(world, "W") else "W"}


@pytest.mark.parametrize("point", ["signals.oldest", "executions.get", "waits.change", "signals.taken_by",
                                   "blocks.change"])
def test_a_signal_comes_while_a_time_out_is_carried_out(point: str, worlds: list[World]) -> None:
    world = parked(worlds, awaits("W", "go", timeout=60_000, onTimeout="continue"))
    world.pass_time(timedelta(seconds=61))
    world.sweep(world.processes[1], "waits")
    world.stage.lead("sweep", until=point)
    send(world, "go")
    world.stage.lead("sweep")
    ends(world, S.COMPLETED, W=B.COMPLETED)
    assert taken(world) == {"go": None if timed_out(world, "W") else "W"}
    assert timed_out(world, "W") is (point in ("signals.taken_by", "blocks.change"))


@pytest.mark.parametrize("point", ["signals.change", "waits.change"])
def test_a_signal_that_is_taken_too_late_is_kept_at_once(point: str, worlds: list[World]) -> None:
    """The time-out was decided when nobody had sent one, and is written while the sender has it for the block."""
    world = parked(worlds, awaits("W", "go", timeout=60_000, onTimeout="continue"))
    world.pass_time(timedelta(seconds=61))
    world.sweep(world.processes[1], "waits")
    world.stage.lead("sweep", until="waits.change")
    world.signal(world.processes[0], "go")
    world.stage.lead("sender", until=point)
    world.stage.lead("sweep")
    world.stage.lead("sender")
    assert taken(world) == {"go": None}
    ends(world, S.COMPLETED, W=B.COMPLETED)
    assert timed_out(world, "W") and taken(world) == {"go": None}


@pytest.mark.parametrize("point", ["waits.insert", "blocks.change", "waits.get", "signals.oldest", "signals.change",
                                   "waits.change", "blocks.get"])
@pytest.mark.parametrize("dies", [False, True])
def test_a_signal_comes_while_the_block_parks(point: str, dies: bool, worlds: list[World]) -> None:
    world = started(worlds, awaits("W", "early", "go"))
    if point in ("signals.change", "waits.change", "blocks.get"):  # only then does the parker come there
        send(world, "early")
    world.work("W", until=point)
    send(world, "go", by=1)
    if dies:
        world.crash(world.processes[0])
    else:
        world.run_all()
    ends(world, S.COMPLETED, W=B.COMPLETED)
    assert list(taken(world).values()).count("W") == 1


def test_of_two_that_need_the_same_one_gets_it(worlds: list[World]) -> None:
    """Both senders look for both blocks at the same time."""
    world = parked(worlds, both("V", "x", "y"), both("W", "x", "y"))
    for number, name in enumerate(("x", "y")):
        world.signal(world.processes[number], name)
        world.stage.lead(f"sender({name})", until="waits.open_of")
    world.run_all()
    world.work_all()
    world.flush_all()
    assert {world.block_status("V"), world.block_status("W")} == {B.AWAITING_SIGNAL, B.COMPLETED}
    assert len(set(taken(world).values())) == 1
    operated(world, "cancel")
    ends(world, S.CANCELLED)


def half_taken(worlds: list[World]) -> World:
    """Return a world in which a dead process took one of two signals for a block, and the other went to another one."""
    world = parked(worlds, both("V", "x", "y"), both("W", "y", "z"))
    send(world, "x")
    world.signal(world.processes[0], "y")
    world.stage.lead("sender(y)", until="signals.change")
    world.stage.step(next(actor for actor in world.stage.actors if "sender(y)" in actor.name))
    send(world, "z", by=1)
    world.crash(world.processes[0])
    world.pass_time(LEASE)
    for process in world.processes:
        world.sweep(process, "waits")
        world.stage.lead("sweep")
    world.work_all()
    world.flush_all()
    assert (world.block_status("V"), world.block_status("W")) == (B.AWAITING_SIGNAL, B.COMPLETED)
    assert taken(world) == {"x": "V", "y": "W", "z": "W"}
    return world


def test_what_was_taken_is_used_when_the_rest_comes(worlds: list[World]) -> None:
    world = half_taken(worlds)
    send(world, "y", key="again")
    ends(world, S.COMPLETED, V=B.COMPLETED)


def test_what_was_taken_is_given_back_by_a_cancel(worlds: list[World]) -> None:
    world = half_taken(worlds)
    operated(world, "cancel")
    ends(world, S.CANCELLED, V=B.CANCELLED)
    assert taken(world) == {"x": None, "y": "W", "z": "W"}


def test_what_was_taken_is_given_back_by_a_restart(worlds: list[World]) -> None:
    """And found by the wait of the next epoch, whose other half comes then."""
    world = half_taken(worlds)
    operated(world, "restart", "V")
    world.work_all()
    world.flush_all()
    send(world, "y", key="again")
    ends(world, S.COMPLETED, V=B.COMPLETED)
    assert taken(world)["x"] == "V"
