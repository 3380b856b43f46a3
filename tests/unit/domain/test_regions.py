"""Regions of a plan, against what walking all ways says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import a_block, a_choice, a_plan
from tests.support.graphs import Before, graphs, repeatable, template_of
from workflow_service.domain.compiler import compile_template
from workflow_service.domain.flow import FailureAction, FailurePolicy, JoinMode, JoinPolicy, Late
from workflow_service.domain.plan import Plan
from workflow_service.domain.regions import late_for, leads_only_to, reached_only_through


def _ways(plan: Plan, name: str, *, forward: bool) -> list[tuple[str, ...]]:
    """Return all ways from a node to where nothing follows, or back to where nothing comes before."""
    node = plan.nodes[name]
    further = node.successors if forward else node.predecessors
    return [(name, *way) for one in further for way in _ways(plan, one, forward=forward)] or [(name,)]


@repeatable
@given(graphs(most=9), st.data())
def test_all_ways_go_through_the_block(before: Before, data: st.DataObject) -> None:
    plan = compile_template(template_of(before))
    through = data.draw(st.sampled_from(sorted(before)))
    others = set(before) - {through}
    assert set(leads_only_to(plan, through)) == {
        name for name in others if all(through in way for way in _ways(plan, name, forward=True))}
    assert set(reached_only_through(plan, through)) == {
        name for name in others if all(through in way for way in _ways(plan, name, forward=False))}


@repeatable
@given(graphs(), st.data())
def test_what_comes_last_is_named_first(before: Before, data: st.DataObject) -> None:
    plan = compile_template(template_of(before))
    through = data.draw(st.sampled_from(sorted(before)))
    place = {name: number for number, name in enumerate(plan.ends_first)}
    for found in (leads_only_to(plan, through), reached_only_through(plan, through)):
        assert list(found) == sorted(found, key=place.__getitem__)


def test_joins_of_the_compiler_belong_to_the_region_that_they_stand_in() -> None:
    names = [f"b{number}" for number in range(65)]
    plan = a_plan(*map(a_block, names), a_block("all", *names), a_block("x"), a_block("j", "all", "x"))
    assert set(leads_only_to(plan, "j")) == set(plan.nodes) - {"j"}


@pytest.mark.parametrize(("fields", "region"), [
    ({}, {"a", "b", "c"}),
    ({"conditions": a_choice("b", "x")}, {"b", "c"}),
    ({"on_failure": FailurePolicy(action=FailureAction.BRANCH, next_blocks=("x",))}, {"b", "c"})])
def test_a_way_out_by_a_branch_or_a_failure_counts(fields: dict[str, object], region: set[str]) -> None:
    plan = a_plan(a_block("a", **fields), a_block("b", "a"), a_block("c"), a_block("j", "b", "c"), a_block("x"))
    assert set(leads_only_to(plan, "j")) == region


@pytest.mark.parametrize(("policy", "late"), [
    (JoinPolicy(), ()), (JoinPolicy(mode=JoinMode.ANY), ()),
    (JoinPolicy(mode=JoinMode.ANY, late=Late.CANCEL), ("b", "a"))])
def test_only_a_join_that_says_so_withdraws(policy: JoinPolicy, late: tuple[str, ...]) -> None:
    plan = a_plan(a_block("a"), a_block("b"), a_block("j", "a", "b", join_policy=policy))
    assert set(late_for(plan, "j")) == set(late)
