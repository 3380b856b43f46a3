"""Plans: what can be asked of one."""

from tests.support.builders import a_block, a_gate, a_plan
from workflow_service.domain.plan import Line

DIAMOND = a_plan(a_block("d", "b", "c"), a_block("b", "a"), a_block("c", "a", human_in_loop=a_gate()), a_block("a"),
                 a_block("lonely"))


def test_roots_are_the_blocks_that_nothing_comes_before() -> None:
    assert set(DIAMOND.roots) == {"a", "lonely"}


def test_the_ends_come_first_backwards() -> None:
    assert DIAMOND.ends_first == tuple(reversed(tuple(DIAMOND.nodes)))
    assert DIAMOND.ends_first.index("d") < DIAMOND.ends_first.index("b") < DIAMOND.ends_first.index("a")


def test_descendants_are_all_that_follow_in_order() -> None:
    assert set(DIAMOND.descendants("a")) == {"b", "c", "d"}
    assert DIAMOND.descendants("a")[-1] == "d"
    assert DIAMOND.descendants("b") == ("d",)
    assert DIAMOND.descendants("d") == DIAMOND.descendants("lonely") == ()


def test_gates_are_known() -> None:
    assert DIAMOND.may_park
    assert [name for name, node in DIAMOND.nodes.items() if node.has_gate] == ["c"]
    assert not a_plan(a_block("a", human_in_loop=a_gate(required=False))).may_park


def test_a_run_goes_on_from_any_of_its_blocks() -> None:
    plan = a_plan(a_block("a"), a_block("b", "a"), a_block("c", "b"))
    assert plan.run_from("a") == ("a", "b", "c")
    assert plan.run_from("b") == ("b", "c")
    assert plan.run_from("c") == ("c",)


def test_descendants_reach_through_joins_of_the_compiler() -> None:
    plan = a_plan(*(a_block(f"b{number}") for number in range(70)), a_block("end", *(f"b{n}" for n in range(70))))
    joins = [name for name, node in plan.nodes.items() if node.is_join]
    assert len(joins) == 2
    assert set(plan.descendants("b0")) == {"end", next(name for name in joins
                                                       if "b0" in plan.nodes[name].predecessors)}
    assert not any(plan.nodes[name].has_gate for name in joins)


def test_a_line_knows_its_ends() -> None:
    line = Line(runs=(("a", "b"), ("c",)))
    assert (line.first, line.last) == ("a", "c")
