"""Templates and their blocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.views.durations import NOTHING, moment
from cli.views.tables import table

Document = Mapping[str, Any]


def templates_table(templates: Iterable[Document]) -> Table:
    """Return templates, one a line."""
    shown = table("Template", "Name", "Version", "Status", "Blocks", "Tags", "Stored", numbers=["Blocks"],
                  whole=["Template"])
    for template in templates:
        shown.add_row(template["templateId"], template["name"], template["version"], template.get("status") or NOTHING,
                      str(len(template["blocks"])),
                      ", ".join(template.get("tags") or ()) or NOTHING, moment(template["updatedAt"]))
    return shown


def versions_table(versions: Iterable[Document]) -> Table:
    """Return versions of a template, one a line."""
    shown = table("Version", "Status", "Stored", "By")
    for version in versions:
        shown.add_row(version["version"], version.get("status") or NOTHING, moment(version["createdAt"]),
                      version["createdBy"])
    return shown


def template_page(template: Document) -> RenderableType:
    """Return one template with its blocks."""
    heading = Text.assemble((template["name"], "bold"), f"  {template['templateId']} {template['version']}\n",
                            (template.get("description") or "", "dim"))
    shown = table("Block", "Agent", "Tool", "After", "Person")
    for block in template["blocks"]:
        shown.add_row(block["blockId"], block.get("agentId") or NOTHING, block.get("toolType") or NOTHING,
                      ", ".join(block.get("dependencies") or ()) or NOTHING, _person(block))
    return Group(heading, shown)


def _person(block: Document) -> str:
    gate = block.get("humanInLoop") or {}
    return f"{gate.get('type', 'approval')} by {gate.get('approvalLevel', 'approver')}" if gate.get("required") \
        else NOTHING
