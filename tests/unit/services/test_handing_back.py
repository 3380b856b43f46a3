"""A process that has to end gives others what it is at, and what it still hears of it counts for nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.unit.services.lives import ACCEPTED, BROKEN, BUSY, LEASE, OPERATOR, B, Life, S, block, gate
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.execution import Execution
from workflow_service.integrations.memory.work import Outcome

DONE = {"value": "done"}


@dataclass(frozen=True, kw_only=True)
class Moment:
    """How things stood when a process had handed back what it was at."""

    handed_back: int
    block: BlockExecution
    execution: Execution
    messages: list[str]


def handing_back(*blocks: Mapping[str, Any], outcome: Outcome = DONE,
                 first: Callable[[Life, str], object] | None = None, **settings: Any) -> tuple[Life, str, Moment]:
    """Return an execution whose block ``a`` was handed back while its agent was at work.

    Args:
        outcome: what the agent told the caller that had handed it back.
        first: done right before.
    """
    life = Life(*blocks, **settings)
    seen: list[Moment] = []

    def work() -> Outcome:
        if first is not None:
            first(life, run)
        seen.append(Moment(handed_back=life.engine.handing_back.hand_back_all(), block=life.block(run, "a"),
                           execution=life.of(run), messages=[one.block_id for one in life.messages]))
        life.clock.advance(LEASE / 2)
        life.engine.leases.extend_all()  # nothing is left to extend, or to lose
        return outcome

    life.agents.plan("a", work)
    run = life.start()
    life.engine.blocks.run(life.messages.popleft())
    return life, run, seen[0]


def test_the_block_is_ready_at_once_and_sent_and_no_retry_is_used_up() -> None:
    life, run, moment = handing_back(block("a"), block("b", "a"))
    handed = moment.block
    assert (handed.status, handed.lease_owner, handed.attempt) == (B.READY, None, 1)  # the agent is at work
    assert (moment.handed_back, moment.messages) == (1, ["a"])
    assert (life.engine.counts.blocks_handed_back.value, life.engine.counts.leases_lost.value) == (1, 0)
    life.ends(run, S.COMPLETED, a="completed", b="completed")
    assert (life.block(run, "a").retry_count, life.block(run, "a").lost_leases) == (0, 0)


@pytest.mark.parametrize("outcome", [DONE, BUSY, BROKEN, ACCEPTED], ids=["done", "busy", "broken", "accepted"])
def test_a_late_answer_is_dropped_and_counted(outcome: Outcome, caplog: pytest.LogCaptureFixture) -> None:
    life, run, moment = handing_back(block("a"), outcome=outcome)
    assert life.block(run, "a") == moment.block
    assert life.engine.counts.results_dropped.value == 1
    (said,) = [record for record in caplog.records if "dropped" in record.getMessage()]
    assert (said.__dict__["execution_id"], said.__dict__["block_id"]) == (run, "a")


def test_whoever_has_it_next_gets_the_result_of_the_same_work() -> None:
    life, run, _ = handing_back(block("a"))
    life.work()
    assert life.statuses(run) == {"a": "completed"}
    assert life.agents.called("a") == 1
    assert life.block(run, "a").output == DONE


def test_the_input_that_the_agent_was_given_is_kept() -> None:
    _, _, moment = handing_back(block("a"))
    assert moment.block.input == {"value": "a"}


def test_its_slot_is_anothers() -> None:
    life, run, moment = handing_back(block("a"), block("b"), maxParallelBlocks=1)
    assert moment.execution.slots == ()
    assert sorted(moment.messages) == ["a", "b"]
    life.ends(run, S.COMPLETED, a="completed", b="completed")


def test_a_pause_that_waited_for_it_is_complete() -> None:
    life, run, moment = handing_back(block("a"), gate("g"), first=lambda life, run: life.pause(run))
    assert moment.execution.status is S.PAUSED
    assert "a" not in moment.messages
    life.engine.holds.resume(OPERATOR, run)
    life.work()
    assert life.statuses(run)["a"] == "completed"
    life.is_right()


def test_what_has_ended_is_not_handed_back() -> None:
    life = Life(block("a"))
    run = life.start()
    life.engine.blocks.run(life.messages.popleft())
    assert life.engine.handing_back.hand_back_all() == 0
    life.ends(run, S.COMPLETED, a="completed")


def test_a_process_that_is_to_end_dispatches_the_next_block() -> None:
    life = Life(block("a"), block("b", "a"))

    def work() -> Outcome:
        life.engine.leases.end()
        return DONE

    life.agents.plan("a", work)
    run = life.start()
    life.engine.blocks.run(life.messages.popleft())
    assert life.statuses(run) == {"a": "completed", "b": "ready"}
    assert [one.block_id for one in life.messages] == ["b"]
