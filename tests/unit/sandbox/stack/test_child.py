"""Processes that the supervisor starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.stack.child import Child
from tests.unit.sandbox.stack.conftest import STUBBORN
from tests.unit.sandbox.stack.eventually import eventually, is_gone

Start = Callable[[str], Child]
_WAIT = "import time; print('up', flush=True); time.sleep(120)"
_WITH_A_CHILD = ("import subprocess, sys;"
                 "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(120)']);"
                 "print(child.pid, flush=True);")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts Python programs, which are killed at the end of the test."""
    started: list[Child] = []

    def run(program: str) -> Child:
        started.append(Child([sys.executable, "-c", program], dict(os.environ), tmp_path, tmp_path / "a.log"))
        return started[-1]

    yield run
    for child in started:
        child.kill()


def test_tells_how_it_ended(start: Start) -> None:
    child = start("raise SystemExit(7)")
    assert eventually(lambda: child.exit_code() == 7)


def test_tells_the_signal_that_ended_it(start: Start) -> None:
    child = start(_WAIT)
    assert eventually(lambda: "up" in child.written())
    child.kill()
    assert child.exit_code() == -signal.SIGKILL


def test_output_and_errors_are_written_down(start: Start) -> None:
    child = start("import sys; print('out'); print('error', file=sys.stderr)")
    assert eventually(lambda: child.exit_code() == 0)
    assert sorted(child.written().split()) == ["error", "out"]


def test_what_an_earlier_run_wrote_is_kept_but_not_its_own(start: Start, tmp_path: Path) -> None:
    first = start("print('first')")
    assert eventually(lambda: first.exit_code() == 0)
    second = start("print('second')")
    assert eventually(lambda: second.exit_code() == 0)
    assert second.written().strip() == "second"
    assert (tmp_path / "a.log").read_text(encoding="utf-8").split() == ["first", "second"]


def test_is_asked_to_end(start: Start) -> None:
    child = start(_WAIT)
    assert eventually(lambda: "up" in child.written())
    child.terminate()
    assert eventually(lambda: child.exit_code() == -signal.SIGTERM)


def test_a_frozen_process_hears_the_request(start: Start) -> None:
    child = start(_WAIT)
    assert eventually(lambda: "up" in child.written())
    os.kill(child.pid, signal.SIGSTOP)
    child.terminate()
    assert eventually(lambda: child.exit_code() == -signal.SIGTERM)


@pytest.mark.parametrize("end", ["time.sleep(120)", "pass"])
def test_nobody_whom_it_started_is_left(start: Start, end: str) -> None:
    child = start(f"{_WITH_A_CHILD} import time; {end}")
    assert eventually(lambda: "\n" in child.written())
    grandchild = int(child.written())
    if end != "pass":
        child.kill()
    assert eventually(lambda: child.exit_code() is not None)
    assert eventually(lambda: is_gone(grandchild))


def test_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    program = (f"import os, sys, time; from pathlib import Path; from sandbox.stack.child import Child; "
               f"child = Child([sys.executable, '-c', {STUBBORN + '; time.sleep(120)'!r}], dict(os.environ), "
               f"Path({str(tmp_path)!r}), Path({str(tmp_path / 'a.log')!r})); print(child.pid, flush=True); "
               "time.sleep(120)")
    supervisor = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        assert not is_gone(pid)
        supervisor.kill()
        assert eventually(lambda: is_gone(pid))
    finally:
        supervisor.kill()
        supervisor.communicate(timeout=20)
