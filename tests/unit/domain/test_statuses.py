"""The transition tables: every pair of every table is tried."""

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from typing import Any

import pytest

from workflow_service.domain.errors import Conflict, IllegalTransition
from workflow_service.domain.statuses import (
    APPROVAL_TRANSITIONS,
    BLOCK_ENDS,
    BLOCK_TRANSITIONS,
    EXECUTION_TRANSITIONS,
    FAILURES,
    PARKED,
    WAIT_TRANSITIONS,
    ApprovalStatus,
    BlockStatus,
    ExecutionStatus,
    WaitKind,
    WaitStatus,
    check,
)

PARKS = "awaiting_approval awaiting_agent awaiting_signal awaiting_time awaiting_children awaiting_fix"

LEGAL: dict[type[StrEnum], dict[str, str]] = {
    ExecutionStatus: {
        "pending": "running cancelling",
        "running": "waiting pausing cancelling compensating completed failed cancelled",
        "waiting": "running pausing cancelling compensating completed failed cancelled",
        "pausing": "paused running cancelling completed failed cancelled",
        "paused": "running cancelling completed failed cancelled",
        "cancelling": "compensating completed failed cancelled",
        "compensating": "completed failed cancelled",
        "completed": "running",
        "failed": "running",
        "cancelled": "running",
    },
    BlockStatus: {
        "pending": "ready skipped cancelled completed",
        "ready": "running skipped cancelled",
        "running": f"running ready retry_wait completed failed rejected skipped cancelled {PARKS}",
        "retry_wait": "ready skipped cancelled",
        **{park: "ready skipped cancelled" for park in PARKS.split()},
        "completed": "compensating",
        "compensating": "compensated failed",
    },
    ApprovalStatus: {"pending": "approved rejected expired cancelled superseded"},
    WaitStatus: {"open": "fired cancelled"},
}
"""What may follow what, written down a second time."""
TABLES: dict[type[StrEnum], Mapping[Any, frozenset[Any]]] = {
    ExecutionStatus: EXECUTION_TRANSITIONS, BlockStatus: BLOCK_TRANSITIONS, ApprovalStatus: APPROVAL_TRANSITIONS,
    WaitStatus: WAIT_TRANSITIONS}
PAIRS = [pytest.param(kind, current, target, id=f"{kind.__name__}-{current}-{target}")
         for kind in TABLES for current, target in product(kind, kind)]


@pytest.mark.parametrize(("kind", "current", "target"), PAIRS)
def test_every_pair(kind: type[StrEnum], current: Any, target: Any) -> None:
    if target.value in LEGAL[kind].get(current.value, "").split():
        assert check(TABLES[kind], "thing", "x", current, target) is target
    else:
        with pytest.raises(IllegalTransition):
            check(TABLES[kind], "thing", "x", current, target)


@pytest.mark.parametrize("kind", TABLES, ids=lambda kind: kind.__name__)
def test_every_status_stands_in_its_table(kind: type[StrEnum]) -> None:
    assert set(TABLES[kind]) == set(kind)


def test_a_refusal_says_what_was_refused() -> None:
    with pytest.raises(Conflict, match="The block 'run:a' is completed; it can't become ready.") as refused:
        check(BLOCK_TRANSITIONS, "block", "run:a", BlockStatus.COMPLETED, BlockStatus.READY)
    assert refused.value.code == "illegal_transition"


def test_ends() -> None:
    assert {status for status in BlockStatus if status.is_terminal} == BLOCK_ENDS == {
        "completed", "failed", "rejected", "skipped", "cancelled", "compensated"}
    assert {status for status in ExecutionStatus if status.is_terminal} == {"completed", "failed", "cancelled"}
    assert FAILURES < BLOCK_ENDS


def test_each_kind_of_wait_has_its_parked_status() -> None:
    assert {kind.parked_status for kind in WaitKind} == PARKED == {s for s in BlockStatus if s.is_parked}
    assert len(PARKED) == len(WaitKind)


@pytest.mark.parametrize("end", [BlockStatus.CANCELLED, BlockStatus.SKIPPED])
def test_every_block_can_be_cancelled_or_withdrawn_until_it_has_ended(end: BlockStatus) -> None:
    open_ones = set(BlockStatus) - BLOCK_ENDS - {BlockStatus.COMPENSATING}
    assert {status for status in BlockStatus if end in BLOCK_TRANSITIONS[status]} == open_ones


@pytest.mark.parametrize("kind", TABLES, ids=lambda kind: kind.__name__)
def test_every_status_can_be_reached(kind: type[StrEnum]) -> None:
    reached = {next(iter(kind))}
    while more := {target for status in reached for target in TABLES[kind][status]} - reached:
        reached |= more
    assert reached == set(kind)
