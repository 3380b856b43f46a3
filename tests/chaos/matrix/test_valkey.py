"""The matrix on Valkey: faults and the moments at which they come, on one cluster that outlives them all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.matrix import agent_cells, clock_cells, command_cells, failpoint_cells, fault_cells, message_cells
from tests.chaos.matrix.processes import kill_all, start_all
from tests.chaos.matrix.scene import Play, Scene
from tests.support.cluster import Cluster, running_cluster
from workflow_service.failpoints.catalogue import BY_NAME

pytestmark = pytest.mark.acceptance

CELLS = {**failpoint_cells.CELLS, **fault_cells.CELLS, **agent_cells.CELLS, **message_cells.CELLS,
         **clock_cells.CELLS, **command_cells.CELLS}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running service on Valkey."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        start_all(running)
        yield running
        kill_all(running)


@pytest.mark.parametrize("play", [pytest.param(play, id=name) for name, play in CELLS.items()])
def test_cell(scene: Scene, play: Play) -> None:
    play(scene)


def test_every_failpoint_has_its_cell() -> None:
    assert [name for name in BY_NAME if not any(name in cell for cell in CELLS)] == []
