"""The cache on a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.servers.process import RunningServer
from tests.support.services import running_valkey


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of this module."""
    with running_valkey(tmp_path_factory.mktemp("cache")) as running:
        yield running
