"""What a simulation tells: the engine's own behaviour, in virtual time."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.builders import a_block_document, a_template_document
from tests.support.simulating import (
    ADA,
    a_gate_document,
    most_at_once,
    path,
    sentences,
    simulated,
    simulations,
    step,
    threads_left,
)
from workflow_service.domain.agents import Agent
from workflow_service.domain.errors import Invalid, UnfitInput
from workflow_service.simulation.directives import START

DAY_MS = 24 * 3600 * 1000
HOUR = timedelta(hours=1)
LONG = {"timeout": 300 * DAY_MS}


def test_blocks_run_in_their_order_and_take_their_time() -> None:
    told = simulated(a_block_document("a", metadata={"estimatedDuration": 5000}), a_block_document("b", "a"),
                     a_block_document("c", "b"), mocks={"c": {"output": {"n": 1}, "durationMs": 250}})
    assert (told["outcome"], told["durationMs"], told["agentCalls"]) == ("completed", 6250, {"echo": 3})
    assert path(told) == [("a", "completed"), ("b", "completed"), ("c", "completed")]
    assert step(told, "b")["startedAt"] == START + timedelta(seconds=5)
    assert (step(told, "b")["output"], step(told, "c")["output"]) == ({"value": "b"}, {"n": 1})


def test_time_begins_when_it_is_told_to() -> None:
    told = simulated(a_block_document("a"), startAt="2030-06-01T12:00:00+02:00")
    assert (told["startedAt"], told["endedAt"]) == (datetime(2030, 6, 1, 10, tzinfo=UTC),
                                                    datetime(2030, 6, 1, 10, 0, 1, tzinfo=UTC))


def test_what_can_run_side_by_side_does() -> None:
    told = simulated(*(a_block_document(name) for name in "abcd"), a_block_document("end", "a", "b", "c", "d"))
    assert told["durationMs"] == 2000


@pytest.mark.parametrize(("limit", "duration_ms"), [(1, 6000), (2, 3000), (3, 2000), (6, 1000)])
def test_no_more_blocks_run_at_once_than_may(limit: int, duration_ms: int) -> None:
    told = simulated(*(a_block_document(f"b{number}") for number in range(6)),
                     settings={"maxParallelBlocks": limit})
    assert (most_at_once(told), told["durationMs"]) == (limit, duration_ms)


def test_retries_wait_for_their_backoff() -> None:
    told = simulated(a_block_document("a", retryPolicy={"maxRetries": 3, "initialDelay": 10_000}),
                     fail={"a": "transient*2"})
    assert (told["outcome"], step(told, "a")["attempts"], told["agentCalls"]) == ("completed", 3, {"echo": 3})
    assert told["durationMs"] == 1000 + 10_000 + 1000 + 20_000 + 1000


def test_a_failure_that_no_retry_mends_ends_it() -> None:
    told = simulated(a_block_document("a"), a_block_document("b", "a"), fail={"a": "critical"})
    assert (told["outcome"], path(told)) == ("failed", [("a", "failed")])
    assert (told["error"]["blockId"], told["error"]["code"]) == ("a", "simulated_failure")
    assert [(one["blockId"], one["status"]) for one in told["neverReached"]] == [("b", "cancelled")]


@pytest.mark.parametrize("name", ["agent:echo", "echo"])
def test_an_agent_fails_wherever_it_is_called(name: str) -> None:
    told = simulated(a_block_document("a"), a_block_document("b", "a"), fail={name: "transient*1"})
    assert [(one["blockId"], one["attempts"]) for one in told["path"]] == [("a", 2), ("b", 1)]


def test_a_block_is_meant_before_an_agent_of_the_same_name() -> None:
    told = simulated(a_block_document("echo"), a_block_document("b", "echo"), fail={"echo": "critical"})
    assert path(told) == [("echo", "failed")]
    told = simulated(a_block_document("a"), a_block_document("echo", "a"), mocks={"echo": {"output": {"n": 1}}})
    assert [step(told, name)["output"] for name in ("a", "echo")] == [{"value": "a"}, {"n": 1}]


def test_answers_for_calls_one_after_the_other() -> None:
    told = simulated(*(a_block_document(name, *before) for name, before in (("a", ""), ("b", "a"), ("c", "b"))),
                     mocks={"agent:echo": [{"output": {"n": 1}}, {"output": {"n": 2}}]}, fail={"a": "transient*1"})
    assert [one["output"]["n"] for one in told["path"]] == [1, 2, 2]


def test_a_wait_of_many_days_takes_moments() -> None:
    began = time.monotonic()
    told = simulated(a_gate_document("ask", gate={"timeout": 200 * DAY_MS}),
                     a_block_document("long", "ask", timeout=90 * DAY_MS), settings=LONG,
                     decide={"ask": {"decision": "approve", "afterMs": 100 * DAY_MS}},
                     mocks={"long": {"durationMs": 80 * DAY_MS}})
    assert (told["outcome"], told["durationMs"]) == ("completed", 180 * DAY_MS + 1000)
    assert time.monotonic() - began < 10
    assert len(told["timeline"]) < 40


def test_a_person_approves_after_a_while() -> None:
    told = simulated(a_block_document("a"), a_gate_document("ask", "a", gate={"approvalLevel": "operator"}),
                     decide={"ask": {"decision": "approve", "afterMs": 3_600_000, "comments": "Fine."}})
    asked = told["approvals"][0]
    assert (asked["blockId"], asked["assignedTo"], asked["status"], asked["comments"], asked["payload"]) == (
        "ask", "operator", "approved", "Fine.", {"value": "ask"})
    assert asked["respondedAt"] - asked["requestedAt"] == HOUR
    assert (told["outcome"], told["durationMs"]) == ("completed", 3_602_000)


def test_an_edit_changes_what_the_agent_gets() -> None:
    told = simulated(a_gate_document("ask", gate={"type": "edit"}),
                     decide={"ask": {"decision": "approve", "response": {"value": "edited"}}})
    assert step(told, "ask")["output"] == {"value": "edited"}


def test_a_rejection_ends_it() -> None:
    told = simulated(a_gate_document("ask"), a_block_document("b", "ask"),
                     decide={"ask": {"decision": "reject", "comments": "Too dear."}})
    assert (told["outcome"], path(told), told["agentCalls"]) == ("failed", [("ask", "rejected")], {})
    assert told["error"]["message"] == "Too dear."


def test_a_question_that_nobody_answers_is_escalated_and_told_of() -> None:
    told = simulated(a_gate_document("ask", gate={"timeout": 3_600_000, "escalateTo": "operator"}),
                     a_block_document("b", "ask"), a_block_document("c"))
    assert (told["outcome"], told["reason"]) == (
        "waiting", "It waits for ever: Block 'ask' waits for a person's answer.")
    assert [(one["blockId"], one["kind"]) for one in told["waitsFor"]] == [("ask", "approval")]
    asked = told["approvals"][0]
    assert (asked["status"], asked["assignedTo"]) == ("pending", "approver")
    assert asked["escalations"] == [{"escalatedAt": START + HOUR, "assignedTo": "operator", "level": 1}]
    assert [one["blockId"] for one in told["neverReached"]] == ["b"]
    assert told["durationMs"] == 3_600_000


def test_escalations_go_on_while_an_answer_is_still_to_come() -> None:
    told = simulated(a_gate_document("ask", gate={"timeout": 3_600_000}),
                     decide={"ask": {"decision": "approve", "afterMs": 9_000_000}})
    assert [one["escalatedAt"] - START for one in told["approvals"][0]["escalations"]] == [HOUR, 2 * HOUR]
    assert told["outcome"] == "completed"


def test_two_questions_about_which_one_is_answered() -> None:
    told = simulated(a_gate_document("ask"), a_gate_document("other"), decide={"other": "approve"})
    assert (told["outcome"], [one["blockId"] for one in told["waitsFor"]]) == ("waiting", ["ask"])


def test_branches_and_guards() -> None:
    conditions = {"type": "exclusive", "branches": [
        {"condition": "output.score > 5", "nextBlocks": ["good"]}, {"default": True, "nextBlocks": ["bad"]}]}
    guard = {"type": "guard", "expression": "input.wanted == true"}
    told = simulated(a_block_document("rate", conditions=conditions), a_block_document("good"),
                     a_block_document("bad"), a_block_document("also", conditions=guard),
                     mocks={"rate": {"output": {"score": 7}}}, input={"wanted": False})
    assert [name for name, status in path(told) if status == "completed"] == ["rate", "good"]
    assert [one["blockId"] for one in told["neverReached"]] == ["bad"]
    assert ("also", "skipped") in path(told)


def test_the_shared_context_is_that_of_the_directives() -> None:
    told = simulated(a_block_document("a", configuration={"region": "${context.region}"}), context={"region": "eu"})
    assert step(told, "a")["output"] == {"region": "eu"}


def test_the_time_out_of_the_execution_counts() -> None:
    told = simulated(a_block_document("a"), a_block_document("b", "a"), settings={"timeout": 30_000},
                     mocks={"a": {"durationMs": 40_000}})
    assert (told["outcome"], told["error"]["code"]) == ("failed", "execution_timed_out")


def test_an_agent_that_takes_longer_than_its_time_out_is_tried_again() -> None:
    told = simulated(a_block_document("a", timeout=2000, retryPolicy={"maxRetries": 1}),
                     mocks={"a": [{"durationMs": 5000}]})
    assert (told["outcome"], told["error"]["code"]) == ("failed", "agent_timed_out")
    assert told["durationMs"] == 2000 + 1000 + 2000


def test_work_that_is_done_within_the_patience_with_it_is_waited_for() -> None:
    told = simulated(a_block_document("a", retryPolicy={"maxRetries": 0}), settings=LONG,
                     mocks={"a": {"durationMs": DAY_MS - 1}})
    assert told["outcome"] == "completed"
    told = simulated(a_block_document("a", retryPolicy={"maxRetries": 0}), settings=LONG,
                     mocks={"a": {"durationMs": DAY_MS + 1}})
    assert (told["error"]["code"], told["durationMs"]) == ("agent_timed_out", DAY_MS)


def test_work_that_is_longer_than_a_call_holds_no_slot() -> None:
    told = simulated(*(a_block_document(f"b{number}") for number in range(4)), settings={
        **LONG, "maxParallelBlocks": 1}, mocks={"echo": {"durationMs": DAY_MS // 2}})
    assert (told["outcome"], told["durationMs"]) == ("completed", DAY_MS // 2)


def test_outputs_are_made_of_the_output_schema_of_the_agent() -> None:
    schema = {"type": "object", "properties": {"score": {"type": "integer", "minimum": 3}, "tags": {"type": "array"}}}
    agent = Agent(agent_id="echo", name="Echo", type="echo", tool_types=("script",), output_schema=schema)
    told = simulations(agent).simulate_given(ADA, {"template": a_template_document()})
    assert step(told, "a")["output"] == {"score": 3, "tags": []}


def test_an_input_that_the_agent_does_not_take_fails_the_block() -> None:
    agent = Agent(agent_id="echo", name="Echo", type="echo", tool_types=("script",), status="unavailable",
                  input_schema={"type": "object", "required": ["text"]})
    told = simulations(agent).simulate_given(ADA, {"template": a_template_document()})
    assert (told["outcome"], told["error"]["code"], told["agentCalls"]) == ("failed", "invalid_input", {})


def test_the_timeline_tells_what_happened_in_its_true_order() -> None:
    told = simulated(a_gate_document("a"), a_block_document("b", "a"), decide={"a": "approve"})
    assert sentences(told, "approval_requested", "approval_responded", "block_completed", "execution_completed") == [
        "Block 'a' asks the role approver", "Block 'a' was approved by simulation", "Block 'a' completed",
        "Block 'b' completed", "Execution completed"]
    instants = [event["timestamp"] for event in told["timeline"]]
    assert instants == sorted(instants)


def test_the_same_directives_give_the_same_result() -> None:
    def once() -> dict[str, Any]:
        return simulated(*(a_block_document(f"b{number}", retryPolicy={"backoffStrategy": "jittered"})
                           for number in range(12)), a_gate_document("ask"),
                         settings={"maxParallelBlocks": 3}, fail={"agent:echo": "transient*5"},
                         decide={"ask": {"decision": "approve", "afterMs": 2500}})
    first = once()
    assert first["outcome"] == "completed"
    assert all(once() == first for _ in range(3))


def test_an_input_that_does_not_fit_is_refused() -> None:
    document = a_template_document(inputSchema={"type": "object", "required": ["n"]})
    with pytest.raises(UnfitInput):
        simulations().simulate_given(ADA, {"template": document})


def test_an_answer_that_the_form_does_not_take_is_refused() -> None:
    with pytest.raises(Invalid, match="decide.ask.response"):
        simulated(a_gate_document("ask", gate={"inputSchema": {"type": "object", "required": ["why"]}}),
                  decide={"ask": "approve"})


def test_no_thread_is_left_and_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        simulated(*(a_block_document(f"b{number}") for number in range(20)), settings={"maxParallelBlocks": 9})
        simulated(a_block_document("a"), a_gate_document("ask"))
    assert not threads_left()
    assert not caplog.records


def test_a_long_call_stays_with_its_worker_whatever_happens_beside_it() -> None:
    told = simulated(a_block_document("long"), a_block_document("a"), a_block_document("b", "a"),
                     mocks={"long": {"durationMs": 55_000}, "a": {"durationMs": 35_000}})
    assert (step(told, "long")["attempts"], told["durationMs"], told["agentCalls"]) == (1, 55_000, {"echo": 3})
    assert "taken over" not in " ".join(sentences(told, "block_started"))


def test_a_block_begins_when_it_gets_its_slot() -> None:
    told = simulated(a_block_document("a"), a_block_document("b"), a_block_document("c", "a"),
                     a_block_document("d", "a"), settings={"maxParallelBlocks": 2}, mocks={"b": {"durationMs": 10_000}})
    assert [event["message"] for event in told["timeline"] if "turn" in event["message"]]
    assert most_at_once(told) == 2
    assert sorted((one["startedAt"] - START).total_seconds() for one in told["path"]) == [0, 0, 1, 2]


def test_timers_take_no_time() -> None:
    told = simulated({"blockId": "sleep", "wait": {"duration": 3 * DAY_MS}}, a_block_document("a", "sleep"),
                     {"blockId": "until", "wait": {"until": "2026-01-02T00:00:00Z"}})
    assert (told["outcome"], told["durationMs"]) == ("completed", 3 * DAY_MS + 1000)
    assert step(told, "until")["completedAt"] == START + timedelta(days=1)


def test_signals_come_when_they_were_foretold() -> None:
    told = simulated({"blockId": "paid", "waitFor": {"signals": ["paid", "sent"], "mode": "all"}},
                     signals=[{"name": "sent", "afterMs": 5000}, {"name": "paid", "afterMs": 100, "payload": {"n": 7}}])
    assert (told["outcome"], told["durationMs"]) == ("completed", 5000)
    assert step(told, "paid")["output"]["signals"]["paid"] == {"n": 7}


def test_a_signal_that_was_not_foretold_is_waited_for_in_vain() -> None:
    told = simulated({"blockId": "paid", "waitFor": {"signals": ["paid", "waived"]}}, a_block_document("b", "paid"))
    assert (told["outcome"], told["reason"]) == (
        "waiting", "It waits for ever: Block 'paid' waits for the signal 'paid' or 'waived'.")


def test_a_wait_for_signals_ends_in_time() -> None:
    wait = {"signals": ["paid"], "timeout": 3_600_000, "onTimeout": "continue"}
    told = simulated({"blockId": "paid", "waitFor": wait}, signals=[{"name": "paid", "afterMs": 3_600_001}])
    assert (told["outcome"], told["durationMs"]) == ("completed", 3_600_000)
