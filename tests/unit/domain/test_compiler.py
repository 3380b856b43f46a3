"""The compiler: properties of the plans of random graphs, and which segments it cuts."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import a_block, a_choice, a_gate, a_plan, a_template_document
from tests.support.flows import Flow, flows
from tests.support.graphs import Before, graphs, repeatable, template_of, templates, wide_graphs, widest_antichain
from workflow_service.domain import edges
from workflow_service.domain.compiler import (
    MAX_JOIN_EDGES,
    MAX_LINE_RUNS,
    MAX_RUN_BLOCKS,
    compile_template,
    segments,
)
from workflow_service.domain.flow import MAX_EARLY_JOIN_EDGES
from workflow_service.domain.plan import Fan, Line, Plan
from workflow_service.domain.template import Template
from workflow_service.domain.template_parsing import parse_template

REPOSITORY = Path(__file__).parents[3]
ANY_TEMPLATE = templates(st.one_of(graphs(), wide_graphs()))


@repeatable
@given(ANY_TEMPLATE)
def test_every_block_is_in_the_plan_once_after_those_before_it(template: Template) -> None:
    plan = compile_template(template)
    assert [name for name, node in plan.nodes.items() if node.block] == [
        name for name in plan.nodes if "~" not in name]
    assert {name: node.block for name, node in plan.nodes.items() if node.block} == {
        block.block_id: block for block in template.blocks}
    place = {name: number for number, name in enumerate(plan.nodes)}
    for name, node in plan.nodes.items():
        assert node.node_id == name
        assert all(place[before] < place[name] for before in node.predecessors)
        assert all(name in plan.nodes[before].successors for before in node.predecessors)
        assert all(name in plan.nodes[after].predecessors for after in node.successors)


@repeatable
@given(ANY_TEMPLATE)
def test_joins_are_small_and_stand_for_the_edges_that_they_cut(template: Template) -> None:
    plan, before = compile_template(template), edges.predecessors(template.blocks)
    assert all(len(node.predecessors) <= MAX_JOIN_EDGES for node in plan.nodes.values())
    for name, names in before.items():
        assert sorted(blocks_before(plan, name)) == sorted(names)
    for name, node in plan.nodes.items():
        assert node.target == (name.split("~")[0] if node.is_join else name)
        if node.is_join:
            assert node.predecessors
            assert len(node.successors) == 1
            assert plan.nodes[node.successors[0]].target == node.target


@repeatable
@given(ANY_TEMPLATE)
def test_runs_are_straight_and_short(template: Template) -> None:
    plan = compile_template(template)
    assert len(set(plan.next_in_run.values())) == len(plan.next_in_run)
    for name in plan.nodes:
        run = plan.run_from(name)
        assert len(run) <= MAX_RUN_BLOCKS
        for one, other in pairwise(run):
            assert goes_straight_on(plan, one, other)


@repeatable
@given(flows(late=True, all_handled=False))
def test_joins_that_begin_early_and_failure_branches_are_sent_by_whoever_opens_them(flow: Flow) -> None:
    """A canvas brings only what surely follows."""
    plan = compile_template(parse_template(a_template_document(*flow.blocks())))
    assert not any(node.is_join for node in plan.nodes.values())
    for before, after in plan.next_in_run.items():
        assert not edges.failure_targets(plan.template.block(before))
        assert plan.nodes[after].predecessors == (before,)
    fans = [segment for name in plan.nodes for segment in segments(plan, plan.nodes[name].successors)
            if isinstance(segment, Fan)]
    joins = [fan.join.first for fan in fans if fan.join is not None]
    assert not any(plan.nodes[name].is_early for name in joins)


def test_no_join_that_begins_early_is_cut() -> None:
    assert MAX_EARLY_JOIN_EDGES <= MAX_JOIN_EDGES


@repeatable
@given(ANY_TEMPLATE, st.floats(0, 1))
def test_segments_cover_what_is_ready_exactly_once(template: Template, share: float) -> None:
    plan = compile_template(template)
    ready = ready_after(plan, round(share * len(plan.nodes)))
    cut = segments(plan, ready)
    lines = [line for segment in cut for line in (segment.lines if isinstance(segment, Fan) else (segment,))]
    assert [line.first for line in lines] == list(ready)
    sent = [name for line in lines for run in line.runs for name in run]
    assert len(sent) == len(set(sent))
    for line in lines:
        assert len(line.runs) <= MAX_LINE_RUNS
        assert all(len(run) <= MAX_RUN_BLOCKS for run in line.runs)
        assert all(goes_straight_on(plan, one, other)
                   for one, other in pairwise([name for run in line.runs for name in run]))


@repeatable
@given(ANY_TEMPLATE, st.floats(0, 1))
def test_the_join_of_a_fan_joins_exactly_its_lines(template: Template, share: float) -> None:
    plan = compile_template(template)
    for segment in segments(plan, ready_after(plan, round(share * len(plan.nodes)))):
        if isinstance(segment, Fan) and segment.join is not None:
            join = plan.nodes[segment.join.first]
            assert sorted(join.predecessors) == sorted(line.last for line in segment.lines)
            assert join.block is not None
            assert not join.has_gate
            assert segment.join.runs == (plan.run_from(join.node_id),)


@repeatable
@given(graphs(most=9))
def test_no_more_blocks_can_run_at_once_than_the_width_says(before: Before) -> None:
    plan = compile_template(template_of(before))
    assert widest_antichain(before) <= plan.width <= len(before)
    assert plan.widest_level <= plan.width


@repeatable
@given(graphs())
def test_levels_are_the_longest_path(before: Before) -> None:
    plan = compile_template(template_of(before))
    depth: dict[str, int] = {}
    for name, node in plan.nodes.items():
        depth[name] = 1 + max((depth[one] for one in node.predecessors), default=0)
    assert plan.levels == max(depth.values())
    assert plan.widest_level == max(list(depth.values()).count(level) for level in depth.values())


@repeatable
@given(ANY_TEMPLATE)
def test_compiling_again_gives_the_same_plan(template: Template) -> None:
    one, other = compile_template(template), compile_template(template)
    assert one == other
    assert list(one.nodes) == list(other.nodes)


def test_every_process_compiles_the_same_plan() -> None:
    program = ("from tests.support.builders import *\nfrom workflow_service.domain.compiler import segments\n"
               "names = [f'b{number}' for number in range(70)]\n"
               "start, end = a_block('start', conditions=a_choice(*names)), a_block('e', *names)\n"
               "plan = a_plan(start, *map(a_block, names), end)\n"
               "print(plan, segments(plan, plan.nodes['start'].successors))")
    plans = [subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, check=True,
                            cwd=REPOSITORY, capture_output=True, text=True, timeout=60).stdout for seed in ("1", "2")]
    assert plans[0] == plans[1]
    assert "e~0~1" in plans[0]


@pytest.mark.parametrize(("edges_in", "joins"), [(64, []), (65, [64, 1]), (128, [64, 64]), (130, [64, 64, 2])])
def test_many_edges_into_one_block_are_cut(edges_in: int, joins: list[int]) -> None:
    names = [f"b{number}" for number in range(edges_in)]
    plan = a_plan(*map(a_block, names), a_block("end", *names))
    cut = [node for node in plan.nodes.values() if node.is_join]
    assert [len(node.predecessors) for node in cut] == joins
    assert len(plan.nodes["end"].predecessors) == (len(joins) or edges_in)


def test_a_tree_of_joins_has_as_many_levels_as_it_needs() -> None:
    names = [f"b{number}" for number in range(64 * 64 + 1)]
    plan = a_plan(*map(a_block, names), a_block("end", *names))
    assert plan.levels == 4
    assert sum(node.is_join for node in plan.nodes.values()) == 65 + 2


def chain(length: int) -> Plan:
    """Return the plan of blocks one after the other."""
    return a_plan(*(a_block(f"b{number}", *([f"b{number - 1}"] if number else [])) for number in range(length)))


@pytest.mark.parametrize(("length", "runs"), [(1, [1]), (20, [20]), (21, [20, 1]), (401, [20] * 20), (45, [20, 20, 5])])
def test_a_line_is_a_chain_of_runs(length: int, runs: list[int]) -> None:
    plan = chain(length)
    (line,) = segments(plan, ["b0"])
    assert isinstance(line, Line)
    assert [len(run) for run in line.runs] == runs
    assert plan.width == 1


def test_nothing_is_sent_when_nothing_is_ready() -> None:
    assert segments(chain(2), []) == ()


def test_a_fork_and_its_join_are_one_fan() -> None:
    plan = a_plan(a_block("a"), a_block("b", "a"), a_block("b2", "b"), a_block("c", "a"), a_block("d", "b2", "c"),
                  a_block("e", "d"))
    assert segments(plan, ["a"]) == (Line(runs=(("a",),)),)
    assert segments(plan, ["b", "c"]) == (Fan(lines=(Line(runs=(("b", "b2"),)), Line(runs=(("c",),))),
                                              join=Line(runs=(("d", "e"),))),)


@pytest.mark.parametrize(("plan", "ready"), [
    pytest.param(a_plan(a_block("b"), a_block("c"), a_block("x"), a_block("d", "b", "c", "x")), ["b", "c"],
                 id="one that it waits for is not among them"),
    pytest.param(a_plan(a_block("b"), a_block("c"), a_block("d", "b", "c", human_in_loop=a_gate())), ["b", "c"],
                 id="a person is asked before it"),
    pytest.param(a_plan(a_block("b", conditions=a_choice("d")), a_block("c"), a_block("d", "c")), ["b", "c"],
                 id="it may not be chosen"),
    pytest.param(a_plan(a_block("b"), a_block("c"), a_block("d", "b", "c"), a_block("e", "b")), ["b", "c"],
                 id="more than it follows"),
    pytest.param(a_plan(*(a_block(f"b{n}") for n in range(65)), a_block("d", *(f"b{n}" for n in range(65)))),
                 [f"b{n}" for n in range(64)], id="it is a join of the compiler"),
    pytest.param(a_plan(a_block("b"), a_block("c"), a_block("d", "b", "c"), a_block("e", "b", "c")), ["b", "c"],
                 id="there are two of them"),
    pytest.param(a_plan(a_block("b"), a_block("c")), ["b", "c"], id="nothing follows")])
def test_a_fan_without_join(plan: Plan, ready: list[str]) -> None:
    (fan,) = segments(plan, ready)
    assert isinstance(fan, Fan)
    assert fan.join is None


@pytest.mark.parametrize("plan", [
    pytest.param(a_plan(a_block("a"), a_block("b", "a", human_in_loop=a_gate())), id="a gate follows"),
    pytest.param(a_plan(a_block("a", conditions=a_choice("b")), a_block("b")), id="it chooses"),
    pytest.param(a_plan(a_block("a"), a_block("b", "a"), a_block("c", "a")), id="two follow"),
    pytest.param(a_plan(a_block("a"), a_block("x"), a_block("b", "a", "x")), id="the next waits for another")])
def test_a_run_ends_where_work_does_not_go_straight_on(plan: Plan) -> None:
    assert plan.run_from("a") == ("a",)
    assert segments(plan, ["a"]) == (Line(runs=(("a",),)),)


def test_a_run_may_begin_with_a_gate_and_end_with_a_choice() -> None:
    plan = a_plan(a_block("a", human_in_loop=a_gate()), a_block("b", "a", conditions=a_choice("c", "d")),
                  a_block("c"), a_block("d"))
    assert plan.run_from("a") == ("a", "b")


def goes_straight_on(plan: Plan, one: str, other: str) -> bool:
    """Say whether there is one way on from a block, one way into the next, no choice and nobody asked."""
    first, second = plan.nodes[one], plan.nodes[other]
    return (first.successors == (other,) and second.predecessors == (one,) and first.block is not None
            and second.block is not None and not second.has_gate and not edges.branch_targets(first.block))


def blocks_before(plan: Plan, name: str) -> list[str]:
    """Return the blocks right before one, seen through the joins between them."""
    found: list[str] = []
    open_ones = list(plan.nodes[name].predecessors)
    while open_ones:
        one = plan.nodes[open_ones.pop()]
        if one.is_join:
            open_ones += one.predecessors
        else:
            found.append(one.node_id)
    return found


def ready_after(plan: Plan, count: int) -> tuple[str, ...]:
    """Return the blocks that are ready once the first ``count`` nodes of the plan have completed."""
    completed = set(tuple(plan.nodes)[:count])
    for name, node in plan.nodes.items():
        if node.is_join and completed.issuperset(node.predecessors):
            completed.add(name)
    return tuple(name for name, node in plan.nodes.items()
                 if name not in completed and not node.is_join and completed.issuperset(node.predecessors))
