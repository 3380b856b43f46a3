"""The outline of a plan: every block once, after those before it; the longest way; no number that nobody said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import a_block, a_choice, a_gate, a_plan
from tests.support.graphs import graphs, repeatable, templates, wide_graphs
from workflow_service.domain.compiler import compile_template
from workflow_service.domain.flow import End, FailureAction, FailurePolicy, JoinMode, JoinPolicy, Late
from workflow_service.domain.plan import Plan
from workflow_service.domain.plan_outline import PlanOutline, outline
from workflow_service.domain.template import Block, Template

SECOND = timedelta(seconds=1)


def _order(found: PlanOutline) -> list[tuple[int, str]]:
    return [(segment.wave, name) for segment in found.segments
            for line in (*segment.lines, *([segment.join] if segment.join else [])) for run in line.runs
            for name in run]


@repeatable
@given(templates(st.one_of(graphs(), wide_graphs())))
def test_every_block_has_its_turn_once_and_after_those_before_it(template: Template) -> None:
    plan = compile_template(template)
    order = _order(outline(plan))
    wave = {name: number for number, name in order}
    place = {name: number for number, (_, name) in enumerate(order)}
    assert len(order) == len(wave) and set(wave) == {block.block_id for block in template.blocks}
    for name in wave:
        for before in _blocks_before(plan, name):
            assert wave[before] < wave[name] or (wave[before] == wave[name] and place[before] < place[name])


def _blocks_before(plan: Plan, name: str) -> list[str]:
    found = [[before] if not plan.nodes[before].is_join else _blocks_before(plan, before)
             for before in plan.nodes[name].predecessors]
    return [before for group in found for before in group]


@repeatable
@given(templates(graphs()))
def test_critical_path_is_a_way_through(template: Template) -> None:
    plan = compile_template(template)
    path = outline(plan).critical_path
    assert not plan.nodes[path[0]].predecessors and not plan.nodes[path[-1]].successors
    assert all(before in _blocks_before(plan, after) for before, after in zip(path, path[1:], strict=False))


def _timed(name: str, *before: str, seconds: float | None = 1, **more: Any) -> Block:
    return a_block(name, *before, estimated_duration=None if seconds is None else seconds * SECOND, **more)


def test_longest_way_counts_durations_if_all_are_known() -> None:
    found = outline(a_plan(_timed("a"), _timed("slow", "a", seconds=60), _timed("b", "a"), _timed("c", "b"),
                           _timed("end", "slow", "c")))
    assert (found.critical_path, found.estimated_duration) == (("a", "slow", "end"), 62 * SECOND)


def test_longest_way_counts_blocks_if_one_duration_is_not_known() -> None:
    found = outline(a_plan(_timed("a"), _timed("slow", "a", seconds=60), _timed("b", "a", seconds=None),
                           _timed("c", "b"), _timed("end", "slow", "c")))
    assert (found.critical_path, found.estimated_duration) == (("a", "b", "c", "end"), None)


def test_limit_of_parallel_blocks_makes_it_longer() -> None:
    blocks = [_timed(name, seconds=10) for name in "abcd"]
    assert outline(a_plan(*blocks)).estimated_duration == 10 * SECOND
    assert outline(a_plan(*blocks, max_parallel_blocks=2)).estimated_duration == 20 * SECOND
    assert outline(a_plan(*blocks, max_parallel_blocks=9)).estimated_duration == 10 * SECOND


def test_nothing_takes_no_time() -> None:
    assert outline(a_plan(_timed("a", seconds=0), _timed("b", "a", seconds=0))).estimated_duration == timedelta(0)


def test_widest_level_counts_blocks_and_no_joins() -> None:
    middle = [a_block(f"m{number}", "start") for number in range(200)]
    found = outline(a_plan(a_block("start"), *middle, a_block("end", *(block.block_id for block in middle))))
    assert (found.widest_level, len(found.critical_path)) == (200, 3)


def test_fan_and_its_join_are_one_segment() -> None:
    found = outline(a_plan(a_block("a"), a_block("b", "a"), a_block("c", "a"), a_block("d", "b", "c")))
    first, second = found.segments
    assert [line.runs for line in first.lines] == [(("a",),)]
    assert [line.runs for line in second.lines] == [(("b",),), (("c",),)]
    assert second.join is not None and second.join.runs == (("d",),)


def test_gates_and_branches_end_a_segment() -> None:
    found = outline(a_plan(a_block("a"), a_block("ask", "a", human_in_loop=a_gate()),
                           a_block("choose", "ask", conditions=a_choice("x", "y")), a_block("x"), a_block("y")))
    assert found.gates == ("ask",)
    assert _order(found) == [(1, "a"), (2, "ask"), (2, "choose"), (3, "x"), (3, "y")]


ANY = JoinPolicy(mode=JoinMode.ANY)
UNDO = FailurePolicy(action=FailureAction.BRANCH, next_blocks=("undo",))


def test_what_only_a_failure_leads_to_has_no_turn_and_takes_no_time() -> None:
    found = outline(a_plan(_timed("a", on_failure=UNDO), _timed("b", "a"), _timed("undo", seconds=60),
                           a_block("tell", "undo"), _timed("end", "b", "undo")))
    assert [name for _, name in _order(found)] == ["a", "b", "end"]
    assert (found.only_after_failures, found.critical_path) == (("undo", "tell"), ("a", "b", "end"))
    assert (found.widest_level, found.estimated_duration) == (1, 3 * SECOND)


def test_what_a_success_leads_to_as_well_has_its_turn() -> None:
    found = outline(a_plan(a_block("a", on_failure=UNDO), a_block("b", "a"), a_block("undo", "b")))
    assert (_order(found)[-1][1], found.only_after_failures) == ("undo", ())


@pytest.mark.parametrize(("policy", "wave"), [(ANY, 2), (JoinPolicy(), 3)])
def test_a_join_has_its_turn_as_early_as_it_may(policy: JoinPolicy, wave: int) -> None:
    found = outline(a_plan(a_block("a"), a_block("b"), a_block("g", "b", human_in_loop=a_gate()),
                           a_block("j", "a", "g", join_policy=policy)))
    assert [number for number, name in _order(found) if name == "j"] == [wave]


@pytest.mark.parametrize(("policy", "seconds"), [(ANY, 2), (JoinPolicy(mode=JoinMode.N, count=2), 4),
                                                 (JoinPolicy(), 6)])
def test_a_join_is_waited_for_as_long_as_it_waits_itself(policy: JoinPolicy, seconds: int) -> None:
    """What goes on beside it takes its time as well, unless it is cut off."""
    late = replace(policy, late=Late.CANCEL)
    blocks = [_timed("a"), _timed("b"), _timed("b2", "b", seconds=2), _timed("c"), _timed("c2", "c", seconds=2),
              _timed("c3", "c2", seconds=2)]
    found = outline(a_plan(*blocks, _timed("j", "a", "b2", "c3", join_policy=late)))
    assert found.estimated_duration == seconds * SECOND
    assert outline(a_plan(*blocks, _timed("j", "a", "b2", "c3", join_policy=policy))).estimated_duration == max(
        5, seconds) * SECOND


def test_nothing_follows_an_end() -> None:
    ends = a_block("e", agent_id=None, tool_type="", end=End(), dependencies=("a",))
    found = outline(a_plan(a_block("a"), ends, a_block("b", "a", "e")))
    assert {name for _, name in _order(found)} == {"a", "e", "b"}
    assert found.critical_path == ("a", "e")
