"""What a template would do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.views.durations import NOTHING, instant, length
from cli.views.statuses import label, mark
from cli.views.tables import table

Document = Mapping[str, Any]
_UNTOLD = frozenset({
    "wait_counted", "wait_fired", "wait_cancelled", "execution_waiting", "execution_resumed",
    "execution_withdrawn"})
"""Events that say again what others say."""
_UNTOLD_OF_PARTS = frozenset({"execution_started", "execution_completed"})
"""The same of executions that are parts of a block."""
_UNSAID = ("is ready", "waits for a person's answer", "goes on: the request was answered",
           "goes on: its children have ended", "is to wait for a person's answer", "is to wait for its agent's answer",
           "is to wait for its children", "waits for its time", "waits for a signal")
"""What is said of a block, and again by what follows or comes before."""
_STYLES: Mapping[str, str] = {
    "block_completed": "green", "execution_completed": "green", "block_failed": "bold red",
    "block_rejected": "bold red", "execution_failed": "bold red", "block_retry_scheduled": "yellow",
    "approval_timeout": "yellow",
    "approval_requested": "cyan", "approval_responded": "cyan", "block_skipped": "dim",
    "block_cancelled": "magenta"}


def simulation_page(found: Document) -> RenderableType:
    """Return what happened in a simulation, what people would be asked, and how it ends."""
    return Group(_timeline(found), _blocks(found), *_approvals(found), *_not_reached(found), _verdict(found))


def _timeline(found: Document) -> Table:
    shown = table("Elapsed", "Block", "What happens", numbers=["Elapsed"], whole=["Elapsed", "Block"])
    for event in found["timeline"]:
        words = str(event["message"]).removeprefix(f"Block '{event['blockId']}' ")
        untold = _UNTOLD | _UNTOLD_OF_PARTS if event["within"] else _UNTOLD
        if event["type"] not in untold and words not in _UNSAID:
            shown.add_row(_clock(event["sinceStartMs"]), _place(event),
                          Text(words, style=_STYLES.get(event["type"], "")))
    return shown


def _blocks(found: Document) -> Table:
    shown = table("Block", "Agent", "Attempts", "Begins after", "Takes", "Status", whole=["Block"],
                  numbers=["Attempts", "Begins after", "Takes"])
    for step in found["path"]:
        shown.add_row(_place(step), step["agentId"] or NOTHING, str(step["attempts"] or NOTHING),
                      _between(found["startedAt"], step["startedAt"]),
                      _between(step["startedAt"], step["completedAt"]),
                      Text.assemble(mark(step["status"]), " ", label(step["status"])))
    return shown


def _approvals(found: Document) -> Iterator[Text]:
    for asked in found["approvals"]:
        began = _between(found["startedAt"], asked["requestedAt"])
        yield Text.assemble((f"Asks {asked['assignedTo']}", "cyan"), f" at '{asked['blockId']}' after {began}: ",
                            label(asked["status"]), _answer_time(asked))
        for escalation in asked["escalations"]:
            yield Text(f"  no answer in {_between(asked['requestedAt'], escalation['escalatedAt'])}: asks "
                       f"{escalation['assignedTo']}", style="yellow")
        if asked["refusal"]:
            yield Text(f"  the foretold answer is refused: {asked['refusal']}", style="bold red")


def _answer_time(asked: Document) -> str:
    return f" {_between(asked['requestedAt'], asked['respondedAt'])} later" if asked["respondedAt"] else ""


def _not_reached(found: Document) -> Iterator[Text]:
    names = [block["blockId"] for block in found["neverReached"]]
    if names:
        yield Text.assemble(("Never reached: ", "dim"), ", ".join(dict.fromkeys(names)))


def _verdict(found: Document) -> Text:
    calls = sum(found["agentCalls"].values())
    figures = f"{_count(calls, 'agent call')}, {_count(len(found['approvals']), 'question')} to people"
    error = found["error"] or {}
    why = found["reason"] or ": ".join(str(error[part]) for part in ("blockId", "code", "message") if error.get(part))
    return Text.assemble(mark(found["outcome"]), (f" {found['templateId']} {found['templateVersion']} ", "bold"),
                         label(found["outcome"]), f" after {_length(found['durationMs'])}, {figures}",
                         f"\n  {why}" if why else "")


def _place(thing: Document) -> str:
    """Return the block, and of which it is a part."""
    return "/".join(name for name in (thing["within"], thing["blockId"]) if name) or NOTHING


def _between(start: str, end: str | None) -> str:
    began, ended = instant(start), instant(end)
    return NOTHING if began is None or ended is None else length(ended - began)


def _clock(milliseconds: int) -> str:
    """Return a time since the start, as exact as it has to be to tell two steps apart."""
    seconds, rest = divmod(milliseconds, 1000)
    days, hours = divmod(seconds // 3600, 24)
    return (f"{days} d " if days else "") + f"{hours}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest // 100}"


def _length(milliseconds: int) -> str:
    return length(timedelta(milliseconds=milliseconds))


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
