"""Following an execution."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.errors import Refused, Unreachable
from cli.following import TookTooLong, changes, follow
from tests.unit.cli.documents import block, execution

SOON, NEVER = timedelta(milliseconds=1), timedelta(seconds=60)
NOW = datetime(2026, 1, 2, 3, 4, 9, tzinfo=UTC)
Document = Mapping[str, Any]


def _reads(*answers: Document | Exception) -> Callable[[], Document]:
    left = list(answers)

    def read() -> Document:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return read


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_ends_with_the_execution(status: str) -> None:
    readings = list(follow(_reads(execution("running"), execution("waiting"), execution(status)), NEVER, SOON))
    assert [reading["status"] for reading in readings] == ["running", "waiting", status]


def test_a_service_that_is_away_for_a_moment_is_asked_again() -> None:
    read = _reads(Unreachable("u", "away"), Refused(503, "away"), execution("completed"))
    assert [reading["status"] for reading in follow(read, NEVER, SOON)] == ["completed"]


def test_may_end_before_the_execution_does() -> None:
    def is_paused(reading: Document) -> bool:
        return bool(reading["status"] == "paused")

    readings = list(follow(_reads(execution("pausing"), execution("paused")), NEVER, SOON, is_paused))
    assert [reading["status"] for reading in readings] == ["pausing", "paused"]


def test_a_refusal_is_final() -> None:
    with pytest.raises(Refused):
        list(follow(_reads(Refused(404, "There is no execution.")), NEVER, SOON))


def test_gives_up_in_time() -> None:
    with pytest.raises(TookTooLong):
        list(follow(lambda: execution("running"), timedelta(milliseconds=50), SOON))


def test_at_first_all_that_has_begun_is_new() -> None:
    first = execution("running", block("a", "running"), block("b"))
    assert [(change.block_id, change.status) for change in changes(None, first, NOW)] == [("a", "running")]


def test_a_status_and_an_attempt_are_changes() -> None:
    before = execution("running", block("a", "running"), block("b", "running"), block("c", "running"))
    after = execution("running", block("a", "completed"), block("b", "running", retryCount=1), block("c", "running"))
    assert [(change.block_id, change.status, change.attempt) for change in changes(before, after, NOW)] \
        == [("a", "completed", 1), ("b", "running", 2)]


def test_the_error_of_a_block_that_is_tried_again_is_told() -> None:
    waiting = block("a", "retry_wait", error={"code": "http_error", "message": "503"})
    assert changes(None, execution("running", waiting), NOW)[0].note == "http_error: 503"
