"""Fixtures of the tests of adapters."""

from collections.abc import Iterator

import pytest

from tests.unit.integrations.rude_server import RudeServer, rude_server


@pytest.fixture
def server() -> Iterator[RudeServer]:
    """Give a server that behaves as scripted."""
    with rude_server() as running:
        yield running
