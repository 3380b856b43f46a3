"""Cells in which messages come twice, late, or in an order that nobody sent them in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from celery import Celery

from tasks import names
from tasks.settings import broker_settings
from tests.chaos.matrix.processes import again
from tests.chaos.matrix.scene import Play, Scene
from tests.support.faults import flush_broker
from tests.support.records import WORKSPACE

Message = tuple[str, str, str | None]
"""Execution, block, and the block that the sender says the canvas brings."""
_TIMES = 3


def twice(scene: Scene) -> None:
    """Each block is asked for three times over, in any order, while the agents are at work."""
    scene.begin()
    scene.reach_work()
    _send_shuffled(scene, None)
    scene.finish()


def late(scene: Scene) -> None:
    """Each block is asked for again when its execution waits for a person, and when it has ended."""
    scene.begin()
    scene.reach_gate()
    _send_shuffled(scene, None)
    scene.finish()
    _send_shuffled(scene, None)
    _let_pass(scene)
    scene.finish()


def reordered(scene: Scene) -> None:
    """The worker is away, what was sent is lost, and then everything comes at once from the last block to the first."""
    worker = scene.cluster.processes["blocks"]
    worker.kill()
    scene.begin()
    flush_broker(scene.cluster)
    _send(scene, [(one, block, None) for one in scene.risks for block in reversed(_blocks(scene))])
    again(worker)
    scene.finish()


def lying(scene: Scene) -> None:
    """Messages say that a canvas brings the next block, and there is no canvas."""
    scene.begin()
    scene.reach_work()
    _send_shuffled(scene, "join")
    scene.finish()


def _send_shuffled(scene: Scene, brings: str | None) -> None:
    messages: list[Message] = [(one, block, brings) for one in scene.risks for block in _blocks(scene)] * _TIMES
    scene.cluster.chance.shuffle(messages)
    _send(scene, messages)


def _send(scene: Scene, messages: Iterable[Message]) -> None:
    with Celery(set_as_current=False) as sender:
        sender.conf.update(broker_settings(scene.cluster.broker_url))
        for execution_id, block_id, brings in messages:
            sender.send_task(names.RUN_BLOCK, args=[WORKSPACE, execution_id, block_id, 1, brings], queue=names.BLOCKS,
                             ignore_result=True)


def _blocks(scene: Scene) -> Sequence[str]:
    return list(scene.records.of(next(iter(scene.risks))).plan.nodes)


def _let_pass(scene: Scene) -> None:
    """Let one more execution go through the same queue; it ends after all that was sent before it."""
    before = dict(scene.risks)
    scene.risks.clear()
    scene.begin_again()
    scene.finish()
    scene.risks |= before


CELLS: Mapping[str, Play] = {f"messages-{play.__name__}": play for play in (twice, late, reordered, lying)}
