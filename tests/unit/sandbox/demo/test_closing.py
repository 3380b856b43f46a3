"""The end of the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.demo.closing import show_end
from sandbox.demo.errors import DemoFailed
from tests.unit.cli.documents import STARTED, block, execution
from tests.unit.sandbox.demo.conftest import Screen

NOTES = "# Notes\n" + "".join(f"line {number}\n" for number in range(30)) + "the end\n"


def _ended(path: Path, approved: str | None) -> dict[str, Any]:
    person = {"type": "edit", "requestedAt": STARTED, "respondedAt": STARTED, "approver": "vera",
              "response": {"approved": True, "response": {"notes": approved} if approved else {}, "comments": None}}
    return execution("completed", block("write_notes", "completed", output={"path": str(path)},
                                        humanInteractions=[person]))


@pytest.mark.parametrize("approved", [NOTES, None])
def test_blocks_notes_and_their_first_and_last_lines(tmp_path: Path, screen: Screen, approved: str | None) -> None:
    (tmp_path / "N.md").write_text(NOTES, encoding="utf-8")
    show_end(_ended(tmp_path / "N.md", approved), screen)
    assert "write_notes   agent-of-write_notes          1   2.5 s   ✓ completed (answered by vera)" in screen.text
    assert f"{tmp_path / 'N.md'}  (32 lines)" in screen.text
    assert "# Notes" in screen.text and "line 25" not in screen.text and "the end" in screen.text


def test_notes_that_nobody_approved_are_no_good_end(tmp_path: Path, screen: Screen) -> None:
    (tmp_path / "N.md").write_text("# Other\n", encoding="utf-8")
    with pytest.raises(DemoFailed, match="not those that were approved"):
        show_end(_ended(tmp_path / "N.md", NOTES), screen)


def test_notes_that_are_not_there_are_no_good_end(tmp_path: Path, screen: Screen) -> None:
    with pytest.raises(DemoFailed, match="can't be read"):
        show_end(_ended(tmp_path / "N.md", NOTES), screen)
