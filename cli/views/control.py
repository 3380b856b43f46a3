"""What an instruction of an operator led to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.views.standing import at_work, held_by, stands_still
from cli.views.statuses import label
from cli.views.tables import table

Document = Mapping[str, Any]


def outcome(execution_id: str, answer: Document, first: str = "") -> Text:
    """Return where an execution stands after an instruction: its status, what is still at work, what holds it.

    Args:
        first: what is to be told before.
    """
    told = Text.assemble(f"{first}\n" if first else "", "Execution ", (execution_id, "bold"), " is ",
                         label(answer["status"]), ".")
    if stands_still(answer):
        told.append("\nIts time-outs stand still.")
    if answer.get("inFlight"):
        told.append(f"\nStill at work: {at_work(answer['inFlight'])}", style="yellow")
    if answer.get("holds"):
        told.append(f"\nStill held by {held_by(answer['holds'])}.", style="yellow")
    return told


def restart_page(execution_id: str, answer: Document) -> RenderableType:
    """Return what runs again in a restart and what does not; of a dry run, what would."""
    again = len(answer["runsAgain"])
    what = f"{again} block{'' if again == 1 else 's'} again, with version {answer['templateVersion']}."
    begin = ("A restart of ", " would run ") if answer["dryRun"] else ("Execution ", " runs ")
    heading = Text.assemble(begin[0], (execution_id, "bold"), begin[1], what)
    return Group(heading, _blocks_table(answer)) if again or answer["reuses"] else heading


def _blocks_table(answer: Document) -> Table:
    shown = table("Block", "Restart", "Approval", "Side effects", whole=["Block"])
    for name in answer["reuses"]:
        shown.add_row(Text(name, style="dim"), Text("result kept", style="dim"), "", "")
    for name in answer["runsAgain"]:
        shown.add_row(name, Text("runs again", style="cyan"),
                      Text("asked anew" if name in answer["asksAgain"] else "", style="yellow"),
                      Text("may happen twice" if name in answer["mayRepeat"] else "", style="bold red"))
    return shown
