"""Values in memory come back as from a store, and nobody holds a part of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from workflow_service.domain.execution import Execution, Slot
from workflow_service.repositories.memory.stored_values import as_stored


def test_instants_and_durations_are_cut_and_json_is_copied() -> None:
    given: dict[str, Any] = {"list": (1, [2]), "object": {"a": None}}
    execution = Execution(
        workspace_id="w", execution_id="x1", template_id="t1", template_version="1.0.0", created_by="ann",
        created_at=datetime(2026, 3, 1, 13, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=1))), input=given,
        remaining=timedelta(milliseconds=1, microseconds=999), slots=(Slot(block_id="b1", fence=1),))
    stored = as_stored(execution)
    assert stored.created_at == datetime(2026, 3, 1, 12, 0, 0, 999_000, tzinfo=UTC)
    assert stored.remaining == timedelta(milliseconds=1)
    assert stored.slots == execution.slots
    assert stored.input == {"list": [1, [2]], "object": {"a": None}}
    given["object"]["a"] = 1
    assert stored.input["object"] == {"a": None}
