"""A block that takes longer than Redis waits for its message: it is delivered again, and done once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.cluster import SECRET, Cluster, running_cluster
from tests.support.driver import Driver, effects_of
from tests.support.scenarios import echo, template

pytestmark = pytest.mark.acceptance

PATIENCE = timedelta(seconds=90)
LONG_MS = 12_000
"""Longer than the visibility timeout and the 5 s after which workers look for what was given up."""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A service whose broker waits for two seconds; blocks say for themselves that they take longer."""
    for name, value in {"CELERY_VISIBILITY_TIMEOUT_MS": "2000", "AGENT_SERVICE_TIMEOUT": "1500"}.items():
        monkeypatch.setenv(name, value)
    with running_cluster(tmp_path) as running:
        running.start_web()
        running.start_worker("blocks", "blocks")
        running.start_control()
        yield running


def test_a_message_that_comes_again_does_nothing(cluster: Cluster) -> None:
    # Given: long blocks alone and side by side
    driver, long = Driver(cluster.url, SECRET), {"delayMs": LONG_MS}
    driver.store(template("long", [
        echo("begin"), *(echo(name, ["begin"], timeout=60_000, configuration=long) for name in ("left", "right")),
        echo("end", ["left", "right"])]))
    # When
    started = driver.start("long")
    ended = driver.ended(started, PATIENCE)
    # Then
    assert ended["status"] == "completed"
    received = Counter(re.findall(r"Task blocks\.run\w*\[(\S+)\] received", cluster.processes["blocks"].logs()))
    assert received.most_common(1)[0][1] > 1, "no message was delivered again, so nothing was tried"
    keys = Counter(effect["key"] for effect in effects_of(cluster.agents.url, started))
    assert len(keys) == 4 and set(keys.values()) == {1}
