"""Block executions: each transition makes one new version with its event, and keeps the counts right."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import (
    LATER,
    LEASE,
    NOW,
    a_block,
    a_block_execution,
    a_failure,
    a_plan,
    a_running_block,
)
from tests.support.graphs import repeatable
from workflow_service.domain import blocks
from workflow_service.domain.agents import FailureClass
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.errors import IllegalTransition
from workflow_service.domain.flow import JoinMode, JoinPolicy
from workflow_service.domain.outcomes import is_satisfied
from workflow_service.domain.plan import Plan
from workflow_service.domain.statuses import BLOCK_ENDS, PARKED, BlockStatus, WaitKind

S = BlockStatus
RUNNING = a_running_block()
PLAN = a_plan(a_block("a"), a_block("b"), a_block("c", "a", "b"))
ANY, BOTH = JoinPolicy(mode=JoinMode.ANY), JoinPolicy(mode=JoinMode.N, count=2)
Change = Callable[[BlockExecution], BlockExecution]


def parking(kind: WaitKind) -> Change:
    """Return the transition that parks a block whose agent was not called."""
    return lambda block: blocks.park(block, kind, LATER, LEASE, called=False)


CHANGES: dict[str, tuple[Change, str, S, str]] = {
    "claim": (lambda block: blocks.claim(block, "worker-2", LATER, LEASE), "block_started", S.RUNNING, "claimed"),
    "undo_claim": (lambda block: blocks.undo_claim(block, LATER, LEASE, "held"), "block_ready", S.READY, "held"),
    **{f"park for {kind}": (parking(kind), "block_parked", kind.parked_status, kind.value) for kind in WaitKind},
    "wake": (lambda block: blocks.wake(block, LATER, LEASE, "fired"), "block_ready", S.READY, "fired"),
    "wait_for_retry": (lambda block: blocks.wait_for_retry(block, a_failure(), LATER + LEASE, LATER, "transient"),
                       "block_retry_scheduled", S.RETRY_WAIT, "transient"),
    "complete": (lambda block: blocks.complete(block, {"v": 1}, ("b",), LATER, LEASE), "block_completed", S.COMPLETED,
                 "agent_answered"),
    "fail": (lambda block: blocks.fail(block, a_failure(), LATER, LEASE), "block_failed", S.FAILED, "busy"),
    "reject": (lambda block: blocks.reject(block, "ada", "no", LATER, LEASE), "block_rejected", S.REJECTED,
               "rejected"),
    "skip": (lambda block: blocks.skip(block, LATER, LEASE), "block_skipped", S.SKIPPED, "guard_false"),
    "withdraw": (lambda block: blocks.withdraw(block, LATER, LEASE, "late"), "block_skipped", S.SKIPPED, "late"),
    "cancel": (lambda block: blocks.cancel(block, LATER, LEASE, "cancelled"), "block_cancelled", S.CANCELLED,
               "cancelled"),
}
"""Each transition, with the type of its event, the status that it leads to and the cause that it gives."""
FROM: dict[str, Iterable[S]] = {
    "claim": (S.READY, S.RUNNING), "undo_claim": (S.PENDING, S.RUNNING, S.RETRY_WAIT, *PARKED),
    "wake": (S.PENDING, S.RUNNING, S.RETRY_WAIT, *PARKED), "complete": (S.PENDING, S.RUNNING),
    **dict.fromkeys(("skip", "withdraw", "cancel"), (S.PENDING, S.READY, S.RUNNING, S.RETRY_WAIT, *PARKED)),
    "fail": (S.RUNNING, S.COMPENSATING)}
"""Where each may come from; from ``running`` if it is not named."""
TOLD: dict[str, dict[str, Any]] = {"wait_for_retry": {"dueAt": (LATER + LEASE).isoformat(timespec="milliseconds")}}
"""What else the event of a change says."""
REPLAYED = set(blocks.replayed(RUNNING))


@pytest.mark.parametrize("status", S)
@pytest.mark.parametrize("name", CHANGES)
def test_each_transition_is_legal_from_some_statuses_only(name: str, status: S) -> None:
    change, _, target, _ = CHANGES[name]
    block = replace(RUNNING, status=status)
    if status in FROM.get(name, (S.RUNNING,)):
        assert change(block).status is target
    else:
        with pytest.raises(IllegalTransition):
            change(block)


@pytest.mark.parametrize("name", CHANGES)
def test_each_transition_makes_a_version_with_its_event(name: str) -> None:
    change, event_type, target, cause = CHANGES[name]
    before = replace(RUNNING, status=S.READY) if name == "claim" else RUNNING
    after = change(replace(before, version=7, outbox=()))
    (event,) = after.outbox
    assert after.version == 8
    assert (event.type, event.source, event.version, event.at) == (event_type, "run:a", 8, LATER)
    assert (event.workspace_id, event.execution_id, event.block_id) == ("acme", "run", "a")
    assert event.payload == {
        "from": before.status.value, "cause": cause, "status": target.value, "epoch": after.epoch,
        "fence": after.fence, "attempt": after.attempt, "retryCount": after.retry_count,
        "lostLeases": after.lost_leases, "error": after.error,
        "chosen": None if after.chosen is None else list(after.chosen), **TOLD.get(name, {})}


@pytest.mark.parametrize("name", CHANGES)
def test_events_that_were_not_relayed_stay_in_the_outbox(name: str) -> None:
    before = replace(RUNNING, status=S.READY) if name == "claim" else RUNNING
    unsent = blocks.wake(replace(RUNNING, status=S.RETRY_WAIT), NOW, LEASE, "x").outbox
    assert CHANGES[name][0](replace(before, outbox=unsent)).outbox[:-1] == unsent


def test_a_claim_makes_an_owner_for_a_lease() -> None:
    ready = a_block_execution(status=S.READY, sent=4, fence=2)
    claimed = blocks.claim(ready, "worker-1", NOW, LEASE)
    assert (claimed.lease_owner, claimed.lease_until, claimed.due_at) == ("worker-1", NOW + LEASE, NOW + LEASE)
    assert (claimed.fence, claimed.attempt, claimed.lost_leases) == (3, 1, 0)
    assert claimed.started_at == NOW


def test_the_sweep_goes_on_sending_ever_more_rarely_until_the_block_has_got_on() -> None:
    claimed = blocks.claim(a_block_execution(status=S.READY, sent=4), "worker-1", NOW, LEASE)
    undone = blocks.undo_claim(claimed, NOW, LEASE, "held")
    parked = blocks.park(blocks.claim(undone, "w", NOW, LEASE), WaitKind.SIGNAL, NOW, LEASE, called=False)
    assert (claimed.sent, undone.sent, blocks.wake(parked, NOW, LEASE, "fired").sent) == (4, 4, 0)


def test_a_claim_after_a_lost_lease_is_counted() -> None:
    taken = blocks.claim(RUNNING, "worker-2", LATER, LEASE)
    assert (taken.fence, taken.lost_leases, taken.lease_owner, taken.started_at) == (2, 1, "worker-2", NOW)
    assert taken.outbox[-1].payload["cause"] == "lease_expired"


@pytest.mark.parametrize(("name", "attempts"), [
    ("undo_claim", 0), ("skip", 0), ("reject", 0), ("complete", 1), ("fail", 1), ("wait_for_retry", 1), ("cancel", 1),
    *((f"park for {kind}", 0) for kind in WaitKind)])
def test_only_what_leads_to_a_call_counts_as_an_attempt(name: str, attempts: int) -> None:
    assert CHANGES[name][0](RUNNING).attempt == attempts


def test_a_block_that_was_parked_for_its_agent_keeps_the_attempt() -> None:
    parked = blocks.park(RUNNING, WaitKind.AGENT, LATER, LEASE, called=True)
    assert (parked.attempt, parked.parked_for) == (1, WaitKind.AGENT)


def test_attempts_over_a_gate_and_a_retry() -> None:
    block = blocks.park(RUNNING, WaitKind.APPROVAL, NOW, LEASE, called=False)
    block = blocks.claim(blocks.wake(block, NOW, LEASE, "fired"), "w", NOW, LEASE)
    assert (block.attempt, block.parked_for) == (1, WaitKind.APPROVAL)
    block = blocks.wait_for_retry(block, a_failure(), LATER, NOW, "transient")
    assert (block.retry_count, block.parked_for, block.due_at) == (1, None, LATER)
    block = blocks.undo_claim(blocks.claim(blocks.wake(block, NOW, LEASE, "due"), "w", NOW, LEASE), NOW, LEASE, "held")
    assert block.attempt == 1
    assert blocks.complete(blocks.claim(block, "w", NOW, LEASE), {}, None, NOW, LEASE).attempt == 2


def test_what_an_end_leaves_behind() -> None:
    done = CHANGES["complete"][0](replace(RUNNING, error={"code": "busy"}))
    assert (done.output, done.chosen, done.error) == ({"v": 1}, ("b",), None)
    assert (done.completed_at, done.due_at, done.released) == (LATER, LATER + LEASE, False)
    failed = blocks.fail(RUNNING, a_failure(retry_after=timedelta(seconds=2)), LATER, LEASE)
    assert failed.error == {"code": "busy", "class": "transient", "message": "Try later.", "retryAfterMs": 2000}
    assert blocks.reject(RUNNING, "ada", "Not now.", LATER, LEASE).error == {
        "code": "rejected", "message": "Not now.", "by": "ada"}
    assert blocks.reject(RUNNING, None, None, LATER, LEASE).error == {
        "code": "rejected", "message": "Rejected.", "by": None}


def test_an_input_is_stored_with_the_next_transition() -> None:
    known = blocks.with_input(RUNNING, {"v": 1})
    assert (known.input, known.version, known.outbox) == ({"v": 1}, RUNNING.version, RUNNING.outbox)
    assert CHANGES["complete"][0](known).input == {"v": 1}


@pytest.mark.parametrize("status", sorted(PARKED | BLOCK_ENDS))
def test_a_block_at_rest_is_nobodys_concern(status: S) -> None:
    rested = blocks.at_rest(replace(RUNNING, status=status, due_at=NOW))
    assert (rested.due_at, rested.released, rested.version) == (None, status in BLOCK_ENDS, RUNNING.version)


@pytest.mark.parametrize(("block", "epoch", "claimable"), [
    (a_block_execution(status=S.READY), 1, True),
    (a_block_execution(status=S.READY, epoch=3), 2, True),
    (a_block_execution(status=S.READY), 2, False),
    (a_block_execution(status=S.PENDING), 1, False),
    (RUNNING, 1, False),
    (replace(RUNNING, lease_until=NOW), 1, True),
    (replace(RUNNING, lease_until=NOW), 2, False),
    (replace(RUNNING, lease_until=None), 1, False),
    (replace(RUNNING, status=S.RETRY_WAIT, lease_until=None), 1, False),
    (replace(RUNNING, status=S.COMPLETED, lease_until=NOW), 1, False)])
def test_what_may_be_claimed(block: BlockExecution, epoch: int, claimable: bool) -> None:
    assert blocks.is_claimable(block, epoch, NOW) == claimable


def test_new_blocks_are_ready_without_predecessors() -> None:
    ready, too, waiting = blocks.new_blocks(PLAN, "acme", "run", NOW, LEASE)
    assert [block.id for block in (ready, too, waiting)] == ["run:a", "run:b", "run:c"]
    assert (ready.status, ready.due_at, len(ready.outbox), ready.version) == (S.READY, NOW + LEASE, 1, 1)
    assert (waiting.status, waiting.due_at, waiting.outbox, waiting.version) == (S.PENDING, None, (), 0)
    assert waiting.pending_edges == ("a:1", "b:1")
    assert (waiting.key, waiting.entry, waiting.agent_id) == ("run:c:1", "c:1", "echo")


def test_an_edge_is_decided_once() -> None:
    block = a_block_execution("c", pending_edges=("a:1", "b:1"))
    once = blocks.decide_edge(block, "a:1", True)
    assert (once.pending_edges, once.satisfied, once.version) == (("b:1",), 1, 0)
    assert blocks.decide_edge(once, "a:1", True) == once
    assert blocks.decide_edge(once, "b:2", True) == once
    assert blocks.decide_edge(once, "b:1", False).satisfied == 1


def joining(edges_in: int = 65) -> tuple[Plan, BlockExecution]:
    """Return a plan with a join of the compiler, and that join in an execution."""
    names = [f"b{number}" for number in range(edges_in)]
    plan = a_plan(*map(a_block, names), a_block("end", *names))
    return plan, next(block for block in blocks.new_blocks(plan, "acme", "run", NOW, LEASE)
                      if block.block_id == "end~0~0")


@pytest.mark.parametrize(("pending", "satisfied", "status", "cause"), [
    (("a:1",), 1, None, None), ((), 1, S.READY, "edges_satisfied"), ((), 2, S.READY, "edges_satisfied"),
    ((), 0, S.SKIPPED, "no_edge_satisfied")])
def test_a_block_goes_on_once_all_its_edges_are_decided(pending: tuple[str, ...], satisfied: int, status: S | None,
                                                        cause: str | None) -> None:
    block = a_block_execution("c", pending_edges=pending, satisfied=satisfied)
    after = blocks.settle(block, PLAN.nodes["c"], LATER, LEASE)
    assert (after and after.status, after and after.outbox[-1].payload["cause"]) == (status, cause)


@pytest.mark.parametrize(("policy", "pending", "satisfied", "status", "cause"), [
    (ANY, ("a:1", "b:1"), 0, None, None), (ANY, ("a:1",), 0, None, None),
    (ANY, ("a:1",), 1, S.READY, "edges_satisfied"), (ANY, (), 2, S.READY, "edges_satisfied"),
    (ANY, (), 0, S.SKIPPED, "no_edge_satisfied"),
    (BOTH, ("a:1",), 1, None, None), (BOTH, (), 2, S.READY, "edges_satisfied"),
    (BOTH, (), 1, S.SKIPPED, "too_few_satisfied"), (BOTH, (), 0, S.SKIPPED, "no_edge_satisfied")])
def test_a_block_with_a_join_policy_goes_on_once_enough_of_its_edges_are_satisfied(
        policy: JoinPolicy, pending: tuple[str, ...], satisfied: int, status: S | None, cause: str | None) -> None:
    plan = a_plan(a_block("a"), a_block("b"), a_block("c", "a", "b", join_policy=policy))
    block = a_block_execution("c", pending_edges=pending, satisfied=satisfied)
    after = blocks.settle(block, plan.nodes["c"], LATER, LEASE)
    assert (after and after.status, after and after.outbox[-1].payload["cause"]) == (status, cause)


def test_a_block_that_nothing_comes_before_begins_whatever_its_join_policy() -> None:
    (block,) = blocks.new_blocks(a_plan(a_block("a", join_policy=ANY)), "acme", "run", NOW, LEASE)
    assert block.status is S.READY


def test_a_late_edge_of_a_block_that_has_begun_is_counted_and_changes_nothing_else() -> None:
    begun = replace(RUNNING, pending_edges=("b:1",), satisfied=1)
    told = blocks.decide_edge(begun, "b:1", True)
    assert told == replace(begun, pending_edges=(), satisfied=2)
    assert blocks.settle(told, PLAN.nodes["c"], LATER, LEASE) is None


@pytest.mark.parametrize("status", sorted(set(S) - {S.PENDING}))
def test_only_a_pending_block_is_settled(status: S) -> None:
    assert blocks.settle(a_block_execution("c", status=status, satisfied=1), PLAN.nodes["c"], NOW, LEASE) is None


@pytest.mark.parametrize(("satisfied", "status"), [(1, S.COMPLETED), (64, S.COMPLETED), (0, S.SKIPPED)])
def test_a_join_of_the_compiler_is_nobodys_work(satisfied: int, status: S) -> None:
    plan, join = joining()
    assert (join.agent_id, join.status, len(join.pending_edges)) == (None, S.PENDING, 64)
    after = blocks.settle(replace(join, pending_edges=(), satisfied=satisfied), plan.nodes[join.block_id], NOW, LEASE)
    assert after is not None
    assert (after.status, after.attempt, after.output) == (status, 0, None)
    assert is_satisfied(plan, after, plan.nodes["end"]) == (status is S.COMPLETED)


def test_a_restart_begins_a_new_epoch() -> None:
    ended = replace(blocks.fail(replace(RUNNING, retry_count=2, lost_leases=1, satisfied=1, sent=2, chosen=("b",),
                                        output={"v": 1}, input={"v": 1}, parked_for=WaitKind.AGENT), a_failure(),
                                LATER, LEASE), released=True)
    again = blocks.restart(ended, 4, ["x:2"], LATER, agent_id="other")
    assert again == replace(a_block_execution(), agent_id="other", version=ended.version + 1, epoch=4,
                            fence=ended.fence + 1, pending_edges=("x:2",), due_at=LATER, outbox=again.outbox)
    assert again.outbox[:-1] == ended.outbox
    assert again.outbox[-1].type == "block_reset"
    assert again.outbox[-1].payload["from"] == "failed"
    assert again.outbox[-1].payload["cause"] == "restart"
    assert (again.key, again.entry) == ("run:a:4", "a:4")


@pytest.mark.parametrize("status", S)
def test_any_block_can_be_restarted(status: S) -> None:
    assert blocks.restart(replace(RUNNING, status=status), 2, (), LATER, agent_id="a").status is S.PENDING


@repeatable
@given(st.lists(st.sampled_from([*CHANGES, "restart"]), max_size=30))
def test_any_way_through_the_transitions(names: list[str]) -> None:
    block = a_block_execution(status=S.READY)
    for name in names:
        before = block
        try:
            block = _step(block, name)
        except IllegalTransition:
            assert block == before
            continue
        assert block.version == before.version + 1
        assert block.fence >= before.fence
        assert block.due_at is not None
        assert (block.lease_owner is not None) == (block.lease_until is not None) == (block.status is S.RUNNING)
        assert (block.completed_at is not None) == block.status.is_terminal
        assert not block.released
    assert block.attempt >= 0
    assert _replay(block) == (block.version, blocks.replayed(block) if block.outbox else {})


def _step(block: BlockExecution, name: str) -> BlockExecution:
    """Make a transition as the services do: a claim is undone, skipped or rejected only while it runs."""
    if name == "restart":
        return blocks.restart(block, block.epoch + 1, (), LATER, agent_id="a")
    if name in ("undo_claim", "skip", "complete") and block.status is not S.RUNNING:
        raise IllegalTransition("block", block.id, block.status.value, name)
    return CHANGES[name][0](block)


def _replay(block: BlockExecution) -> tuple[int, dict[str, Any]]:
    """Return what the events of a block give of it."""
    events = block.outbox
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    assert all(other.payload["from"] == one.payload["status"] for one, other in pairwise(events))
    assert len({event.event_id for event in events}) == len(events)
    known = {key: value for event in events for key, value in event.payload.items()}
    return len(events), {key: value for key, value in known.items() if key in REPLAYED}


def test_failures_are_told_as_json() -> None:
    assert a_failure(failure_class=FailureClass.AGENT).to_document() == {
        "code": "busy", "class": "agent", "message": "Try later."}


SUPPLIED: dict[str, Any] = {"output": {"v": 1}, "chosen": None, "by": "olga", "reason": "known"}


def supplying(**fields: Any) -> BlockExecution:
    """Return a pending block whose output was supplied."""
    return a_block_execution(**{"block_id": "c", "supplied": SUPPLIED, "satisfied": 1, "epoch": 2, **fields})


@pytest.mark.parametrize(("chosen", "kept"), [(None, None), ([], ()), (["b", "d"], ("b", "d"))])
def test_a_block_whose_output_was_supplied_is_nobodys_work(chosen: list[str] | None,
                                                           kept: tuple[str, ...] | None) -> None:
    after = blocks.settle(supplying(supplied={**SUPPLIED, "chosen": chosen}), PLAN.nodes["c"], LATER, LEASE)
    assert after is not None
    assert (after.status, after.output, after.chosen, after.attempt) == (S.COMPLETED, {"v": 1}, kept, 0)
    assert (after.completed_at, after.due_at, after.released, after.error) == (LATER, LATER + LEASE, False, None)
    assert (after.outbox[-1].type, after.outbox[-1].payload["cause"]) == ("block_completed", "supplied")
    assert after.outbox[-1].payload["from"] == "pending"


def test_a_supplied_output_waits_for_the_edges_and_counts_only_if_one_is_satisfied() -> None:
    assert blocks.settle(supplying(pending_edges=("a:1",)), PLAN.nodes["c"], LATER, LEASE) is None
    dead = blocks.settle(supplying(satisfied=0), PLAN.nodes["c"], LATER, LEASE)
    assert dead is not None and (dead.status, dead.output) == (S.SKIPPED, None)


def test_a_supplied_output_needs_no_edge_if_nothing_comes_before() -> None:
    after = blocks.settle(supplying(block_id="a", satisfied=0), PLAN.nodes["a"], LATER, LEASE)
    assert after is not None and after.status is S.COMPLETED


@pytest.mark.parametrize("status", S)
def test_any_block_can_be_reset_with_what_is_supplied(status: S) -> None:
    before = replace(RUNNING, status=status, supplied={"output": {"old": 1}}, output={"old": 1}, retry_at=NOW)
    again = blocks.restart(before, 2, ("x:1",), LATER, agent_id="echo", supplied=SUPPLIED)
    assert (again.status, again.supplied, again.output, again.retry_at) == (S.PENDING, SUPPLIED, None, None)
    assert (again.outbox[-1].type, again.outbox[-1].payload["cause"]) == ("block_reset", "skip")


def test_what_was_supplied_in_an_epoch_is_forgotten_in_the_next() -> None:
    ended = blocks.settle(supplying(), PLAN.nodes["c"], LATER, LEASE)
    assert ended is not None
    assert blocks.restart(ended, 3, (), LATER, agent_id="echo").supplied is None


def test_a_block_that_waits_for_a_retry_says_until_when() -> None:
    waiting = blocks.wait_for_retry(RUNNING, a_failure(), LATER + LEASE, LATER, "transient")
    assert (waiting.retry_at, waiting.due_at) == (LATER + LEASE, LATER + LEASE)
    assert replace(waiting, due_at=NOW).retry_at == LATER + LEASE


@pytest.mark.parametrize("name", ["wake", "cancel"])
def test_what_waits_for_no_retry_any_more_does_not_say_when(name: str) -> None:
    waiting = blocks.wait_for_retry(RUNNING, a_failure(), LATER + LEASE, LATER, "transient")
    assert CHANGES[name][0](waiting).retry_at is None


@pytest.mark.parametrize("name", sorted(set(CHANGES) - {"wait_for_retry"}))
def test_only_what_waits_for_a_retry_says_when(name: str) -> None:
    before = replace(RUNNING, status=S.READY) if name == "claim" else RUNNING
    assert CHANGES[name][0](before).retry_at is None


def test_a_block_that_a_newer_definition_adds_stands_before_its_first_epoch() -> None:
    block = blocks.unborn(PLAN.nodes["c"], "acme", "run")
    assert block == a_block_execution("c", epoch=0, pending_edges=("a:0", "b:0"))
    assert (block.version, block.outbox, block.due_at) == (0, (), None)
    born = blocks.restart(block, 1, ("a:1", "b:2"), LATER, agent_id="echo")
    assert (born.epoch, born.fence, born.pending_edges, born.status) == (1, 1, ("a:1", "b:2"), S.PENDING)


def test_nothing_decides_the_edges_of_a_block_before_its_first_epoch() -> None:
    block = blocks.unborn(PLAN.nodes["c"], "acme", "run")
    assert blocks.decide_edge(block, "a:1", True) == block
    assert blocks.settle(block, PLAN.nodes["c"], LATER, LEASE) is None


def test_a_join_that_a_newer_definition_adds_is_nobodys() -> None:
    plan, join = joining()
    block = blocks.unborn(plan.nodes[join.block_id], "acme", "run")
    assert (block.agent_id, block.epoch, len(block.pending_edges)) == (None, 0, 64)


def test_a_block_that_is_kept_only_has_another_version() -> None:
    ended = replace(CHANGES["complete"][0](RUNNING), outbox=(), due_at=None, released=True)
    kept = blocks.keep(ended, LATER)
    assert kept == replace(ended, version=ended.version + 1, due_at=LATER, outbox=kept.outbox)
    (event,) = kept.outbox
    assert (event.type, event.payload["cause"], event.payload["from"]) == (
        "block_kept", "restart_given_up", "completed")
