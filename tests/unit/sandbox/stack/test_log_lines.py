"""The end of a log for a terminal."""

from __future__ import annotations

import json

import pytest

from sandbox.stack.log_lines import last_lines


def test_only_the_last_lines() -> None:
    assert last_lines("a\nb\nc\n", 2) == "  b\n  c"


@pytest.mark.parametrize(("line", "shown"), [
    ("plain", "plain"),
    (json.dumps({"event": "started", "level": "info", "logger": "web"}), "info started"),
    (json.dumps({"event": "crashed", "level": "error", "exception": "Traceback\n  File x\nValueError: no"}),
     "error crashed ValueError: no"),
    (json.dumps({"other": 1}), '{"other": 1}'),
    ("[1, 2]", "[1, 2]"),
    ("x" * 300, "x" * 200 + "..."),
])
def test_what_a_line_tells(line: str, shown: str) -> None:
    assert last_lines(line, 1) == f"  {shown}"


def test_nothing() -> None:
    assert last_lines("", 5) == ""
