"""Executions and their blocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from cli.views.durations import NOTHING, elapsed, instant, length, moment
from cli.views.signals import awaited
from cli.views.standing import OPERATOR_HOLD, remarks, short_status
from cli.views.statuses import ENDED, label, mark, style
from cli.views.tables import table

Document = Mapping[str, Any]
_PARKED = "awaiting_"
_BLOCK_ENDS = frozenset({"completed", "failed", "rejected", "skipped", "cancelled", "compensated"})
_NAMED = 3
"""How many of the blocks that wait for the same are named."""
_WAITED_FOR: Mapping[str, str] = {"awaiting_approval": "a person", "awaiting_agent": "an agent",
                                  "awaiting_signal": "a signal", "awaiting_time": "its time",
                                  "retry_wait": "the next attempt"}


def executions_table(executions: Iterable[Document], now: datetime) -> Table:
    """Return executions, one a line."""
    shown = table("Execution", "Template", "Status", "Started", "Time", "By", numbers=["Time"], whole=["Execution"])
    for execution in executions:
        shown.add_row(execution["executionId"], named(execution), short_status(execution),
                      moment(execution["startedAt"]), length(_elapsed(execution, now)), execution["createdBy"])
    return shown


def execution_page(execution: Document, now: datetime) -> RenderableType:
    """Return one execution with its blocks, and what went wrong."""
    heading = Text.assemble(("Execution ", "bold"), execution["executionId"], "  ", label(execution["status"]), "\n",
                            named(execution), "  started ", moment(execution["startedAt"]), " by ",
                            execution["createdBy"], "  ", length(_elapsed(execution, now)))
    return Group(heading, *(Text(remark, style="yellow") for remark in remarks(execution)),
                 blocks_table(execution, now), *_troubles(execution, now))


def blocks_table(execution: Document, now: datetime) -> Table:
    """Return the blocks of an execution: who did them, how often, how long, with what end."""
    shown = table("Block", "Agent", "Attempts", "Time", "Status", numbers=["Attempts", "Time"], whole=["Block"])
    for block in execution["blockExecutions"]:
        shown.add_row(block["blockId"], block["agentId"] or NOTHING, str(attempts(block) or NOTHING),
                      length(_elapsed(block, now)), _status(block, now))
    return shown


def execution_tree(execution: Document, steps: Sequence[Sequence[str]], now: datetime) -> Tree:
    """Return an execution as it stands, its blocks in the steps in which they can run.

    Args:
        execution: as the API shows it.
        steps: the ids of the blocks of each step; a block that is in none is shown as a last step.
    """
    blocks = {block["blockId"]: block for block in execution["blockExecutions"]}
    known = {name for step in steps for name in step}
    rest = [name for name in blocks if name not in known]
    root = Tree(Text.assemble((named(execution), "bold"), "  ", label(execution["status"]),
                              *((f"\n{remark}", "yellow") for remark in remarks(execution)),
                              (f"\n{progress(execution, now)}", "dim")), guide_style="dim")
    for number, step in enumerate([*steps, rest] if rest else steps, start=1):
        together = " (in parallel)" if len(step) > 1 else ""
        branch = root.add(Text(f"step {number}{together}", style="dim"))
        for name in step:
            if name in blocks:
                branch.add(_line(blocks[name], now))
    return root


def progress(execution: Document, now: datetime) -> str:
    """Return how far an execution is: its blocks that have ended, how long it took, and what it waits for."""
    blocks = execution["blockExecutions"]
    ended = sum(block["status"] in _BLOCK_ENDS for block in blocks)
    told = [f"{ended} of {len(blocks)} block{'' if len(blocks) == 1 else 's'}", length(_elapsed(execution, now))]
    if execution["status"] not in ENDED:
        told += _waits_for(blocks)
    return " · ".join(told)


def steps_of(template: Document) -> list[list[str]]:
    """Return the ids of a template's blocks, each in the first step in which it can run."""
    before = _predecessors(template)
    steps: list[list[str]] = []
    placed: set[str] = set()
    while len(placed) < len(before):
        step = [name for name, sources in before.items() if name not in placed and sources <= placed]
        if not step:  # a cycle, which no stored template has
            return [list(before)]
        steps.append(step)
        placed.update(step)
    return steps


