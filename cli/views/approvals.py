"""Requests to people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.views.durations import elapsed, length, moment
from cli.views.statuses import label
from cli.views.tables import table

Document = Mapping[str, Any]


def approvals_table(approvals: Iterable[Document], now: datetime) -> Table:
    """Return requests, one a line."""
    shown = table("Approval", "Block", "What", "For", "Waits", numbers=["Waits"], whole=["Approval"])
    for approval in approvals:
        shown.add_row(approval["approvalId"], approval["blockId"], f"{approval['type']}: {approval['title']}",
                      approval["assignedTo"], length(elapsed(approval["requestedAt"], None, now)))
    return shown


def approval_page(approval: Document) -> RenderableType:
    """Return one request with what is to be approved."""
    heading = Text.assemble((approval["title"], "bold"), "  ", label(approval["status"]), "\n",
                            f"{approval['type']} of block {approval['blockId']} in execution "
                            f"{approval['executionId']}\nfor {approval['assignedTo']}, asked "
                            f"{moment(approval['requestedAt'])}, overdue {moment(approval['overdueAt'])}")
    parts: list[RenderableType] = [heading, *_fields("To be approved", approval["payload"])]
    names = ", ".join((approval["inputSchema"].get("properties") or {}).keys())
    if names:
        parts.append(Text(f"The response may have: {names}", style="dim"))
    if approval["respondedAt"]:
        parts += _fields(f"Answered by {approval['approver']}", approval["response"] or {})
    return Group(*parts)


def _fields(title: str, values: Document) -> list[RenderableType]:
    """Return named values, long texts below their names."""
    parts: list[RenderableType] = [Text(f"\n{title}", style="bold")]
    for name, value in values.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        parts.append(Text.assemble((f"{name}:", "cyan"), "\n" if "\n" in text else " ", text))
    return parts
