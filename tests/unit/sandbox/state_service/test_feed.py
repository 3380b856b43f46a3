"""Waiting for changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.state_service import changes
from sandbox.state_service.changes import Change, ChangeKind
from sandbox.state_service.database import Database
from sandbox.state_service.feed import ChangeFeed, CommitSignal

LONG = timedelta(seconds=20)
NONE = timedelta(0)


class Log:
    """A database with a feed over it."""

    def __init__(self, path: Path, max_waiting: int = 2) -> None:
        self.signal = CommitSignal()
        self.database = Database(path, on_commit=self.signal.commit)
        self.feed = ChangeFeed(self.database, self.signal, max_waiting)

    def append(self, *play_ids: str) -> None:
        with self.database.writing() as connection:
            changes.append(connection, [Change(workspace_id="w", play_id=play_id, kind=ChangeKind.PLAY)
                                        for play_id in play_ids])


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    opened = Log(tmp_path / "x.sqlite3")
    yield opened
    opened.database.close()


def test_cursors_count_from_one(log: Log) -> None:
    log.append("p1", "p2")
    log.append("p3")

    page = log.feed.read(after=0, limit=10, patience=NONE)

    assert [(one["cursor"], one["executionId"]) for one in page.changes] == [(1, "p1"), (2, "p2"), (3, "p3")]
    assert page.next_cursor == 3


def test_a_transaction_that_was_undone_leaves_no_gap(log: Log) -> None:
    with pytest.raises(KeyError), log.database.writing() as connection:
        changes.append(connection, [Change(workspace_id="w", play_id="lost", kind=ChangeKind.PLAY)])
        raise KeyError
    log.append("p1")

    assert [one["cursor"] for one in log.feed.read(after=0, limit=10, patience=NONE).changes] == [1]


def test_a_reader_that_waits_is_woken_by_the_commit(log: Log) -> None:
    with ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        reading = pool.submit(log.feed.read, 0, 10, LONG)
        # not needed to pass, but without it the reader may find the change before it begins to wait
        time.sleep(0.3)
        log.append("p1")
        page = reading.result(timeout=LONG.total_seconds() * 2)

    assert page.next_cursor == 1
    assert time.monotonic() - began < LONG.total_seconds() / 2


def test_a_commit_without_a_change_does_not_end_the_wait(log: Log) -> None:
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(log.feed.read, 0, 10, LONG)
        with log.database.writing():
            pass
        log.append("p1")
        page = reading.result(timeout=LONG.total_seconds())

    assert len(page.changes) == 1


def test_who_finds_all_places_taken_waits_a_short_time_only(tmp_path: Path) -> None:
    log = Log(tmp_path / "y.sqlite3", max_waiting=0)
    began = time.monotonic()

    page = log.feed.read(after=0, limit=10, patience=LONG)

    assert page.changes == []
    assert 0.2 < time.monotonic() - began < LONG.total_seconds() / 2
    log.database.close()


def test_a_place_is_free_again_after_the_wait(tmp_path: Path) -> None:
    log = Log(tmp_path / "z.sqlite3", max_waiting=1)
    patience = timedelta(seconds=0.6)
    for _ in range(2):
        began = time.monotonic()
        log.feed.read(after=0, limit=10, patience=patience)
        assert time.monotonic() - began >= 0.59
    log.database.close()


def test_waiting_for_commits_counts_those_that_were_missed() -> None:
    signal = CommitSignal()
    seen = signal.count
    signal.commit()
    began = time.monotonic()

    signal.wait_beyond(seen, LONG)

    assert time.monotonic() - began < LONG.total_seconds() / 2
