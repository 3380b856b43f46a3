"""A simulation that takes too much ends, and tells what it found out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders import a_block_document
from tests.support.simulating import PATIENT, a_gate_document, most_at_once, simulated, threads_left
from workflow_service.simulation.limits import Limits

DAY_MS = 24 * 3600 * 1000


@pytest.mark.parametrize(("limits", "reason"), [
    ({"events": 50}, "More than 50 events happened."),
    ({"virtual_time": timedelta(days=1)}, "It would go on for more than 1 days."),
    ({"real_time": timedelta(0)}, "It took more than 0 s to simulate."),
])
def test_each_limit_cuts_it_short(limits: dict[str, Any], reason: str) -> None:
    told = simulated(*(a_block_document(f"b{number}") for number in range(20)),
                     a_gate_document("ask", *(f"b{number}" for number in range(20)), gate={"timeout": 300 * DAY_MS}),
                     decide={"ask": {"decision": "approve", "afterMs": 2 * DAY_MS}}, settings={"timeout": 300 * DAY_MS},
                     limits=Limits(**{"real_time": PATIENT.real_time, **limits}))
    assert (told["outcome"], told["reason"]) == ("cut_short", reason)
    assert told["timeline"]
    assert not threads_left()


def test_no_more_agents_are_called_at_once_than_there_are_workers() -> None:
    told = simulated(*(a_block_document(f"b{number}") for number in range(6)), settings={"maxParallelBlocks": 6},
                     limits=Limits(real_time=PATIENT.real_time, workers=2))
    assert (told["outcome"], most_at_once(told), told["durationMs"]) == ("completed", 2, 3000)


def test_questions_that_are_escalated_for_ever_end_by_themselves() -> None:
    told = simulated(*(a_gate_document(f"ask{number}", gate={"timeout": 1000 + number}) for number in range(5)))
    assert told["outcome"] == "waiting"
    assert [len(asked["escalations"]) for asked in told["approvals"]] == [1, 1, 1, 1, 1]


def test_a_template_of_many_blocks() -> None:
    names = [f"b{number}" for number in range(400)]
    told = simulated(*(a_block_document(name, *before) for name, before in zip(names, [[], *([one] for one in names)],
                                                                               strict=False)),
                     settings={"timeout": DAY_MS})
    assert (told["outcome"], told["durationMs"]) == ("completed", 400_000)
