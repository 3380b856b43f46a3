"""The part of the matrix in which the broker matters, on RabbitMQ and with workers that are pools of processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.chaos.matrix import failpoint_cells, fault_cells, message_cells
from tests.chaos.matrix.processes import kill_all, start_all
from tests.chaos.matrix.scene import Play, Scene
from tests.support import faults
from tests.support.cluster import Cluster, running_cluster
from tests.support.rabbitmq import require_rabbitmq, running_rabbitmq

pytestmark = pytest.mark.acceptance

_MOMENTS = ("claimed", "agent_called", "ready", "parked")
_FAULTS = (faults.kill_child, faults.kill_worker, faults.kill_broker, faults.flush_broker, faults.freeze_broker)
CELLS = {
    **{f"child-{moment}": failpoint_cells.in_process("blocks", moment) for moment in _MOMENTS},
    **{f"{fault.__name__}-at_work": fault_cells.at_work(fault) for fault in _FAULTS},
    "messages-twice": message_cells.twice,
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running service on RabbitMQ; chords are counted in Valkey."""
    require_rabbitmq()
    with running_rabbitmq(tmp_path_factory.mktemp("broker")) as broker, \
            running_cluster(tmp_path_factory.mktemp("cluster"), rabbitmq=broker) as running:
        start_all(running, pool="prefork", concurrency=4)
        yield running
        kill_all(running)


@pytest.mark.parametrize("play", [pytest.param(play, id=name) for name, play in CELLS.items()])
def test_cell(scene: Scene, play: Play) -> None:
    play(replace(scene, parents={"web", "blocks"}))
