"""The worlds of a test, ended with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.protocol.world import World


@pytest.fixture
def worlds() -> Iterator[list[World]]:
    """Keep the worlds of a test, and end whoever still acts there."""
    made: list[World] = []
    yield made
    for world in made:
        world.stage.close()
