"""Edges: who follows whom, cycles, order, and who comes before whom."""

import pytest
from hypothesis import given

from tests.support.builders import a_block, a_choice
from tests.support.graphs import Before, graphs, reach, repeatable
from workflow_service.domain import edges
from workflow_service.domain.template import Branch, Conditions, ConditionType


def test_dependencies_and_branches_are_edges_without_repeats() -> None:
    blocks = [a_block("a", conditions=a_choice("c", "b")), a_block("b", "a", "a"), a_block("c", "b"), a_block("d", "c")]
    assert edges.predecessors(blocks) == {"a": (), "b": ("a",), "c": ("b", "a"), "d": ("c",)}


def test_names_of_no_block_are_left_out() -> None:
    assert edges.predecessors([a_block("a", "nobody", conditions=a_choice("nothing")), a_block("b", "a")]) == {
        "a": (), "b": ("a",)}


def test_the_branches_of_a_guard_are_no_edges() -> None:
    guard = Conditions(type=ConditionType.GUARD, expression="true", branches=(Branch(next_blocks=("b",)),))
    assert edges.branch_targets(a_block("a", conditions=guard)) == frozenset()
    assert edges.predecessors([a_block("a", conditions=guard), a_block("b")])["b"] == ()


def test_branch_targets_are_those_of_all_branches() -> None:
    branches = (Branch(next_blocks=("b", "c")), Branch(next_blocks=("c", "d"), is_default=True))
    assert edges.branch_targets(a_block("a", conditions=Conditions(type=ConditionType.EXCLUSIVE, branches=branches))
                                ) == {"b", "c", "d"}
    assert edges.branch_targets(a_block("a")) == frozenset()


@pytest.mark.parametrize("before", [
    {"a": ("a",)}, {"a": ("b",), "b": ("a",)}, {"a": ("c",), "b": ("a",), "c": ("b",), "d": ("a",), "e": ()}])
def test_a_cycle_is_named_in_its_order(before: Before) -> None:
    found = edges.cycle(before)
    assert found[0] == found[-1]
    assert len(set(found)) == len(found) - 1
    assert all(one in before[other] for one, other in zip(found, found[1:], strict=False))


def test_a_long_cycle_is_found() -> None:
    before: Before = {f"b{number}": (f"b{(number or 5000) - 1}",) for number in range(5000)}
    assert len(edges.cycle(before)) == 5001


@repeatable
@given(graphs())
def test_a_graph_without_cycle(before: Before) -> None:
    assert edges.cycle(before) == ()


@repeatable
@given(graphs())
def test_successors_are_the_same_edges_seen_from_the_other_end(before: Before) -> None:
    after = edges.successors(before)
    assert {(one, name) for name, names in before.items() for one in names} == {
        (one, name) for one, names in after.items() for name in names}
    assert set(after) == set(before)


@repeatable
@given(graphs())
def test_each_block_stands_after_those_before_it(before: Before) -> None:
    order = edges.topological(before)
    place = {name: number for number, name in enumerate(order)}
    assert sorted(order) == sorted(before)
    assert all(place[one] < place[name] for name, names in before.items() for one in names)


@repeatable
@given(graphs())
def test_masks_say_who_comes_before(before: Before) -> None:
    order, masks = edges.topological(before), edges.ancestors(before)
    assert {name: frozenset(one for place, one in enumerate(order) if masks[name] >> place & 1)
            for name in before} == reach(before)
