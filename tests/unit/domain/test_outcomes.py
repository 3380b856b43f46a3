"""What the end of a block means to the blocks after it, and to its execution."""

from dataclasses import replace

import pytest

from tests.support.builders import LATER, NOW, a_block, a_block_execution, a_choice, a_plan, a_running_block
from workflow_service.domain.flow import End, FailureAction, FailurePolicy
from workflow_service.domain.outcomes import (
    ends_execution,
    fails_execution,
    failures,
    is_satisfied,
    is_without_outcome,
)
from workflow_service.domain.plan import Plan
from workflow_service.domain.statuses import FAILURES, BlockStatus

S = BlockStatus
PLAN = a_plan(a_block("a"), a_block("b"), a_block("c", "a", "b"))
FAIL, CONTINUE = FailurePolicy(), FailurePolicy(action=FailureAction.CONTINUE)
BRANCH = FailurePolicy(action=FailureAction.BRANCH, next_blocks=("f",))


def deciding(policy: FailurePolicy) -> Plan:
    """Return a plan in which ``a`` chooses ``b`` or ``c``, goes on with ``d`` and, if it fails, perhaps with ``f``."""
    return a_plan(a_block("a", conditions=a_choice("b", "c"), on_failure=policy), a_block("b"), a_block("c"),
                  a_block("d", "a"), a_block("f"))


@pytest.mark.parametrize("status", sorted(set(S) - {S.COMPLETED}))
def test_only_a_completed_block_satisfies_its_edges(status: S) -> None:
    assert not is_satisfied(PLAN, a_block_execution("a", status=status), PLAN.nodes["c"])
    assert is_satisfied(PLAN, a_block_execution("a", status=S.COMPLETED), PLAN.nodes["c"])


@pytest.mark.parametrize(("chosen", "to_b", "to_c", "to_d"), [
    (("b",), True, False, True), (("b", "c"), True, True, True), ((), False, False, True), (None, False, False, True)])
def test_a_choice_satisfies_what_it_chose_and_what_it_does_not_name(chosen: tuple[str, ...] | None, to_b: bool,
                                                                    to_c: bool, to_d: bool) -> None:
    plan = a_plan(a_block("a", conditions=a_choice("b", "c")), a_block("b"), a_block("c"), a_block("d", "a"))
    source = a_block_execution("a", status=S.COMPLETED, chosen=chosen)
    assert [is_satisfied(plan, source, plan.nodes[name]) for name in "bcd"] == [to_b, to_c, to_d]


@pytest.mark.parametrize(("chosen", "satisfied"), [(("end",), True), (("x",), False)])
def test_a_choice_reaches_its_block_through_joins_of_the_compiler(chosen: tuple[str, ...], satisfied: bool) -> None:
    names = [f"b{number}" for number in range(65)]
    plan = a_plan(a_block("a", conditions=a_choice("end", "x")), *map(a_block, names), a_block("x"),
                  a_block("end", *names))
    source = a_block_execution("a", status=S.COMPLETED, chosen=chosen)
    (join,) = plan.nodes["a"].successors[:1] if plan.nodes["a"].successors[0] != "x" else plan.nodes["a"].successors[1:]
    assert plan.nodes[join].is_join
    assert is_satisfied(plan, source, plan.nodes[join]) == satisfied


@pytest.mark.parametrize("status", sorted(FAILURES))
@pytest.mark.parametrize(("policy", "satisfied"), [(FAIL, ""), (CONTINUE, "d"), (BRANCH, "f")])
def test_the_edges_of_a_failure_are_as_its_policy_says(policy: FailurePolicy, satisfied: str, status: S) -> None:
    """It chose nothing, so no branch of its success is taken."""
    plan, source = deciding(policy), a_block_execution("a", status=status)
    after = plan.nodes["a"].successors
    assert {name for name in after if is_satisfied(plan, source, plan.nodes[name])} == set(satisfied)


@pytest.mark.parametrize("status", [S.SKIPPED, S.CANCELLED])
@pytest.mark.parametrize("policy", [FAIL, CONTINUE, BRANCH])
def test_what_did_not_fail_has_no_failure_branch(policy: FailurePolicy, status: S) -> None:
    plan, source = deciding(policy), a_block_execution("a", status=status)
    assert not any(is_satisfied(plan, source, plan.nodes[name]) for name in plan.nodes["a"].successors)


def test_a_success_does_not_take_the_failure_branch() -> None:
    plan, source = deciding(BRANCH), a_block_execution("a", status=S.COMPLETED, chosen=("b",))
    assert [is_satisfied(plan, source, plan.nodes[name]) for name in "bcdf"] == [True, False, True, False]


def test_a_failure_branch_wins_over_a_dependency_on_the_same_block() -> None:
    plan = a_plan(a_block("a", on_failure=BRANCH), a_block("f", "a"))
    ended = [a_block_execution("a", status=status) for status in (S.COMPLETED, S.FAILED)]
    assert [is_satisfied(plan, source, plan.nodes["f"]) for source in ended] == [False, True]


@pytest.mark.parametrize(("policy", "satisfied"), [(FAIL, False), (CONTINUE, True)])
def test_a_failure_reaches_its_successor_through_joins_of_the_compiler(policy: FailurePolicy, satisfied: bool) -> None:
    names = [f"b{number}" for number in range(65)]
    plan = a_plan(a_block("a", on_failure=policy), *map(a_block, names), a_block("end", "a", *names))
    (join,) = plan.nodes["a"].successors
    assert plan.nodes[join].is_join
    assert is_satisfied(plan, a_block_execution("a", status=S.FAILED), plan.nodes[join]) == satisfied


@pytest.mark.parametrize("status", S)
@pytest.mark.parametrize("policy", [FAIL, CONTINUE, BRANCH])
def test_only_an_unhandled_failure_fails_the_execution(policy: FailurePolicy, status: S) -> None:
    plan, source = deciding(policy), a_block_execution("a", status=status)
    assert fails_execution(plan, source) == (policy is FAIL and status in FAILURES)
    assert is_without_outcome(plan, source) == (status is S.CANCELLED or fails_execution(plan, source))


def test_the_first_failure_is_the_cause() -> None:
    plan = a_plan(a_block("late"), a_block("first"), a_block("handled", on_failure=CONTINUE))
    late, first, handled = (replace(a_running_block(), block_id=name, status=status, completed_at=at)
                            for name, status, at in (("late", S.FAILED, LATER), ("first", S.REJECTED, NOW),
                                                     ("handled", S.FAILED, NOW)))
    assert failures(plan, [handled, late, replace(late, status=S.CANCELLED), first]) == [first, late]


@pytest.mark.parametrize("status", S)
def test_only_an_end_block_that_ran_ends_the_execution(status: S) -> None:
    plan = a_plan(a_block("a"), a_block("e", agent_id=None, tool_type="", end=End()))
    assert ends_execution(plan, a_block_execution("e", status=status)) == (status is S.COMPLETED)
    assert not ends_execution(plan, a_block_execution("a", status=status))
    assert not ends_execution(plan, a_block_execution("e", status=status, supplied={"output": {}}))
