"""Dispatching from a process of its own, while brokers and result backends refuse, freeze or vanish.

Whoever starts an execution or ends a block waits for the dispatch, so it must come back, and at once.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest
import redis

from sandbox.servers.process import RunningServer
from tasks import names
from tests.support.cluster import ROOT
from tests.support.dispatches import LARGEST, SHAPES
from tests.support.driver import eventually
from tests.support.rabbitmq import require_rabbitmq, running_rabbitmq
from tests.support.services import running_valkey
from tests.tasks.nowhere import NOWHERE

pytestmark = pytest.mark.acceptance

AT_ONCE_S = 2
"""No dispatch may take longer, though publishing on an open connection to a frozen broker takes nine seconds."""
PATIENCE = timedelta(seconds=30)
_GIVE_UP_S = 60
REFUSES = NOWHERE["REDIS_URL"]


class Dispatching:
    """A process that dispatches when it is told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Take the process."""
        self._process = process

    def dispatch(self, shape: str) -> tuple[bool, float]:
        """Dispatch a segment; return whether it was sent, and the seconds that that took."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{shape}\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], _GIVE_UP_S)
        assert ready, f"it hangs while it dispatches a {shape}"
        sent, seconds = self._process.stdout.readline().split()
        return sent == "1", float(seconds)


@contextmanager
def dispatching(broker_url: str, backend_url: str) -> Iterator[Dispatching]:
    """Run a process that dispatches to this broker."""
    environment = {**os.environ, **NOWHERE, "REDIS_URL": backend_url, "CELERY_BROKER_URL": broker_url,
                   "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-m", "tests.support.dispatching"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield Dispatching(process)
        finally:
            process.kill()


def warm_up(process: Dispatching, shape: str = "chord") -> None:
    """Return once it has connections that work: to make them may take longer than a dispatch waits."""
    eventually(lambda: process.dispatch(shape)[0] or None, PATIENCE)


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A result backend."""
    with running_valkey(tmp_path_factory.mktemp("backend")) as server:
        yield server


@pytest.fixture(params=["valkey", "rabbitmq"])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A broker of each kind, new for each test: RabbitMQ may take a minute to have its queues back after a kill."""
    start = running_valkey
    if request.param == "rabbitmq":
        require_rabbitmq()
        start = running_rabbitmq
    with start(tmp_path_factory.mktemp("broker")) as server:
        yield server


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[RunningServer]:
    """A broker that keeps its messages in lists that can be read."""
    with running_valkey(tmp_path) as server:
        yield server


def freeze(server: RunningServer) -> None:
    """Let it take connections and answer nothing."""
    server.process.kill(SIGSTOP)


def kill(server: RunningServer) -> None:
    """Let its port refuse."""
    server.process.kill(SIGKILL)


@pytest.fixture
def mended(broker: RunningServer, backend: RunningServer) -> Iterator[None]:
    """Whatever a test did to the servers is undone after it."""
    yield
    for server in (broker, backend):
        server.process.kill(SIGCONT)
        if not server.process.is_running:
            server.process.start()


Fault = Callable[[RunningServer], None]
FAULTS = [pytest.param(freeze, id="frozen"), pytest.param(kill, id="refusing")]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("mended")
def test_a_broker_that_was_there_before(broker: RunningServer, backend: RunningServer, fault: Fault) -> None:
    with dispatching(broker.url, backend.url) as process:
        warm_up(process)
        fault(broker)
        for shape in ("task", "chord", "group", "chain"):
            sent, seconds = process.dispatch(shape)
            assert not sent
            assert seconds < AT_ONCE_S


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("mended")
def test_a_broker_that_was_never_there(broker: RunningServer, backend: RunningServer, fault: Fault) -> None:
    fault(broker)
    with dispatching(broker.url, backend.url) as process:
        for shape in ("task", "group"):
            sent, seconds = process.dispatch(shape)
            assert not sent
            assert seconds < AT_ONCE_S


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.usefixtures("mended")
def test_a_result_backend_is_needed_by_chords_alone(broker: RunningServer, backend: RunningServer, fault: Fault,
                                                    warm: bool) -> None:
    with dispatching(broker.url, backend.url) as process:
        warm_up(process, "chord" if warm else "task")
        fault(backend)
        for shape in ("task", "chain", "group"):  # they count nothing, so they don't need it
            sent, seconds = process.dispatch(shape)
            assert sent
            assert seconds < AT_ONCE_S
        sent, seconds = process.dispatch("chord")
        assert not sent
        assert seconds < AT_ONCE_S


def test_a_broker_that_comes_back(valkey: RunningServer, backend: RunningServer) -> None:
    with dispatching(valkey.url, backend.url) as process:
        warm_up(process)
        kill(valkey)
        assert not process.dispatch("task")[0]
        valkey.process.start()
        warm_up(process)
        valkey.process.kill()
        valkey.process.start()
        warm_up(process)  # on a connection that died meanwhile


def test_what_a_frozen_broker_did_not_take_it_gets_when_it_thaws(valkey: RunningServer) -> None:
    with dispatching(valkey.url, valkey.url) as process:
        warm_up(process)
        freeze(valkey)
        frozen_since = time.monotonic()
        assert not any([process.dispatch("task")[0] for _ in range(20)])
        assert time.monotonic() - frozen_since < 5
        valkey.process.kill(SIGCONT)
        warm_up(process)
        assert len(messages(valkey)) >= 1 + 20 + 1


@pytest.mark.parametrize(("shape", "count"), [("task", 1), ("chain", 1), ("group", 3), ("chord", 3)])
def test_only_what_may_begin_is_sent(valkey: RunningServer, shape: str, count: int) -> None:
    with dispatching(valkey.url, valkey.url) as process:
        process.dispatch(shape)  # by a process that has just begun, which may take longer than it waits
        eventually(lambda: len(messages(valkey)) >= count or None, PATIENCE)
        assert process.dispatch("task")[0]  # so nothing of the other is on its way
    assert len(messages(valkey)) == count + 1


@pytest.mark.parametrize("shape", LARGEST)
def test_no_message_is_large(valkey: RunningServer, shape: str) -> None:
    with dispatching(valkey.url, valkey.url) as process:
        process.dispatch(shape)
        warm_up(process)
    assert max(len(message) for message in messages(valkey)) < 20_000


def test_nobody_subscribes_to_results(valkey: RunningServer) -> None:
    with dispatching(valkey.url, valkey.url) as process, redis.Redis.from_url(valkey.url) as client:
        warm_up(process)
        for shape in SHAPES:
            assert process.dispatch(shape)[0]
        assert client.pubsub_channels() == []


def messages(server: RunningServer) -> list[bytes]:
    """Return the messages in the queue of blocks, each of which is JSON."""
    with redis.Redis.from_url(server.url) as client:
        found: list[bytes] = client.lrange(names.BLOCKS, 0, -1)
    assert all(isinstance(json.loads(message), Mapping) for message in found)
    return found
