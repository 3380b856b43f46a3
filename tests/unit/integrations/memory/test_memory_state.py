"""What ``InMemoryStateService`` has beyond the port."""

from datetime import UTC, datetime, timedelta

import pytest

from workflow_service.domain.errors import Invalid, Unavailable
from workflow_service.domain.execution import Execution
from workflow_service.domain.recovery import Checkpoint, RecoveryPoint
from workflow_service.domain.statuses import BlockStatus
from workflow_service.integrations.memory.state import InMemoryStateService

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXECUTION = Execution(workspace_id="w", execution_id="e", template_id="t", template_version="1.0.0", created_by="ada",
                      created_at=NOON)
POINT = RecoveryPoint(point_id="p", workspace_id="w", execution_id="e", timestamp=NOON, state={}, completed_blocks=())


def checkpoint(block_id: str = "b", output: object = None) -> Checkpoint:
    """Return a checkpoint."""
    return Checkpoint(workspace_id="w", execution_id="e", block_id=block_id, epoch=1, fence=1, retry_count=0,
                      status=BlockStatus.COMPLETED, output={"value": output})


def test_it_shows_what_it_was_told() -> None:
    state = InMemoryStateService()
    assert not state.play("w", "e") and not state.block("w", "e", "b")
    state.checkpoint([checkpoint()])
    assert state.play("w", "e") is None
    state.put_play(EXECUTION)
    state.put_recovery_point(POINT)
    assert state.play("w", "e") == EXECUTION
    assert state.block("w", "e", "b") == checkpoint()
    assert state.recovery_points("w", "e") == (POINT,)
    assert not state.play("other", "e") and not state.block("other", "e", "b")
    assert state.recovery_points("other", "e") == ()


def test_calls_are_counted() -> None:
    state = InMemoryStateService()
    for count in (0, 2, 3):
        state.checkpoint([checkpoint(f"b{number}") for number in range(count)])
    assert state.batch_sizes == (2, 3)


def test_a_service_that_is_not_there_knows_nothing_afterwards() -> None:
    state = InMemoryStateService()
    state.set_available(False)
    for call in (lambda: state.put_play(EXECUTION), lambda: state.checkpoint([checkpoint()]),
                 lambda: state.put_recovery_point(POINT), lambda: state.context("w"),
                 lambda: state.changes(0, timedelta()), lambda: state.recovery_points("w", "e")):
        with pytest.raises(Unavailable):
            call()
    state.set_available(True)
    assert not state.play("w", "e") and not state.block("w", "e", "b")
    state.put_play(EXECUTION)
    assert state.play("w", "e") == EXECUTION


def test_what_could_not_be_sent_is_refused_and_the_rest_recorded() -> None:
    state = InMemoryStateService()
    with pytest.raises(Invalid) as raised:
        state.checkpoint([checkpoint("b1"), checkpoint("b2", output=object()), checkpoint("b3")])
    assert [issue.path for issue in raised.value.issues] == ["e:b2"]
    assert state.block("w", "e", "b1") and state.block("w", "e", "b3") and not state.block("w", "e", "b2")


def test_changes_carry_the_time_that_was_handed_in() -> None:
    state = InMemoryStateService(now=lambda: NOON)
    state.put_play(EXECUTION)
    assert [change.at for change in state.changes(0, timedelta()).changes] == [NOON]
