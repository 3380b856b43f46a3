"""``workflow-service executions history``, ``logs`` and ``verify``."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from rich.console import Console, RenderableType

from cli.views.history import history_table, log_lines, verification_page
from tests.unit.cli.conftest import Shell
from tests.unit.cli.fake_service import FakeService

EVENTS, LOGS, VERIFY = (f"GET /api/v1/executions/e1/{part}" for part in ("events", "logs", "verify"))


def _event(sequence: int, block_id: str | None, type: str = "block_started", second: int = 5,
           **changed: Any) -> dict[str, Any]:
    message = f"Block '{block_id}' started" if block_id else "Execution started"
    return {"sequence": sequence, "eventId": f"e1:{block_id}@{sequence}", "type": type, "level": "info",
            "timestamp": f"2026-01-02T03:04:{second:02}.250Z", "blockId": block_id, "source": f"e1:{block_id}",
            "version": sequence, "message": message, "payload": {}, **changed}


def _entry(sequence: int, level: str = "info", second: int = 5, **changed: Any) -> dict[str, Any]:
    return {"sequence": sequence, "timestamp": f"2026-01-02T03:04:{second:02}.250Z", "level": level, "blockId": "a",
            "eventType": "block_failed", "message": f"Message {sequence}", "details": {}, **changed}


def _verified(*violations: dict[str, str], **changed: Any) -> dict[str, Any]:
    broken = {violation["invariant"] for violation in violations}
    results = {"I1": "holds", "I2": "not_checked", "I9": "broken" if broken else "holds"}
    return {"executionId": "e1", "valid": not violations, "checkedAt": "2026-01-02T03:04:05.000Z",
            "counts": {"events": 17, "blocks": 2, "waits": 1, "approvals": 0},
            "checks": [{"invariant": name, "meaning": f"Meaning of {name}.", "result": result}
                       for name, result in results.items()],
            "violations": list(violations), **changed}


_WRONG = {"invariant": "I9", "subject": "e1:a", "message": "It has version 3, but its events have [1, 2]."}


def _text(shown: RenderableType, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(shown)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_history_shows_each_event_with_the_time_since_the_first(client: Shell, service: FakeService) -> None:
    service.answers(EVENTS, {"events": [_event(1, None, "execution_started"), _event(2, "merge", second=7)],
                             "next": None})
    answer = client("executions", "history", "e1")
    lines = [line.split() for line in answer.stdout.splitlines() if line.strip()]
    assert answer.exit_code == 0
    assert (lines[2][0], lines[2][2:]) == ("1", ["+0.0", "s", "-", "execution_started", "Execution", "started"])
    assert (lines[3][0], lines[3][2:]) == ("2", ["+2.0", "s", "merge", "block_started", "started"])


def test_history_reads_all_pages(client: Shell, service: FakeService) -> None:
    service.answers(EVENTS, {"events": [_event(1, "a"), _event(2, "b")], "next": 2})
    service.answers(EVENTS, {"events": [_event(3, "a")], "next": None})
    answer = client("executions", "history", "e1", "--json")
    assert [event["sequence"] for event in json.loads(answer.stdout)["events"]] == [1, 2, 3]
    assert [request["query"] for request in service.requests] == [
        {"after": ["0"], "limit": ["1000"]}, {"after": ["2"], "limit": ["1000"]}]


def test_history_of_one_block_still_counts_time_from_the_start(client: Shell, service: FakeService) -> None:
    service.answers(EVENTS, {"events": [_event(1, None), _event(2, "a", second=6), _event(3, "b", second=8)],
                             "next": None})
    answer = client("executions", "history", "e1", "--block", "b")
    assert "+3.0 s" in answer.stdout
    assert " a " not in answer.stdout and "Execution started" not in answer.stdout


def test_history_in_a_narrow_terminal_leaves_the_types_out() -> None:
    events = [_event(1, "merge", "block_retry_scheduled", message="Block 'merge' failed: flaky: not yet")]
    assert "block_retry_scheduled" in _text(history_table(events, events[0]["timestamp"], wide=True), 100)
    narrow = _text(history_table(events, events[0]["timestamp"], wide=False), 80)
    assert "block_retry_scheduled" not in narrow and "failed: flaky: not yet" in narrow


def test_an_event_before_the_first_one_took_no_time() -> None:
    """The order of a history is not that of time."""
    assert "+0.0 s" in _text(history_table([_event(2, "a", second=4)], "2026-01-02T03:04:05.250Z", wide=True))


def test_logs_are_lines_in_the_order_of_time(client: Shell, service: FakeService) -> None:
    service.answers(LOGS, {"logs": [_entry(1, "error", 6), _entry(2, "info", 5)], "total": 2})
    answer = client("executions", "logs", "e1", "--level", "warning", "--block", "a")
    lines = [line.split() for line in answer.stdout.splitlines()]
    assert [line[2:] for line in lines] == [["info", "Message", "2"], ["error", "Message", "1"]]
    assert service.requests[0]["query"] == {"offset": ["0"], "limit": ["1000"], "level": ["warning"], "blockId": ["a"]}


def test_logs_read_all_pages(client: Shell, service: FakeService) -> None:
    service.answers(LOGS, {"logs": [_entry(1), _entry(2)], "total": 3})
    service.answers(LOGS, {"logs": [_entry(3)], "total": 3})
    answer = json.loads(client("executions", "logs", "e1", "--json").stdout)
    assert ([entry["sequence"] for entry in answer["logs"]], answer["total"]) == ([1, 2, 3], 3)
    assert service.requests[1]["query"] == {"offset": ["2"], "limit": ["1000"]}


def test_a_log_that_shrinks_while_it_is_read_ends(client: Shell, service: FakeService) -> None:
    service.answers(LOGS, {"logs": [_entry(1)], "total": 3})
    service.answers(LOGS, {"logs": [], "total": 3})
    assert json.loads(client("executions", "logs", "e1", "--json").stdout)["total"] == 1


@pytest.mark.parametrize("command", ["history", "logs"])
def test_nothing_to_tell_is_said(client: Shell, service: FakeService, command: str) -> None:
    service.answers(EVENTS, {"events": [], "next": None})
    service.answers(LOGS, {"logs": [], "total": 0})
    answer = client("executions", command, "e1")
    assert (answer.exit_code, answer.stdout.count("\n")) == (0, 1)


def test_an_unknown_level_is_wrong_usage(client: Shell, service: FakeService) -> None:
    assert client("executions", "logs", "e1", "--level", "loud").exit_code == 2
    assert not service.requests


def test_long_messages_are_folded_below_themselves() -> None:
    lines = _text(log_lines([_entry(1, message="word " * 30)]), 80).splitlines()
    assert len(lines) > 2 and all(len(line) <= 80 for line in lines)
    assert all(line.startswith(" " * 20) for line in lines[1:])


def test_a_verification_without_violations_ends_well(client: Shell, service: FakeService) -> None:
    service.answers(VERIFY, _verified())
    answer = client("executions", "verify", "e1")
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert "all is well" in answer.stdout
    assert "17 events, 2 blocks, 1 wait and 0 approvals" in answer.stdout
    assert "✓  I1" in answer.stdout and "·  I2" in answer.stdout


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_a_verification_with_violations_fails(client: Shell, service: FakeService, option: tuple[str, ...]) -> None:
    service.answers(VERIFY, _verified(_WRONG))
    answer = client("executions", "verify", "e1", *option)
    assert answer.exit_code == 1
    assert "1 place." in answer.stderr
    assert _WRONG["subject"] in answer.stdout and _WRONG["message"] in answer.stdout


def test_violations_are_red() -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system="standard")
    console.print(verification_page(_verified(_WRONG)))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b[31mIt has version 3" in shown and "\x1b[32m✓" in shown and "\x1b[1;31m✗" in shown


@pytest.mark.parametrize("command", ["history", "logs", "verify"])
def test_what_is_not_there_is_told(client: Shell, command: str) -> None:
    answer = client("executions", command, "nobody")
    assert answer.exit_code == 1 and answer.stderr.startswith("Error: ") and not answer.stdout


def _stream(*entries: dict[str, Any], end: str | None = None) -> str:
    told = [f"id: {entry['sequence']}\ndata: {json.dumps(entry)}\n\n" for entry in entries]
    last = "" if end is None else f'event: end\ndata: {{"status": "{end}"}}\n\n'
    return "".join(["retry: 2000\n\n", *told, ": still here\n\n", last])


def test_a_log_is_followed_over_lost_connections_to_the_end(client: Shell, service: FakeService) -> None:
    service.answers(LOGS, _stream(_entry(1), _entry(2)))
    service.answers(LOGS, {"message": "Too many.", "error": "too_many_followers"}, status=429)
    service.answers(LOGS, _stream(_entry(3, "error", message="Ünd")) + 'id: 4\ndata: {"cut')
    service.answers(LOGS, _stream(_entry(4), end="failed"))
    answer = client("executions", "logs", "e1", "--follow", "--level", "info")
    assert answer.exit_code == 0
    assert [line.split()[2:] for line in answer.stdout.splitlines()] == [
        ["info", "Message", "1"], ["info", "Message", "2"], ["error", "Ünd"], ["info", "Message", "4"]]
    assert "failed" in answer.stderr
    assert [request["after"] for request in service.requests] == [None, "2", "2", "3"]
    assert service.requests[0]["query"] == {"follow": ["true"], "level": ["info"]}


def test_a_followed_log_as_json_is_a_line_for_each_entry(client: Shell, service: FakeService) -> None:
    service.answers(LOGS, _stream(_entry(1), _entry(2), end="completed"))
    answer = client("executions", "logs", "e1", "--follow", "--json")
    assert [json.loads(line)["sequence"] for line in answer.stdout.splitlines()] == [1, 2]


@pytest.mark.parametrize(("status", "body"), [(404, {"message": "There is no execution."}), (200, {"logs": []})])
def test_what_can_not_be_followed_is_told(client: Shell, service: FakeService, status: int, body: Any) -> None:
    service.answers(LOGS, body, status=status)
    answer = client("executions", "logs", "e1", "--follow")
    assert answer.exit_code == 1 and answer.stderr.startswith("Error: ") and len(service.requests) == 1
