"""Supervised server processes; the servers are small Python programs."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.servers.errors import ServerDidNotStart
from sandbox.servers.process import ServerCommand, ServerProcess

SERVE = """
import os, pathlib, signal, sys, time
def end(*_):
    print("bye", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("hello from", os.environ["PLACE"], flush=True)
pathlib.Path("READY").touch()
time.sleep(60)
"""
DEAF = """
import pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path("READY").touch()
time.sleep(60)
"""
CHILD = """
import fcntl, pathlib, time
lock = open("READY.lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
pathlib.Path("READY").touch()
time.sleep(60)
"""
PARENT = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {CHILD!r}])
time.sleep(60)
"""
Build = Callable[..., ServerProcess]


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    return tmp_path / "ready"


@pytest.fixture
def build(tmp_path: Path, ready: Path) -> Iterator[Build]:
    built: list[ServerProcess] = []

    def build_one(program: str, within: float = 10, patience: float = 5) -> ServerProcess:
        built.append(ServerProcess(ServerCommand(
            name="a test's server", argv=[sys.executable, "-c", program.replace("READY", str(ready))],
            log=tmp_path / "log", is_ready=ready.exists, environment={"PLACE": "here"},
            ready_within=timedelta(seconds=within), stop_within=timedelta(seconds=patience))))
        return built[-1]

    yield build_one
    for process in built:
        process.stop()


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def has_holder(lock: Path) -> bool:
    with lock.open("w") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def has_changed(pid: int, option: int, into: Callable[[int], bool]) -> bool:
    changed, status = os.waitpid(pid, option | os.WNOHANG)
    return changed == pid and into(status)


def test_a_server_is_ready_after_its_start_and_asked_to_end(build: Build, ready: Path) -> None:
    with build(SERVE) as server:
        assert ready.exists()
        assert os.getsid(server.pid) == server.pid

    assert not server.is_running
    assert server.logs() == "hello from here\nbye\n"


def test_nothing_runs_before_the_start(build: Build) -> None:
    server = build(SERVE)

    server.kill()
    server.stop()

    assert not server.is_running
    assert server.logs() == ""
    with pytest.raises(RuntimeError):
        _ = server.pid


def test_a_server_is_not_started_twice(build: Build) -> None:
    with build(SERVE) as server, pytest.raises(RuntimeError):
        server.start()


def test_a_server_that_ends_at_once_is_reported_with_its_log(build: Build) -> None:
    server = build("print('no such file'); raise SystemExit(3)")

    with pytest.raises(ServerDidNotStart, match=r"(?s)exit code 3.*no such file"):
        server.start()


def test_a_server_that_is_not_ready_in_time_is_stopped(build: Build) -> None:
    server = build("import time; time.sleep(60)", within=0.3)

    with pytest.raises(ServerDidNotStart, match="not ready"):
        server.start()

    assert not server.is_running


def test_a_server_is_not_mistaken_for_another_one(build: Build, ready: Path) -> None:
    ready.touch()

    with pytest.raises(ServerDidNotStart, match="another server"):
        build(SERVE).start()


def test_a_server_that_does_not_listen_is_killed(build: Build) -> None:
    server = build(DEAF, patience=0.3)
    server.start()

    server.stop()

    assert not server.is_running


def test_a_frozen_server_can_be_stopped(build: Build) -> None:
    server = build(SERVE)
    server.start()
    server.kill(signal.SIGSTOP)

    server.stop()

    assert server.logs().endswith("bye\n")


def test_a_frozen_server_still_counts_as_running_and_thaws(build: Build) -> None:
    with build(SERVE) as server:
        server.kill(signal.SIGSTOP)
        assert eventually(lambda: has_changed(server.pid, os.WUNTRACED, os.WIFSTOPPED))
        assert server.is_running

        server.kill(signal.SIGCONT)

        assert eventually(lambda: has_changed(server.pid, os.WCONTINUED, os.WIFCONTINUED))


@pytest.mark.parametrize("end", ["kill", "stop", "leader"])
def test_what_a_server_started_ends_with_it(build: Build, ready: Path, end: str) -> None:
    server = build(PARENT)
    server.start()
    lock = ready.with_name("ready.lock")
    assert has_holder(lock)

    if end == "kill":
        server.kill()
    elif end == "stop":
        server.stop()
    else:
        os.kill(server.pid, signal.SIGKILL)

    assert eventually(lambda: not server.is_running)
    assert eventually(lambda: not has_holder(lock))


def test_a_restart_is_a_new_process_with_the_same_log(build: Build, ready: Path) -> None:
    server = build(SERVE)
    server.start()
    first = server.pid
    ready.unlink()

    server.kill()
    server.restart()

    assert server.is_running and server.pid != first
    assert server.logs() == "hello from here\n" * 2


def test_a_restart_asks_a_running_server_to_end_first(build: Build, ready: Path) -> None:
    server = build(SERVE)
    server.start()
    ready.unlink()

    server.restart()

    assert server.logs() == "hello from here\nbye\nhello from here\n"
