"""The ids of the service and how the composed ones are made.

A user's id matches ``ID_PATTERN``. Composed ids join such ids with ``:``, which no user's id can hold, so that they
are unique and can be taken apart again. The compiler's own blocks (joins) hold ``~`` for the same reason.
"""

from __future__ import annotations

import re
from uuid import NAMESPACE_URL, uuid5

ID_PATTERN = r"^[A-Za-z0-9_-]{1,128}$"
_ID = re.compile(ID_PATTERN[:-1] + r"\Z")


def is_id(text: object) -> bool:
    """Say whether this is an id that a user may give."""
    return isinstance(text, str) and _ID.match(text) is not None


def is_join(block_id: str) -> bool:
    """Say whether this is the id of a join that the compiler made."""
    return "~" in block_id


def keyed_execution_id(workspace_id: str, key: str) -> str:
    """Return the one possible id of an execution that is started with an idempotency key: its document is the claim."""
    return uuid5(NAMESPACE_URL, f"start:{workspace_id}:{key}").hex


def keyed_signal_id(workspace_id: str, execution_id: str, key: str) -> str:
    """Return the one possible id of a signal that is sent to an execution with an idempotency key."""
    return uuid5(NAMESPACE_URL, f"signal:{workspace_id}:{execution_id}:{key}").hex


def block_execution_id(execution_id: str, block_id: str) -> str:
    """Return the id of one block within one execution."""
    return f"{execution_id}:{block_id}"


def idempotency_key(execution_id: str, block_id: str, epoch: int) -> str:
    """Return the key that an agent sees; it changes only when a block is deliberately run again."""
    return f"{execution_id}:{block_id}:{epoch}"


def wait_id(execution_id: str, block_id: str, epoch: int, kind: str, revision: int = 0) -> str:
    """Return the one possible id of this wait, so that inserting it twice is noticed."""
    return f"{execution_id}:{block_id}:{epoch}:{kind}:{revision}"


def approval_id(wait: str) -> str:
    """Return the id of the approval that belongs to a wait, in a form that is at home in a URL."""
    return uuid5(NAMESPACE_URL, f"approval:{wait}").hex


def edge_entry(block_id: str, epoch: int) -> str:
    """Return the entry that stands in ``pendingEdges`` of a successor for an edge from this block."""
    return f"{block_id}:{epoch}"
