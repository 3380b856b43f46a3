"""The stack as a whole, as far as it goes without starting all of it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.stack.directory import StackDirectory
from sandbox.stack.errors import AlreadyRunning, PartFailed, PortInUse
from sandbox.stack.probes import HOST, is_free
from sandbox.stack.stack import running_stack
from sandbox.stack.stopping import StopRequests
from tests.unit.sandbox.stack.conftest import Notes
from tests.unit.sandbox.stack.eventually import eventually


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server((HOST, 0)) as listener:
        yield int(listener.getsockname()[1])


def test_a_port_in_use_is_told_in_a_line(tmp_path: Path, notes: Notes, stopping: StopRequests,
                                         taken_port: int) -> None:
    with pytest.raises(PortInUse, match=f"Port {taken_port} is in use") as caught:
        with running_stack(tmp_path, os.environ, taken_port, stopping, lambda _: notes):
            pass
    assert "\n" not in str(caught.value)


def test_a_second_stack_in_a_directory_is_refused(tmp_path: Path, notes: Notes, stopping: StopRequests) -> None:
    with StackDirectory.below(tmp_path).held(), pytest.raises(AlreadyRunning):
        with running_stack(tmp_path, os.environ, None, stopping, lambda _: notes):
            pass


def test_a_setting_that_is_wrong_names_the_part_and_leaves_nothing(tmp_path: Path, notes: Notes,
                                                                   stopping: StopRequests) -> None:
    environ = {**os.environ, "WORKFLOW_LEASE_MS": "soon", "AGENT_SERVICE_URL": "http://127.0.0.1:9",
               "STATE_SERVICE_URL": "http://127.0.0.1:9", "REDIS_URL": "redis://127.0.0.1:9",
               "MONGODB_URL": "mongodb://127.0.0.1:9/w"}
    with pytest.raises(PartFailed, match="WORKFLOW_LEASE_MS"):
        with running_stack(tmp_path, environ, None, stopping, lambda _: notes):
            pass
    assert StackDirectory.below(tmp_path).record() is None


def test_a_port_is_free_again_after_its_server(taken_port: int) -> None:
    assert not is_free(taken_port)
    with socket.create_server((HOST, 0)) as listener:
        port = int(listener.getsockname()[1])
        with socket.create_connection((HOST, port), timeout=5):
            listener.accept()[0].close()
    assert eventually(lambda: is_free(port))
