"""What canvases do by themselves, on real processes.

No beat and no worker for sweeps runs here, so what a canvas does not bring nobody brings.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.support.cluster import SECRET, Cluster, running_cluster
from tests.support.driver import Driver
from tests.support.scenarios import echo, gate, template

pytestmark = pytest.mark.acceptance

PATIENCE = timedelta(seconds=30)
_RECEIVED = re.compile(r"Task (blocks\.\w+)\[[0-9a-f-]+\] received")


class Messages:
    """The messages that the worker takes during a test."""

    def __init__(self, cluster: Cluster) -> None:
        """Begin to count."""
        self._worker = cluster.processes["blocks"]
        self._before = len(self._worker.logs())

    def count(self) -> Counter[str]:
        """Return how many there were of each task."""
        return Counter(_RECEIVED.findall(self._worker.logs()[self._before:]))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The API and one worker for blocks."""
    with running_cluster(tmp_path_factory.mktemp("alone")) as running:
        running.start_web()
        running.start_worker("blocks", "blocks")
        yield running


@pytest.fixture(scope="module")
def driver(alone: Cluster) -> Driver:
    """A user with all rights."""
    return Driver(alone.url, SECRET)


@pytest.fixture
def messages(alone: Cluster) -> Messages:
    """What the worker takes from now on."""
    return Messages(alone)


def test_a_line_is_one_message(driver: Driver, messages: Messages) -> None:
    driver.store(template("line", [echo("b0"), *(echo(f"b{number}", [f"b{number - 1}"]) for number in range(1, 20))]))
    assert driver.ended(driver.start("line"), PATIENCE)["status"] == "completed"
    assert messages.count() == {"blocks.run": 1}


def test_a_part_and_the_join_are_done_in_place(driver: Driver, messages: Messages) -> None:
    # Given
    parts = [f"part{number}" for number in range(3)]
    driver.store(template("fork", [echo("begin"), *(echo(part, ["begin"], configuration={"delayMs": 50})
                                                    for part in parts), echo("join", parts), echo("end", ["join"])]))
    # When
    ended = driver.ended(driver.start("fork"), PATIENCE)
    # Then: the beginning went on with a part, and the last of the parts with the join
    assert ended["status"] == "completed"
    assert messages.count() == {"blocks.run": 3}


def test_a_join_of_many_parts_is_done_by_the_last_of_them(driver: Driver, messages: Messages) -> None:
    parts = [f"part{number}" for number in range(70)]
    driver.store(template("wide", [echo("begin"), *(echo(part, ["begin"]) for part in parts), echo("join", parts)],
                          maxParallelBlocks=100))
    assert driver.ended(driver.start("wide"), PATIENCE)["status"] == "completed"
    assert messages.count() == {"blocks.run": len(parts)}


def test_more_parts_than_may_run_at_once_all_get_their_turn(driver: Driver) -> None:
    parts = [f"part{number}" for number in range(12)]
    driver.store(template("narrow", [echo("begin"), *(echo(part, ["begin"]) for part in parts), echo("join", parts)],
                          maxParallelBlocks=2))
    assert driver.ended(driver.start("narrow"), PATIENCE)["status"] == "completed"


def test_a_chord_with_a_part_that_waits_for_a_person_comes_to_its_end(driver: Driver) -> None:
    driver.store(template("asked", [echo("left"), gate("right", []), echo("join", ["left", "right"])]))
    execution_id = driver.start("asked")
    driver.approve(execution_id, PATIENCE, marker="yes")
    assert driver.ended(execution_id, PATIENCE)["status"] == "completed"
