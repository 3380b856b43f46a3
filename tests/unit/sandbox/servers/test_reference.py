"""The reference services as processes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import requests

from sandbox.servers.errors import ServerDidNotStart
from sandbox.servers.ports import free_port
from sandbox.servers.process import RunningServer
from sandbox.servers.reference import reference_answers, reference_server
from tests.support.services import running_agent_service, running_state_service


@pytest.mark.parametrize("running", [running_state_service, running_agent_service])
def test_a_reference_service_serves_until_it_is_stopped(
        tmp_path: Path, running: Callable[[Path], AbstractContextManager[RunningServer]]) -> None:
    with running(tmp_path) as server:
        assert requests.get(f"{server.url}/health", timeout=10).status_code == 200

    assert not server.process.is_running
    assert not reference_answers(int(server.url.rpartition(":")[2]))


def test_a_service_without_its_settings_says_what_is_missing(tmp_path: Path) -> None:
    server = reference_server("sandbox.state_service", free_port(), tmp_path, {"STATE_SERVICE_DATA": ""})

    with pytest.raises(ServerDidNotStart, match="STATE_SERVICE_DATA must name the directory"):
        server.start()
