"""Losing a lease is noticed once, and what comes of the work after that is dropped, and counted."""

from __future__ import annotations

import pytest

from tests.unit.services.lives import LEASE, OPERATOR, Life, S, block
from workflow_service.domain import blocks
from workflow_service.domain.commands import CancelExecution, CancelMode
from workflow_service.services.claims import Claim
from workflow_service.services.engine import Engine


def losing(by_cancel: bool) -> tuple[Life, str, Engine]:
    """Return an execution whose block another owner took, or an operator cancelled, while its agent was at work.

    Returns:
        With it the engine that lost it, whose heart beat three times meanwhile.
    """
    life = Life(block("a"))
    engine, other = life.engine, life._engine()

    def work() -> dict[str, str]:
        life.clock.advance(2 * LEASE)
        if by_cancel:
            other.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run, mode=CancelMode.FORCE))
        else:
            other.blocks.run(message)
        for _ in range(3):
            engine.leases.extend_all()
        return {"value": "late"}

    life.agents.plan("a", work)
    run = life.start()
    message = life.messages.popleft()
    engine.blocks.run(message)
    return life, run, engine


@pytest.mark.parametrize("by_cancel", [False, True], ids=["another owner", "cancelled by force"])
def test_a_lost_lease_is_logged_once_and_counted_and_so_is_what_comes_of_it(caplog: pytest.LogCaptureFixture,
                                                                            by_cancel: bool) -> None:
    life, run, engine = losing(by_cancel)
    assert (engine.counts.leases_lost.value, engine.counts.results_dropped.value) == (1, 1)
    said = [record for record in caplog.records if record.name.endswith(".leases")]
    assert [record.getMessage().split()[-1] for record in said] == ["lost", "ours"]
    assert {(record.__dict__["execution_id"], record.__dict__["block_id"]) for record in said} == {(run, "a")}
    life.settle()
    life.is_right()
    assert life.of(run).status is (S.CANCELLED if by_cancel else S.COMPLETED)


def test_the_end_of_our_own_work_is_no_loss() -> None:
    life = Life(block("a"))
    run = life.start()
    execution, ready, now = life.of(run), life.block(run, "a"), life.clock.now()
    claimed = blocks.claim(ready, "worker", now, LEASE)
    assert life.blocks.change(ready, claimed)
    claim = Claim(plan=life.record(run).plan, execution=execution, block=claimed, since_s=now.timestamp())
    with life.engine.leases.held(claim):
        assert life.blocks.change(claimed, blocks.complete(claimed, {}, None, life.clock.now(), LEASE))
        life.engine.leases.extend_all()
    assert life.engine.counts.leases_lost.value == 0
