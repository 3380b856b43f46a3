"""What the terminal shows of the stack."""

from __future__ import annotations

import io
import re

from sandbox.stack.reporting import LineReporter


class _ClosedTerminal(io.StringIO):
    def write(self, text: str, /) -> int:
        raise OSError(5, "Input/output error")


def test_a_line_has_the_time_the_part_and_what_happened() -> None:
    output = io.StringIO()
    reporter = LineReporter(["web", "worker-blocks"], output)
    reporter.progress("web", "ready after 1.0 s")
    reporter.trouble("worker-blocks", "ended")
    first, second = output.getvalue().splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d web           \| ready after 1\.0 s", first)
    assert second.endswith("worker-blocks | ended")


def test_a_closed_terminal_stops_nothing() -> None:
    LineReporter(["web"], _ClosedTerminal()).progress("web", "ready")
