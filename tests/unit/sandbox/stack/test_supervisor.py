"""Starting, keeping up and ending parts, with real processes."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.stack.directory import StackDirectory
from sandbox.stack.errors import PartFailed, StopRequested
from sandbox.stack.part import Part
from sandbox.stack.stopping import StopRequests
from sandbox.stack.supervisor import Supervisor, how_it_ended
from tests.unit.sandbox.stack.conftest import STUBBORN, Notes, Supervise, server
from tests.unit.sandbox.stack.eventually import is_gone

SHORT = timedelta(milliseconds=500)


def _once(name: str, program: str, *needs: str) -> Part:
    return Part(name=name, argv=[sys.executable, "-c", program], needs=frozenset(needs), runs_once=True)


def _within_time(condition: Callable[[], bool]) -> Callable[[], bool]:
    deadline = time.monotonic() + 20
    return lambda: condition() or time.monotonic() > deadline


def _written(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def _notes_in(file: Path, word: str) -> str:
    return f"open({str(file)!r}, 'a').write({word + ' '!r})"


def test_a_part_starts_when_what_it_needs_is_ready(supervise: Supervise, notes: Notes) -> None:
    parts = [server("web", "migrations"), _once("migrations", "pass", "store"), server("store")]
    supervise(parts).start()
    assert [name for name, _ in notes.lines] == ["store", "migrations", "web"]


def test_a_part_that_ends_at_its_start_is_named_with_its_log(supervise: Supervise) -> None:
    failing = server("web", before="import sys; print('no such setting', flush=True); sys.exit(3)")
    with pytest.raises(PartFailed, match=r"web ended at its start \(exit code 3\)") as caught:
        supervise([server("store"), failing]).start()
    assert "no such setting" in str(caught.value)
    assert caught.value.name == "web"


def test_a_part_that_dies_while_others_start_is_named(supervise: Supervise) -> None:
    dying = server("store", before="import os, threading; threading.Timer(0.3, os._exit, [4]).start()")
    with pytest.raises(PartFailed, match=r"store ended at its start \(exit code 4\)"):
        supervise([dying, server("web", is_ready=lambda _: False)]).start()


def test_a_part_that_runs_once_has_to_end_well(supervise: Supervise) -> None:
    with pytest.raises(PartFailed, match=r"migrations ended at its start \(exit code 1\)"):
        supervise([_once("migrations", "raise SystemExit(1)")]).start()


def test_a_part_that_is_not_ready_in_time_is_named(supervise: Supervise) -> None:
    slow = server("web", is_ready=lambda _: False, ready_within=SHORT)
    with pytest.raises(PartFailed, match="web was not ready within"):
        supervise([slow]).start()


def test_the_start_can_be_stopped(supervise: Supervise) -> None:
    endless = server("web", is_ready=lambda _: False, before="import os, signal; os.kill(os.getppid(), signal.SIGTERM)")
    with pytest.raises(StopRequested):
        supervise([endless]).start()


def test_a_part_that_is_killed_starts_again(supervise: Supervise, notes: Notes, pids: dict[str, int]) -> None:
    supervisor = supervise([server("worker"), server("other")])
    supervisor.start()
    killed, other = pids["worker"], pids["other"]
    os.kill(killed, signal.SIGKILL)
    supervisor.watch(until=_within_time(lambda: any("ready again" in text for _, text in notes.troubles)))
    assert [name for name, _ in notes.troubles] == ["worker", "worker"]
    assert notes.troubles[0][1].startswith("ended (killed by SIGKILL), starts again in 0.5 s")
    assert is_gone(killed) and pids["worker"] != killed and pids["other"] == other


def test_a_part_that_dies_again_and_again_is_started_later_each_time(supervise: Supervise, notes: Notes,
                                                                     pids: dict[str, int], tmp_path: Path) -> None:
    # it lives well once, and then dies at each start
    flag = tmp_path / "flag"
    dying = server("worker", before=f"import os, sys; os.path.exists({str(flag)!r}) and sys.exit(1)")
    supervisor = supervise([dying])
    supervisor.start()
    flag.touch()
    os.kill(pids["worker"], signal.SIGKILL)
    supervisor.watch(until=_within_time(lambda: len(notes.troubles) >= 3))
    delays = [text.partition("again in ")[2].partition(" s")[0] for _, text in notes.troubles]
    assert delays == ["0.5", "1.0", "2.0"]


def test_ends_first_who_is_needed_by_nobody(supervise: Supervise, tmp_path: Path) -> None:
    journal = tmp_path / "journal"

    def noting(name: str, *needs: str) -> Part:
        return server(name, *needs, before=f"import signal, sys\ndef end(*_):\n    {_notes_in(journal, name)}\n"
                                           "    sys.exit()\nsignal.signal(signal.SIGTERM, end)")

    supervisor = supervise([noting("store"), noting("service", "store"), noting("web", "service")])
    supervisor.start()
    supervisor.stop()
    assert _written(journal) == ["web", "service", "store"]


def test_what_does_not_end_is_killed(supervise: Supervise, notes: Notes, pids: dict[str, int]) -> None:
    supervisor = supervise([server("store"), server("worker", "store", before=STUBBORN, stop_within=SHORT)])
    supervisor.start()
    supervisor.stop()
    assert all(is_gone(pid) for pid in pids.values())
    assert notes.troubles == [("stack", "worker did not end in time and is killed")]


def test_who_asks_twice_does_not_wait(supervise: Supervise, stopping: StopRequests) -> None:
    supervisor = supervise([server("worker", before=STUBBORN, stop_within=timedelta(minutes=5))])
    supervisor.start()
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    assert stopping.urgent
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 30


def test_a_stop_ends_the_watch_and_leaves_nobody(supervise: Supervise, pids: dict[str, int]) -> None:
    supervisor = supervise([server("worker")])
    supervisor.start()
    os.kill(os.getpid(), signal.SIGHUP)
    supervisor.watch(until=lambda: False)
    supervisor.stop()
    assert is_gone(pids["worker"])


def test_the_environment_of_a_part_is_laid_over_that_of_all(directory: StackDirectory, notes: Notes,
                                                            stopping: StopRequests) -> None:
    told = Part(name="told", argv=[sys.executable, "-c", "import os; print(os.environ['A'], os.environ['B'])"],
                environment={"B": "own"}, runs_once=True)
    supervisor = Supervisor([told], directory, {**os.environ, "A": "all", "B": "all"}, notes, stopping)
    supervisor.start()
    assert directory.log("told").read_text(encoding="utf-8").strip() == "all own"


@pytest.mark.parametrize(("code", "words"), [
    (0, "exit code 0"), (3, "exit code 3"), (-9, "killed by SIGKILL"), (-64, "killed by SIGRTMAX"),
    (-200, "killed by signal 200")])
def test_how_it_ended(code: int, words: str) -> None:
    assert how_it_ended(code) == words
