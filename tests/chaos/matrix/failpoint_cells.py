"""Cells in which a process ends at a named moment, and is started again; in some of them something else breaks too."""

from __future__ import annotations

from collections.abc import Mapping

from tests.chaos.matrix.scene import Play, Scene
from tests.support import faults
from tests.support.faults import Fault

_WORKER = ("claimed:5", "agent_called", "agent_answered", "completed:3", "edge_decided:2", "joining", "ready:3",
           "retry_stored", "wait_stored", "parked", "relayed:2", "unmarked:2", "closed")
_CONTROL = ("retry_due", "sending", "relayed")
_STARTING = ("execution_stored", "blocks_stored", "execution_started")
_DECIDING = ("decided", "wait_fired", "woken")
_WITH: Mapping[str, Fault] = {
    "completed:2": faults.flush_broker,
    "claimed:3": faults.kill_broker,
    "parked": faults.kill_control,
    "ready:4": faults.kill_database,
    "joining": faults.flush_results,
}
"""What breaks while the worker is gone."""


def in_process(process: str, moment: str) -> Play:
    """Return the cell in which a process that works for executions ends at a moment."""
    def play(scene: Scene) -> None:
        armed = scene.arm(process, moment)
        scene.begin()
        scene.see_end(armed, process)
        scene.revive(process)
        scene.finish()
    return play


def with_fault(moment: str, fault: Fault) -> Play:
    """Return the cell in which the worker ends at a moment, and something else breaks while it is gone."""
    def play(scene: Scene) -> None:
        armed = scene.arm("blocks", moment)
        scene.begin()
        scene.see_end(armed, "blocks")
        fault(scene.cluster)
        scene.revive("blocks")
        scene.finish()
    return play


def while_starting(moment: str) -> Play:
    """Return the cell in which the API ends while it starts an execution."""
    def play(scene: Scene) -> None:
        armed = scene.arm("web", moment)
        scene.begin_unheard()
        scene.see_end(armed, "web")
        scene.revive("web")
        scene.find_unheard()
        scene.finish()
    return play


def while_deciding(moment: str) -> Play:
    """Return the cell in which the API ends while it records what a person decided."""
    def play(scene: Scene) -> None:
        scene.begin()
        scene.reach_gate()
        armed = scene.arm("web", moment)
        scene.answer_one()
        scene.see_end(armed, "web")
        scene.revive("web")
        scene.finish()
    return play


def and_then_control(scene: Scene) -> None:
    """The worker ends when a block has completed, and then what repairs that ends as well."""
    worker, control = scene.arm("blocks", "completed:3"), scene.arm("control", "ready")
    scene.begin()
    scene.see_end(worker, "blocks")
    scene.see_end(control, "control")
    scene.revive("control")
    scene.revive("blocks")
    scene.finish()


CELLS: Mapping[str, Play] = {
    **{f"worker-{moment}": in_process("blocks", moment) for moment in _WORKER},
    **{f"control-{moment}": in_process("control", moment) for moment in _CONTROL},
    **{f"web-{moment}": while_starting(moment) for moment in _STARTING},
    **{f"web-{moment}": while_deciding(moment) for moment in _DECIDING},
    **{f"worker-{moment}-{fault.__name__}": with_fault(moment, fault) for moment, fault in _WITH.items()},
    "worker-completed-control-ready": and_then_control,
}
