"""How executions and times look."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console, RenderableType

from cli.displays import LineDisplay, TreeDisplay, display
from cli.views.durations import elapsed, length, moment
from cli.views.executions import (
    attempts,
    blocks_table,
    execution_page,
    execution_tree,
    executions_table,
    note,
    progress,
    steps_of,
)
from cli.views.standing import held_by
from cli.views.statuses import mark, style
from tests.unit.cli.documents import block, execution, template

NOW = datetime(2026, 1, 2, 3, 4, 9, tzinfo=UTC)


def _text(shown: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(shown)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


@pytest.mark.parametrize(("duration", "text"), [
    (None, "-"), (timedelta(), "0.0 s"), (timedelta(milliseconds=840), "0.8 s"), (timedelta(seconds=65), "1 min 05 s"),
    (timedelta(hours=2, minutes=3), "2 h 03 min"), (timedelta(days=3, hours=4), "3 d 04 h")])
def test_length(duration: timedelta | None, text: str) -> None:
    assert length(duration) == text


def test_what_goes_on_is_measured_until_now() -> None:
    assert elapsed("2026-01-02T03:04:05.000Z", None, NOW) == timedelta(seconds=4)
    assert elapsed(None, None, NOW) is None
    assert elapsed("2026-01-02T03:04:15.000Z", None, NOW) == timedelta()  # the clock here is behind


def test_no_moment_is_a_dash() -> None:
    assert moment(None) == "-"


@pytest.mark.parametrize(("shown", "number"), [
    (block("a"), 0), (block("a", "running"), 1), (block("a", "running", retryCount=2), 3),
    (block("a", "running", retryCount=2, attempt=5), 5)])
def test_attempts(shown: dict[str, Any], number: int) -> None:
    assert attempts(shown) == number


def test_steps_follow_the_dependencies() -> None:
    assert steps_of(template(a=[], b=[], c=["a", "b"], d=["a"], e=["c"])) == [["a", "b"], ["c", "d"], ["e"]]


def test_a_branch_comes_before_its_targets() -> None:
    branching = template(a=[], b=[])
    branching["blocks"][0]["conditions"] = {"branches": [{"nextBlocks": ["b"]}]}
    assert steps_of(branching) == [["a"], ["b"]]


def test_tree_shows_the_blocks_in_steps() -> None:
    running = execution("running", block("a", "completed"), block("b", "running", retryCount=1), block("c"))
    lines = _text(execution_tree(running, [["a", "b"], ["c"]], NOW)).splitlines()
    assert lines[0].startswith("review 1.0.0  running")
    assert lines[1] == "1 of 3 blocks · 4.0 s"
    assert lines[2].endswith("step 1 (in parallel)")
    assert "✓ a" in lines[3] and "attempt 2" in lines[4] and "· c" in lines[6]


def test_tree_shows_blocks_that_no_step_names() -> None:
    assert "● a" in _text(execution_tree(execution("running", block("a", "running")), [], NOW))


@pytest.mark.parametrize(("status", "blocks", "told"), [
    ("running", {"a": "completed"}, "1 of 1 block · 4.0 s"),
    ("waiting", {"a": "skipped", "b": "awaiting_approval"}, "1 of 2 blocks · 4.0 s · waits for a person: b"),
    ("running", {"a": "retry_wait", "b": "awaiting_agent", "c": "awaiting_signal"},
     "0 of 3 blocks · 4.0 s · waits for the next attempt: a · waits for an agent: b · waits for a signal: c"),
    ("waiting", dict.fromkeys("abcde", "awaiting_approval"),
     "0 of 5 blocks · 4.0 s · waits for a person: a, b, c and 2 more"),
    ("completed", {"a": "completed", "b": "completed"}, "2 of 2 blocks · 2.5 s")])
def test_progress(status: str, blocks: dict[str, str], told: str) -> None:
    assert progress(execution(status, *(block(name, at) for name, at in blocks.items())), NOW) == told


def test_table_tells_who_answered() -> None:
    answered = block("a", "completed", humanInteractions=[
        {"type": "edit", "requestedAt": None, "respondedAt": "2026-01-02T03:04:06.000Z", "response": {},
         "approver": "vera"}])
    assert "completed (answered by vera)" in _text(blocks_table(execution("completed", answered), NOW))


@pytest.mark.parametrize("status", ["completed", "failed", "awaiting_signal", "some_status_of_tomorrow"])
def test_every_status_has_a_mark(status: str) -> None:
    assert len(mark(status).plain) == 1
    assert style(status) is not None


def test_lines_where_there_is_no_terminal() -> None:
    console = Console(file=io.StringIO(), width=120)
    with display(console, []) as shown:
        assert isinstance(shown, LineDisplay)
        shown.update(execution("running", block("a", "running")))
        shown.update(execution("running", block("a", "running")))
    assert len(console.file.getvalue().splitlines()) == 2  # type: ignore[attr-defined]


def test_a_tree_in_a_terminal() -> None:
    console = Console(file=io.StringIO(), width=120, force_terminal=True)
    with display(console, [["a"]]) as shown:
        assert isinstance(shown, TreeDisplay)
        shown.update(execution("running", block("a", "running")))
    assert "step 1" in console.file.getvalue()  # type: ignore[attr-defined]


PAUSING: dict[str, Any] = {
    "holds": ["operator"], "clock": "stopped", "reason": "An audit.",
    "inFlight": [{"blockId": "a", "status": "running"}]}


def test_a_page_tells_who_holds_it_why_and_what_is_at_work() -> None:
    shown = _text(execution_page(execution("pausing", block("a", "running"), **PAUSING), NOW))
    assert "held by an operator, time-outs stand still\nreason: An audit.\nstill at work: a (running)\n" in shown
    assert "executions resume e1" in shown


def test_what_is_at_work_is_told_only_while_something_waits_for_it() -> None:
    shown = _text(execution_page(execution("running", block("a", "running"), inFlight=PAUSING["inFlight"]), NOW))
    assert "at work" not in shown and "held" not in shown and "resume" not in shown


def test_tree_tells_who_holds_it() -> None:
    lines = _text(execution_tree(execution("pausing", block("a", "running"), **PAUSING), [["a"]], NOW)).splitlines()
    assert lines[1:4] == ["held by an operator, time-outs stand still", "reason: An audit.",
                          "still at work: a (running)"]


def test_lines_tell_that_a_hold_came_while_the_status_stayed() -> None:
    console = Console(file=io.StringIO(), width=120)
    with display(console, []) as shown:
        shown.update(execution("running"))
        shown.update(execution("running", holds=["agent:echo"]))
        shown.update(execution("running", holds=["agent:echo"]))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 2 and lines[1].endswith("review 1.0.0 is running  held by a hold on agent echo")


@pytest.mark.parametrize(("status", "holds", "shown"), [
    ("running", [], "running"), ("running", ["agent:echo"], "running (held)"), ("paused", ["service"], "paused")])
def test_list_tells_what_is_held(status: str, holds: list[str], shown: str) -> None:
    row = _text(executions_table([execution(status, holds=holds)], NOW)).splitlines()[3]
    assert f"  {shown}  " in row


@pytest.mark.parametrize(("at", "told"), [
    ("2026-01-02T03:04:21.000Z", "http_error: 503, next attempt in 12.0 s"),
    ("2026-01-02T03:04:01.000Z", "http_error: 503, next attempt is due"), (None, "http_error: 503")])
def test_a_block_tells_when_it_is_tried_again(at: str | None, told: str) -> None:
    waiting = block("a", "retry_wait", error={"code": "http_error", "message": "503"}, nextAttemptAt=at)
    assert note(waiting, NOW) == told


def test_a_block_tells_who_skipped_it() -> None:
    assert note(block("a", "completed", suppliedBy="olga"), NOW) == "skipped by olga"


@pytest.mark.parametrize(("holds", "told"), [
    (["operator"], "an operator"), (["agent:a_b-c", "workspace"], "a hold on agent a_b-c, a hold on the workspace"),
    (["template"], "a hold on the template"), (["of-tomorrow"], "of-tomorrow")])
def test_holds_in_words(holds: list[str], told: str) -> None:
    assert held_by(holds) == told


def test_a_page_tells_which_agents_go_on_though_it_is_paused() -> None:
    paused = execution("paused", **{**PAUSING, "inFlight": [{"blockId": "a", "status": "awaiting_agent"}]})
    assert "still at work: a (awaiting agent)" in _text(execution_page(paused, NOW))
