"""The outline of a plan: every block once, after those before it; the longest way; no number that nobody said."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import a_block, a_choice, a_gate, a_plan
from tests.support.graphs import graphs, repeatable, templates, wide_graphs
from workflow_service.domain.compiler import compile_template
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


def _timed(name: str, *before: str, seconds: float | None = 1) -> Block:
    return a_block(name, *before, estimated_duration=None if seconds is None else seconds * SECOND)


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