def named(execution: Document) -> str:
    """Return the name of what an execution runs."""
    return f"{execution['templateId']} {execution['templateVersion']}"


def attempts(block: Document) -> int:
    """Return how often the agent was called, as far as the API tells."""
    told = block.get("attempt")
    return int(told) if told is not None else (int(block["retryCount"]) + 1 if block["startedAt"] else 0)


def note(block: Document, now: datetime | None = None) -> str:
    """Return what there is to tell about a block beside its status; empty if nothing.

    Args:
        now: from when the time to the next attempt is counted; None to leave it out.
    """
    if block.get("suppliedBy"):
        return f"skipped by {block['suppliedBy']}"
    if block["error"] and block["status"] in ("failed", "rejected", "retry_wait"):
        told = f"{block['error'].get('code', 'error')}: {block['error'].get('message', '')}".strip()
        return ", ".join(part for part in (told, _next_attempt(block, now)) if part)
    people = block["humanInteractions"]
    if people and block["status"] == "awaiting_approval":
        return f"asked {moment(people[-1]['requestedAt'])}"
    if waits_for := awaited(block):
        return waits_for
    answered = [person for person in people if person["respondedAt"] and person["approver"]]
    return f"answered by {answered[-1]['approver']}" if answered else ""


def _line(block: Document, now: datetime) -> Text:
    number = attempts(block)
    line = Text.assemble(mark(block["status"]), " ", (block["blockId"], "bold"))
    for part, colour in ((block["agentId"] or NOTHING, "dim"),
                         (label(block["status"]).plain, style(block["status"])),
                         (length(_elapsed(block, now)) if number else "", "dim"),
                         (f"attempt {number}" if number > 1 else "", style("retry_wait")),
                         (note(block, now), "dim")):
        line.append(f"  {part}" if part else "", style=colour)
    return line


def _waits_for(blocks: Sequence[Document]) -> list[str]:
    """Return what an execution waits for, a few blocks by their names."""
    waiting: dict[str, list[str]] = {}
    for block in blocks:
        if block["status"].startswith(_PARKED) or block["status"] == "retry_wait":
            kind = _WAITED_FOR.get(block["status"], block["status"].removeprefix(_PARKED))
            waiting.setdefault(kind, []).append(block["blockId"])
    return [f"waits for {kind}: {_shortened(names)}" for kind, names in waiting.items()]


def _shortened(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _next_attempt(block: Document, now: datetime | None) -> str:
    due = instant(block.get("nextAttemptAt"))
    if due is None or now is None:
        return ""
    return f"next attempt in {length(due - now)}" if due > now else "next attempt is due"


def _status(block: Document, now: datetime) -> Text:
    told = note(block, now)
    return Text.assemble(mark(block["status"]), " ", label(block["status"]), f" ({told})" if told else "")


def _troubles(execution: Document, now: datetime) -> list[Text]:
    """Return the errors of an execution, and what it waits for."""
    troubles = [Text(f"{block['blockId']}: {note(block, now)}", style="red") for block in execution["blockExecutions"]
                if block["status"] in ("failed", "rejected")]
    if any(block["status"] == "awaiting_approval" for block in execution["blockExecutions"]):
        command = f"workflow-service approvals list --execution {execution['executionId']}"
        troubles.append(Text(f"Somebody is asked: {command}", style="yellow"))
    if OPERATOR_HOLD in (execution.get("holds") or ()):
        command = f"workflow-service executions resume {execution['executionId']}"
        troubles.append(Text(f"Let it go on: {command}", style="yellow"))
    if execution["status"] == "failed":
        command = f"workflow-service executions restart {execution['executionId']} --dry-run"
        troubles.append(Text(f"What a restart would do: {command}", style="yellow"))
    return troubles


def _predecessors(template: Document) -> dict[str, set[str]]:
    """Return for each block those that it waits for: its dependencies, and who branches to it."""
    blocks = template["blocks"]
    before = {block["blockId"]: set(block.get("dependencies") or ()) for block in blocks}
    for block in blocks:
        for branch in (block.get("conditions") or {}).get("branches") or ():
            for name in branch.get("nextBlocks") or ():
                before.get(name, set()).add(block["blockId"])
    return {name: sources & before.keys() for name, sources in before.items()}


def _elapsed(thing: Document, now: datetime) -> Any:
    return elapsed(thing["startedAt"], thing["completedAt"], now)
