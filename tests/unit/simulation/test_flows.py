"""Maps, loops, other workflows, early joins, failure branches and ends, as simulations tell of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.builders import a_block_document, a_template_document
from tests.support.simulating import ADA, PATIENT, a_gate_document, path, simulated, step
from workflow_service.domain.errors import Invalid
from workflow_service.integrations.memory.agents import InMemoryAgentService
from workflow_service.repositories.memory.clock import SystemClock
from workflow_service.repositories.memory.templates import TemplatesInMemory
from workflow_service.services.templates import Templates
from workflow_service.simulation.simulations import Simulations

LIST = {"items": "input.list", "as": "x"}
ITEMS = {"list": [1, 2, 3]}


def places(told: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the blocks that began, with the part in which they did."""
    return [(one["within"], one["blockId"]) for one in told["path"]]


def test_the_items_of_a_map_are_parts_of_it() -> None:
    told = simulated(a_block_document("m", map={**LIST, "maxParallel": 2}, configuration={"n": "${x * 10}"}),
                     input=ITEMS)
    assert (told["outcome"], told["durationMs"], told["agentCalls"]) == ("completed", 2000, {"echo": 3})
    assert places(told) == [("", "m"), ("m[0]", "m"), ("m[1]", "m"), ("m[2]", "m")]
    assert told["output"] == {"m": {"results": [{"n": 10}, {"n": 20}, {"n": 30}], "failed": [], "total": 3}}


def test_some_items_may_fail() -> None:
    told = simulated(a_block_document("m", map={**LIST, "tolerateFailures": 1}), input=ITEMS, fail={"m": "agent*1"})
    assert (told["outcome"], step(told, "m")["output"]["failed"]) == ("completed", [0])
    told = simulated(a_block_document("m", map=LIST), input=ITEMS, fail={"m": "agent*1"})
    assert (told["outcome"], told["error"]["code"]) == ("failed", "items_failed")


def test_a_loop_goes_round_until_its_answers_say_so() -> None:
    told = simulated(a_block_document("l", loop={"until": "output.done"}),
                     mocks={"l": [{"output": {"done": done}} for done in (False, False, True)]})
    assert (told["outcome"], step(told, "l")["output"]["iterations"], told["durationMs"]) == ("completed", 3, 3000)
    assert places(told)[1:] == [("l[0]", "l"), ("l[1]", "l"), ("l[2]", "l")]


def stored(*documents: dict[str, Any]) -> Simulations:
    """Return simulations beside stored templates."""
    templates, agents = TemplatesInMemory(), InMemoryAgentService()
    agents.set_available(False)
    for document in documents:
        Templates(templates, agents, SystemClock()).create(ADA, document)
    return Simulations(templates, agents, limits=PATIENT)


PART = a_template_document(a_gate_document("check"), a_block_document("write", "check"), templateId="part")
WHOLE = a_template_document({"blockId": "w", "workflow": {"templateId": "part"}}, a_block_document("end", "w"))


def test_another_workflow_is_read_from_those_that_are_stored() -> None:
    told = stored(PART).simulate_given(ADA, {
        "template": WHOLE, "decide": {"check": "approve"}, "fail": {"write": "transient*1"}})
    assert places(told) == [("", "w"), ("w", "check"), ("w", "write"), ("", "end")]
    assert (told["outcome"], [(one["within"], one["blockId"]) for one in told["approvals"]]) == (
        "completed", [("w", "check")])


def test_a_question_in_a_part_is_waited_for() -> None:
    told = stored(PART).simulate_given(ADA, {"template": WHOLE})
    assert (told["outcome"], [(one["within"], one["blockId"]) for one in told["waitsFor"]]) == (
        "waiting", [("w", "check")])


def test_a_stored_template_is_simulated_with_its_parts() -> None:
    told = stored(PART, WHOLE).simulate(ADA, "t", None, {"decide": {"check": "reject"}})
    assert (told["outcome"], told["error"]["blockId"]) == ("failed", "w")


def test_names_of_all_that_may_run_are_known() -> None:
    with pytest.raises(Invalid) as caught:
        stored(PART).simulate_given(ADA, {"template": WHOLE, "mocks": {"nobody": {}}})
    assert caught.value.issues[0].allowed == ("check", "end", "w", "write", "echo", "agent:echo")


def test_a_workflow_that_is_missing_fails_its_block() -> None:
    told = stored().simulate_given(ADA, {"template": WHOLE})
    assert (told["outcome"], told["error"]["code"]) == ("failed", "workflow_unavailable")


def test_a_workflow_that_runs_itself_comes_to_an_end() -> None:
    told = stored().simulate_given(ADA, {"template": a_template_document(
        {"blockId": "again", "workflow": {"templateId": "t"}})})
    assert told["outcome"] == "failed"
    assert any(one["error"]["code"] == "too_deep" for one in told["path"])


def test_a_join_begins_early_and_stops_what_comes_too_late() -> None:
    told = simulated(a_block_document("fast"), a_block_document("slow"),
                     a_block_document("first", "fast", "slow", joinPolicy={"mode": "any", "late": "cancel"}),
                     mocks={"slow": {"durationMs": 50_000}})
    assert (told["outcome"], told["durationMs"]) == ("completed", 2000)
    assert dict(path(told)) == {"fast": "completed", "slow": "skipped", "first": "completed"}


def test_a_failure_leads_to_its_branch() -> None:
    told = simulated(a_block_document("a", onFailure={"action": "branch", "nextBlocks": ["mend"]}),
                     a_block_document("mend"), a_block_document("b", "a"), fail={"a": "critical"})
    assert (told["outcome"], path(told)) == ("completed", [("a", "failed"), ("mend", "completed")])


def test_an_end_block_ends_it() -> None:
    told = simulated(a_block_document("a"), {"blockId": "stop", "dependencies": ["a"], "end": {"status": "failed"}},
                     a_block_document("long"), mocks={"long": {"durationMs": 50_000}})
    assert (told["outcome"], told["error"]["code"], told["durationMs"]) == ("failed", "ended_by_block", 1000)
