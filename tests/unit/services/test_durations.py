"""How long blocks took before, for the plan of the next execution."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.unit.services.lives import OPERATOR, Life, S, block, gate

SECOND = timedelta(seconds=1)


def taking(life: Life, seconds: int) -> Any:
    """Return what an agent does that takes so long."""
    def work() -> dict[str, Any]:
        life.clock.advance(seconds * SECOND)
        return {"value": 1}
    return work


def test_what_blocks_took_before_counts_and_the_median_of_it() -> None:
    life = Life(block("a", metadata={"estimatedDuration": 60_000}), block("b", "a"))
    assert life.engine.template_reviews.plan(OPERATOR, "t").outline.estimated_duration is None
    for seconds in (2, 9, 3):
        life.agents.plan("a", taking(life, seconds))
        life.agents.plan("b", taking(life, 1))
        life.ends(life.start(), S.COMPLETED)
    estimate = life.engine.template_reviews.plan(OPERATOR, "t").outline.estimated_duration
    assert estimate is not None and 4 * SECOND <= estimate < 5 * SECOND


def test_the_time_of_people_does_not_count() -> None:
    life = Life(gate("a", metadata={"estimatedDuration": 5_000}))
    run = life.start()
    life.settle()
    life.pass_time(30 * 60 * SECOND)
    life.answer(run, "a")
    life.ends(run, S.COMPLETED)
    assert life.engine.template_reviews.plan(OPERATOR, "t").outline.estimated_duration == 5 * SECOND
