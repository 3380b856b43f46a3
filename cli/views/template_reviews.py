"""What differs between versions, what is wrong with a template, and in what order it would run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import groupby
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from cli.views.durations import length

Document = Mapping[str, Any]
_SIGNS = {"added": ("+ ", "green"), "removed": ("- ", "red"), "changed": ("~ ", "yellow")}
_LONGEST = 100
"""Characters of a value that are shown."""


def diff_page(diff: Document) -> RenderableType:
    """Return what differs between two versions of a template."""
    lines = [Text(f"{diff['templateId']} {diff['from']} -> {diff['to']}", style="bold"), *_differences(diff)]
    return Group(*lines) if len(lines) > 1 else Group(*lines, Text("Nothing differs.", style="dim"))


def _differences(diff: Document) -> Iterator[Text]:
    for change in (*diff["addedBlocks"], *diff["removedBlocks"]):
        block = change["new"] or change["old"]
        yield _signed(change["kind"], f"block {block['blockId']}", f"{block['toolType']} by {block['agentId']}")
    for block in diff["changedBlocks"]:
        yield _signed("changed", f"block {block['blockId']}", "")
        yield from (_change(change, block["path"], "    ") for change in block["changes"])
    yield from (_change(change, "", "") for change in diff["changedSettings"])
    if diff["orderChanged"]:
        yield _signed("changed", "order of the blocks", "")


def _change(change: Document, within: str, indent: str) -> Text:
    place = change["path"].removeprefix(within).lstrip("/").replace("/", ".")
    values = {"added": _value(change["new"]), "removed": _value(change["old"]),
              "changed": f"{_value(change['old'])} -> {_value(change['new'])}"}
    return Text(indent) + _signed(change["kind"], place, values[change["kind"]])


def _signed(kind: str, name: str, what: str) -> Text:
    sign, style = _SIGNS[kind]
    return Text.assemble((sign + name, style), f"  {what}" if what else "")


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def validation_page(validation: Document) -> RenderableType:
    """Return whether a template could run now, and what is wrong with it."""
    if validation["valid"]:
        return Text("It could run now.", style="green")
    return Group(*(Text.assemble((issue["path"] or "(whole)", "bold"), f": {issue['message']}",
                                 (_allowed(issue["allowed"]), "dim")) for issue in validation["issues"]))


def _allowed(names: Iterable[str]) -> str:
    listed = ", ".join(names)
    return f" (allowed: {listed})" if listed else ""


def plan_tree(plan: Document) -> RenderableType:
    """Return a plan as a tree: a branch for each wave, in it what runs side by side, each on a line."""
    tree = Tree(Text.assemble((f"{plan['templateId']} {plan['version']}", "bold"), f"  {_figures(plan)}"))
    critical, gates = set(plan["criticalPath"]), set(plan["gates"])
    for wave, segments in groupby(plan["segments"], key=lambda segment: segment["wave"]):
        branch = tree.add(Text(f"wave {wave}", style="dim"))
        for segment in segments:
            for line in segment["lines"]:
                branch.add(_line(line, critical, gates))
            if segment["join"] is not None:
                branch.add(Text.assemble(("then ", "dim"), _line(segment["join"], critical, gates)))
    path = Text.assemble(("Critical path: ", "dim"), " -> ".join(plan["criticalPath"]))
    others = ", ".join(plan["onlyAfterFailures"])
    return Group(tree, path, *([Text.assemble(("Only after a failure: ", "dim"), others)] if others else []))


def _figures(plan: Document) -> str:
    estimate, limit = plan["estimatedDuration"], plan["maxParallelBlocks"]
    parts = [f"{plan['blockCount']} blocks", f"at most {plan['widestLevel']} side by side"]
    parts += [f"limit {limit}"] if limit is not None else []
    known = None if estimate is None else f"about {length(timedelta(milliseconds=estimate))}"
    return ", ".join([*parts, known or "duration not known"])


def _line(line: Document, critical: set[str], gates: set[str]) -> Text:
    names = [Text.assemble((name, "bold" if name in critical else ""),
                           (" (asks a person)" if name in gates else "", "cyan"))
             for run in line["runs"] for name in run]
    return Text(" -> ").join(names)
