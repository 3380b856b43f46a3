"""Checkpoints and recovery points: what is kept of blocks and executions."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import LATER, LEASE, NOW, a_block_execution, a_running_block, an_execution
from tests.support.graphs import repeatable
from workflow_service.domain import blocks
from workflow_service.domain.recovery import Checkpoint, checkpoint_of, recovery_point_of
from workflow_service.domain.statuses import BlockStatus


def test_a_checkpoint_is_the_block_as_it_stands() -> None:
    running = a_running_block(epoch=2, retry_count=1)
    done = blocks.complete(blocks.with_input(running, {"i": 1}), {"o": 2}, None, LATER, LEASE)
    assert checkpoint_of(done) == Checkpoint(
        workspace_id="acme", execution_id="run", block_id="a", epoch=2, fence=1, status=BlockStatus.COMPLETED,
        retry_count=1, agent_id="echo", input={"i": 1}, output={"o": 2}, error=None, started_at=NOW,
        completed_at=LATER)


def test_a_recovery_point_knows_all_blocks_and_those_that_completed() -> None:
    found = (a_block_execution("a", status=BlockStatus.COMPLETED, epoch=2),
             a_block_execution("b", status=BlockStatus.SKIPPED), a_block_execution("c"))
    point = recovery_point_of(an_execution(), found, NOW)
    assert point.state == {"a": {"status": "completed", "epoch": 2}, "b": {"status": "skipped", "epoch": 1},
                           "c": {"status": "pending", "epoch": 1}}
    assert (point.completed_blocks, point.timestamp) == (("a",), NOW)
    assert (point.workspace_id, point.execution_id) == ("acme", "run")


@repeatable
@given(st.integers(0, 10**12), st.integers(-5, 5))
def test_a_recovery_point_has_the_one_id_of_its_millisecond(moment_ms: int, later_ms: int) -> None:
    at = NOW + timedelta(milliseconds=moment_ms)
    other = at + timedelta(milliseconds=later_ms)
    one, two = (recovery_point_of(an_execution(), (), instant).point_id for instant in (at, other))
    assert (one == two) == (later_ms == 0)
    assert one == f"run-{1755768600000 + moment_ms}"
