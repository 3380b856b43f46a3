"""Cells in which something breaks from outside: while agents are at work, or while every execution asks a person."""

from __future__ import annotations

from collections.abc import Mapping

from tests.chaos.matrix.processes import start_worker
from tests.chaos.matrix.scene import Play, Scene
from tests.support import faults
from tests.support.faults import Fault

_AT_WORK: tuple[Fault, ...] = (
    faults.kill_worker, faults.kill_control, faults.kill_beat, faults.kill_web, faults.kill_broker,
    faults.flush_broker, faults.freeze_broker, faults.flush_results, faults.kill_database, faults.cut_database)
_AT_THE_GATE: tuple[Fault, ...] = (faults.kill_broker, faults.kill_database)
_WITH_A_SECOND_WORKER: Mapping[str, Fault] = {"threads": faults.freeze_worker, "prefork": faults.kill_child}
SECOND = "blocks2"
"""The name of a worker that one cell alone has."""


def at_work(fault: Fault) -> Play:
    """Return the cell in which something breaks while the agents are at work."""
    def play(scene: Scene) -> None:
        scene.begin()
        scene.reach_work()
        fault(scene.cluster)
        scene.finish()
    return play


def at_the_gate(fault: Fault) -> Play:
    """Return the cell in which something breaks while every execution waits for a person."""
    def play(scene: Scene) -> None:
        scene.begin()
        scene.reach_gate()
        fault(scene.cluster)
        scene.finish()
    return play


def with_second_worker(pool: str, fault: Fault) -> Play:
    """Return the cell in which something breaks while two workers work; a frozen one comes back to what is not its."""
    def play(scene: Scene) -> None:
        start_worker(scene.cluster, SECOND, "blocks", pool=pool, concurrency=2)
        scene.begin()
        scene.reach_work()
        fault(scene.cluster)
        scene.finish()
    return play


def with_second_control(scene: Scene) -> None:
    """Two workers repair at once, and one of them is killed, while the worker for blocks is replaced in good order."""
    start_worker(scene.cluster, SECOND, "control", concurrency=2)
    scene.begin()
    scene.reach_work()
    faults.kill_control(scene.cluster)
    scene.cluster.processes["blocks"].restart()
    scene.finish()


CELLS: Mapping[str, Play] = {
    **{f"{fault.__name__}-at_work": at_work(fault) for fault in _AT_WORK},
    **{f"{fault.__name__}-at_the_gate": at_the_gate(fault) for fault in _AT_THE_GATE},
    **{f"{fault.__name__}-with_a_second_worker": with_second_worker(pool, fault)
       for pool, fault in _WITH_A_SECOND_WORKER.items()},
    "restart_worker-with_a_second_control": with_second_control,
}
