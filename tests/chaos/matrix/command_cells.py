"""Cells in which an operator pauses, cancels or restarts, and something breaks in the middle of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import requests

from tests.chaos.matrix.scene import Play, Scene
from tests.support import faults
from tests.support.faults import Fault

_RESTARTING = ("restart_intended", "block_reset:4", "restart_ended")
_FROM = "merge"
_WITH_CANCEL: Mapping[str, Fault] = {"graceful": faults.kill_worker, "force": faults.kill_control}
_WITH_RESTART: tuple[Fault, ...] = (faults.kill_worker, faults.flush_broker)
_WITH_PAUSE: tuple[Fault, ...] = (faults.kill_worker, faults.kill_web)


def cancelled_by_the_dead(scene: Scene) -> None:
    """The API ends when it has written that an execution is cancelled."""
    scene.begin()
    scene.reach_work()
    armed = scene.arm("web", "cancelling")
    _all_unheard(scene, "cancel", mode="graceful")
    scene.see_end(armed, "web", answering=False)
    scene.revive("web")
    _all_unheard(scene, "cancel", mode="graceful")
    scene.finish("cancelled")


def cancelled(mode: str, fault: Fault) -> Play:
    """Return the cell in which executions are cancelled while the agents are at work, and something breaks."""
    def play(scene: Scene) -> None:
        scene.begin()
        scene.reach_work()
        _all(scene, "cancel", mode=mode)
        fault(scene.cluster)
        scene.finish("cancelled")
    return play


def restarted_by_the_dead(moment: str) -> Play:
    """Return the cell in which the API ends in the middle of restarting an execution that has ended."""
    def play(scene: Scene) -> None:
        scene.begin()
        scene.finish()
        armed = scene.arm("web", moment)
        first = next(iter(scene.risks))
        with suppress(requests.RequestException):
            scene.driver.post(f"/executions/{first}/restart", {"fromBlock": _FROM})
        scene.see_end(armed, "web")
        scene.revive("web")
        scene.finish()
        assert _epoch(scene, first) == 2
    return play


def restarted(fault: Fault) -> Play:
    """Return the cell in which executions that ask a person are restarted from a block before, and something breaks."""
    def play(scene: Scene) -> None:
        scene.begin()
        scene.reach_gate()
        _all(scene, "restart", fromBlock=_FROM)
        fault(scene.cluster)
        scene.finish()
        assert [_epoch(scene, one) for one in scene.risks] == [2] * len(scene.risks)
    return play


def paused(fault: Fault) -> Play:
    """Return the cell in which executions are paused while the agents are at work, and something breaks."""
    def play(scene: Scene) -> None:
        scene.begin()
        scene.reach_work()
        _all(scene, "pause", clock="stop")
        fault(scene.cluster)
        scene.until(lambda: set(scene.statuses()) == {"paused"})
        _all(scene, "resume")
        scene.finish()
    return play


def _all(scene: Scene, command: str, **body: Any) -> None:
    """Command it for every execution."""
    for one in scene.risks:
        assert scene.driver.post(f"/executions/{one}/{command}", body)["success"]


def _all_unheard(scene: Scene, command: str, **body: Any) -> None:
    """Command it for every execution; nobody may answer, or it may be late for it."""
    for one in scene.risks:
        with suppress(AssertionError, requests.RequestException):
            scene.driver.post(f"/executions/{one}/{command}", body)


def _epoch(scene: Scene, execution_id: str) -> int:
    return scene.records.of(execution_id).by_name[_FROM].epoch


CELLS: Mapping[str, Play] = {
    "cancel-web-cancelling": cancelled_by_the_dead,
    **{f"cancel-{mode}-{fault.__name__}": cancelled(mode, fault) for mode, fault in _WITH_CANCEL.items()},
    **{f"restart-web-{moment}": restarted_by_the_dead(moment) for moment in _RESTARTING},
    **{f"restart-{fault.__name__}": restarted(fault) for fault in _WITH_RESTART},
    **{f"pause-{fault.__name__}": paused(fault) for fault in _WITH_PAUSE},
}
