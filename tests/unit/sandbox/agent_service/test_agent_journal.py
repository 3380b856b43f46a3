"""The durable table of runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.agent_service.execution_request import ExecutionRequest
from sandbox.agent_service.journal import Journal

MakeRequest = Callable[..., ExecutionRequest]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Give an empty journal."""
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


def taken(journal: Journal, agent_id: str, request: ExecutionRequest) -> int:
    """Claim a key that is free."""
    run = journal.claim(agent_id, request)
    assert run is not None
    return run


def test_a_key_is_claimed_once(journal: Journal, make_request: MakeRequest) -> None:
    barrier = threading.Barrier(16)

    def claim(_: int) -> int | None:
        barrier.wait(10)
        return journal.claim("a", make_request())

    with ThreadPoolExecutor(16) as pool:
        claims = list(pool.map(claim, range(16)))
    assert len([run for run in claims if run is not None]) == 1
    assert len(journal.runs("e")) == 1


@pytest.mark.parametrize(("end", "status", "is_free"), [
    (lambda journal, run: journal.complete(run, {"a": 1}, {}), "completed", False),
    (lambda journal, run: journal.fail(run, {"code": "x"}), "failed", True),
    (lambda journal, run: journal.cancel(run), "cancelled", False),
    (lambda journal, run: True, "running", False)])
def test_only_a_failure_frees_the_key(journal: Journal, make_request: MakeRequest,
                                      end: Callable[[Journal, int], bool], status: str, is_free: bool) -> None:
    assert end(journal, taken(journal, "a", make_request()))
    latest = journal.latest("a", "e:b:0")
    assert latest is not None and latest.status == status
    assert (journal.holder("a", "e:b:0") is None) == is_free
    assert (journal.claim("a", make_request()) is not None) == is_free


def test_a_run_ends_once(journal: Journal, make_request: MakeRequest) -> None:
    run = taken(journal, "a", make_request())
    assert journal.cancel(run)
    assert not journal.complete(run, {"late": True}, {})
    assert not journal.fail(run, {"code": "late"})
    latest = journal.latest("a", "e:b:0")
    assert latest is not None and (latest.status, latest.output, latest.error) == ("cancelled", None, None)


def test_a_tombstone_takes_a_free_key_and_is_no_run(journal: Journal, make_request: MakeRequest) -> None:
    assert journal.bury("a", "e:b:0")
    assert not journal.bury("a", "e:b:0")
    assert journal.claim("a", make_request()) is None
    assert journal.claim("other", make_request()) is not None
    assert [run.agent_id for run in journal.runs(None)] == ["other"]


def test_a_buried_failure_is_still_shown_as_failed(journal: Journal, make_request: MakeRequest) -> None:
    journal.fail(taken(journal, "a", make_request()), {"code": "x"})
    assert journal.bury("a", "e:b:0")
    latest, holder = journal.latest("a", "e:b:0"), journal.holder("a", "e:b:0")
    assert latest is not None and latest.status == "failed"
    assert holder is not None and holder.status == "cancelled"


def test_answers_outlive_the_journal_and_running_work_fails(tmp_path: Path, make_request: MakeRequest) -> None:
    before = Journal(tmp_path / "j.sqlite")
    before.complete(taken(before, "a", make_request(key="done")), {"ä": [1]}, {"durationMs": 3})
    before.fail(taken(before, "a", make_request(key="lost")), {"code": "x"})
    taken(before, "a", make_request(key="lost"))
    before.close()
    after = Journal(tmp_path / "j.sqlite")
    done, lost = after.latest("a", "done"), after.latest("a", "lost")
    assert done is not None and (done.status, done.output, done.usage) == ("completed", {"ä": [1]}, {"durationMs": 3})
    assert lost is not None and lost.status == "failed" and lost.error["code"] == "agent_restarted"
    assert lost.ended_at is not None
    assert after.failures("a", "lost") == 1
    assert after.claim("a", make_request(key="lost")) is not None
    after.close()


def test_runs_are_listed_by_execution(journal: Journal, make_request: MakeRequest) -> None:
    for execution_id, key in (("e1", "k1"), ("e2", "k2"), ("e1", "k3")):
        journal.claim("a", make_request(execution_id=execution_id, key=key))
    assert [run.key for run in journal.runs("e1")] == ["k1", "k3"]
    assert [run.key for run in journal.runs(None)] == ["k1", "k2", "k3"]
    assert journal.runs("e3") == []
