"""Cells in which agents fail, hang, take longer than a lease, or do their work and can't say so."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from sandbox.servers.process import RunningServer
from tests.chaos.matrix.processes import again, start_worker
from tests.chaos.matrix.reply_loss import LosesReplies
from tests.chaos.matrix.scene import Play, Scene

_SILENCE = timedelta(seconds=2)
_LOST = 4
_BROKEN = {"failWith": {"code": "broken", "class": "transient", "message": "It is broken.", "status": 500}}


def answers_500(scene: Scene) -> None:
    """Several agents answer 500 before they do their work."""
    scene.begin(left={"failTimes": 2, **_BROKEN}, middle={"failTimes": 1, **_BROKEN}, join={"failTimes": 1, **_BROKEN})
    scene.finish()


def answers_500_for_ever(scene: Scene) -> None:
    """An agent answers 500 until nobody asks it any more: its execution fails, and leaves nothing open."""
    scene.begin(left={"failTimes": 1000, **_BROKEN})
    scene.finish("failed")


def is_slower_than_the_lease(scene: Scene) -> None:
    """An agent works for longer than a lease: its worker holds on to the block."""
    slow_ms = scene.cluster.lease * 2.5 // timedelta(milliseconds=1)
    scene.begin(middle={"delayMs": slow_ms})
    scene.finish()
    assert not [block.id for one in scene.risks for block in scene.records.of(one).blocks if block.lost_leases]


def hangs(scene: Scene) -> None:
    """The Agent Service takes requests and says nothing for a while."""
    scene.begin()
    scene.reach_work()
    service = scene.cluster.agents.process
    service.kill(signal.SIGSTOP)
    try:
        time.sleep(_SILENCE.total_seconds())  # the silence is the fault
    finally:
        service.kill(signal.SIGCONT)
    scene.finish()


def is_killed(scene: Scene) -> None:
    """The Agent Service is killed while it works, and comes back with its journal."""
    scene.begin()
    scene.reach_work()
    again(scene.cluster.agents.process)
    scene.finish()


def loses_replies(scene: Scene) -> None:
    """Agents do their work, and the answers are lost: asked again, they give them and do nothing twice."""
    direct = scene.cluster.agents
    with LosesReplies(direct.url) as proxy:
        _restart_worker(scene, replace(direct, url=proxy.url))
        try:
            scene.begin()
            scene.reach_work()
            proxy.arm(_LOST)
            scene.finish()
        finally:
            _restart_worker(scene, direct)
    assert proxy.lost == _LOST, f"{proxy.lost} replies were lost"


def _restart_worker(scene: Scene, agents: RunningServer) -> None:
    """Let the worker find the Agent Service elsewhere."""
    scene.cluster.agents = agents
    scene.cluster.processes["blocks"].kill()
    start_worker(scene.cluster, "blocks", "blocks")


CELLS: Mapping[str, Play] = {f"agent-{play.__name__}": play for play in (
    answers_500, answers_500_for_ever, is_slower_than_the_lease, hangs, is_killed, loses_replies)}
