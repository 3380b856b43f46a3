"""The database of the reference State Management Service."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from sandbox.state_service.database import Database
from sandbox.state_service.feed import CommitSignal

INSERT = "INSERT INTO contexts (workspace_id, context, version) VALUES (?, '{}', 1)"
COUNT = "SELECT COUNT(*) FROM contexts"


@pytest.fixture
def signal() -> CommitSignal:
    return CommitSignal()


@pytest.fixture
def database(tmp_path: Path, signal: CommitSignal) -> Iterator[Database]:
    opened = Database(tmp_path / "x.sqlite3", on_commit=signal.commit)
    yield opened
    opened.close()


def count(database: Database) -> int:
    with database.reading() as connection:
        (rows,) = connection.execute(COUNT).fetchone()
    return int(rows)


def test_what_was_written_is_there_when_the_file_is_opened_again(database: Database, tmp_path: Path) -> None:
    with database.writing() as connection:
        connection.execute(INSERT, ("w1",))
    database.close()

    again = Database(tmp_path / "x.sqlite3", on_commit=lambda: None)

    assert count(again) == 1
    again.close()


def test_an_exception_undoes_the_transaction_and_signals_nothing(database: Database,
                                                                 signal: CommitSignal) -> None:
    with pytest.raises(KeyError), database.writing() as connection:
        connection.execute(INSERT, ("w1",))
        raise KeyError

    assert (count(database), signal.count) == (0, 0)


def test_a_failed_statement_leaves_the_connection_usable(database: Database, signal: CommitSignal) -> None:
    with pytest.raises(sqlite3.IntegrityError), database.writing() as connection:
        connection.execute(INSERT, ("w1",))
        connection.execute(INSERT, ("w1",))

    with database.writing() as connection:
        connection.execute(INSERT, ("w2",))

    assert (count(database), signal.count) == (1, 1)


def test_a_reader_sees_one_moment(database: Database) -> None:
    def write() -> None:
        with database.writing() as connection:
            connection.execute(INSERT, ("w1",))

    with database.reading() as connection, ThreadPoolExecutor(1) as pool:
        (before,) = connection.execute(COUNT).fetchone()
        pool.submit(write).result(timeout=10)
        (after,) = connection.execute(COUNT).fetchone()

    assert (before, after, count(database)) == (0, 0, 1)


def test_many_threads_may_write(database: Database, signal: CommitSignal) -> None:
    def write(number: int) -> None:
        with database.writing() as connection:
            connection.execute(INSERT, (f"w{number}",))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(100)))

    assert (count(database), signal.count) == (100, 100)


def test_a_writer_begins_only_after_the_one_before_has_committed(database: Database) -> None:
    first_may_end = Event()

    def write_first(begun: Event) -> None:
        with database.writing() as connection:
            begun.set()
            assert first_may_end.wait(timeout=10)
            connection.execute(INSERT, ("w1",))

    def write_second(begun: Event) -> int:
        with database.writing() as connection:
            begun.set()
            (rows,) = connection.execute(COUNT).fetchone()
            connection.execute(INSERT, ("w2",))
            return int(rows)

    with ThreadPoolExecutor(2) as pool:
        begun = [Event(), Event()]
        first = pool.submit(write_first, begun[0])
        assert begun[0].wait(timeout=10)
        second = pool.submit(write_second, begun[1])
        came_too_early = begun[1].wait(timeout=0.3)
        first_may_end.set()
        first.result(timeout=10)

        assert (came_too_early, second.result(timeout=10)) == (False, 1)


def test_a_commit_survives_the_process_without_an_fsync_each(database: Database) -> None:
    with database.reading() as connection:
        (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
        (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()

    assert (journal, synchronous) == ("wal", 1)
