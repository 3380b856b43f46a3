"""The State Management Service may be away: blocks go on, and it is told when it is back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from tests.support.cluster import Cluster
from tests.support.driver import Driver, eventually
from tests.support.scenarios import echo, template

pytestmark = [pytest.mark.acceptance,
              pytest.mark.parametrize("cluster", ["valkey"], indirect=True, scope="module")]

PATIENCE = timedelta(seconds=40)


def test_what_it_missed_is_told_later(driver: Driver, cluster: Cluster) -> None:
    # Given
    driver.store(template("missed", [echo("one"), echo("two", ["one"]), echo("three", ["two"])]))
    cluster.state.process.stop()
    # When
    execution_id = driver.start("missed")
    assert driver.ended(execution_id, PATIENCE)["status"] == "completed"
    cluster.state.process.start()

    # Then
    def told() -> dict[str, Any] | None:
        answer = requests.get(f"{cluster.state.url}/workspaces/default/plays/{execution_id}", timeout=5)
        play: dict[str, Any] = answer.json()
        complete = answer.ok and sorted(play["completedBlocks"]) == ["one", "three", "two"]
        return play if complete and play["status"] == "completed" else None

    assert eventually(told, PATIENCE)["templateId"] == "missed"
