"""What a restart runs again, what a newer definition changes, what is previewed, how an input is patched."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.builders import a_block, a_block_execution, a_choice, a_gate, a_plan
from workflow_service.domain import restart
from workflow_service.domain.flow import FailureAction, FailurePolicy
from workflow_service.domain.plan import Plan
from workflow_service.domain.statuses import BlockStatus
from workflow_service.domain.template import Block, RetryPolicy, SideEffects

S = BlockStatus
CONTINUE = FailurePolicy(action=FailureAction.CONTINUE)
BRANCH = FailurePolicy(action=FailureAction.BRANCH, next_blocks=("x",))
FORK = a_plan(a_block("a"), a_block("b", "a"), a_block("c", "a"), a_block("d", "b", "c"), a_block("x"))
"""``a`` before ``b`` and ``c``, both before ``d``, and ``x`` beside."""


def found(statuses: Mapping[str, S] | None = None, plan: Plan = FORK) -> restart.Found:
    """Return the blocks of a plan; completed if nothing else is said."""
    known = statuses or {}
    return {name: a_block_execution(name, status=known.get(name, S.COMPLETED), attempt=1) for name in plan.nodes}


@pytest.mark.parametrize(("statuses", "wanted", "reset"), [
    ({}, "a", "abcd"), ({}, "b", "bd"), ({}, "d", "d"), ({}, "x", "x"), ({}, "bx", "bdx"), ({}, "", ""),
    # a predecessor that nothing else would run again comes with it, and what follows that
    ({"b": S.FAILED, "d": S.CANCELLED}, "d", "bd"), ({"b": S.REJECTED, "d": S.CANCELLED}, "c", "bcd"),
    ({"a": S.FAILED, "b": S.CANCELLED, "c": S.CANCELLED, "d": S.CANCELLED}, "d", "abcd"),
    ({"a": S.CANCELLED, "b": S.CANCELLED, "c": S.CANCELLED, "d": S.CANCELLED}, "b", "abcd"),
    # but not one that ended well, was skipped, or is still on its way
    ({"b": S.SKIPPED, "d": S.FAILED}, "d", "d"), ({"b": S.RUNNING, "d": S.PENDING}, "c", "cd"),
    ({"x": S.FAILED, "d": S.FAILED}, "d", "d")])
def test_what_is_reset(statuses: dict[str, S], wanted: str, reset: str) -> None:
    assert restart.affected(FORK, found(statuses), wanted) == frozenset(reset)


def test_a_predecessor_that_a_newer_definition_adds_is_reset() -> None:
    known = {name: block for name, block in found().items() if name != "c"}
    assert restart.affected(FORK, known, "d") == frozenset("cd")
    assert restart.affected(FORK, {}, "d") == frozenset("abcd")


def test_joins_of_the_compiler_are_reset_with_the_blocks_around_them() -> None:
    names = [f"b{number}" for number in range(65)]
    plan = a_plan(*map(a_block, names), a_block("end", *names))
    reset = restart.affected(plan, found(plan=plan), ["b0"])
    assert {"b0", "end"} < reset and all(plan.nodes[name].is_join for name in reset - {"b0", "end"})


@pytest.mark.parametrize(("statuses", "block_id", "reset"), [
    ({"a": S.FAILED, "b": S.CANCELLED, "c": S.CANCELLED, "d": S.CANCELLED}, "a", "abcd"),
    ({"b": S.FAILED, "d": S.CANCELLED}, "b", "bd"),
    # d waits for the other one as well
    ({"b": S.FAILED, "c": S.FAILED, "d": S.CANCELLED}, "b", "b"),
    ({"b": S.FAILED, "c": S.CANCELLED, "d": S.CANCELLED}, "b", "b"),
    ({"b": S.FAILED, "c": S.RUNNING, "d": S.CANCELLED}, "b", "bd"),
    ({"b": S.FAILED, "c": S.SKIPPED, "d": S.CANCELLED}, "b", "bd"),
    ({"b": S.AWAITING_APPROVAL, "d": S.PENDING}, "b", "bd"),
    ({"d": S.FAILED}, "d", "d"), ({"x": S.FAILED, "d": S.FAILED}, "d", "d")])
def test_what_is_reset_by_a_skip(statuses: dict[str, S], block_id: str, reset: str) -> None:
    assert restart.affected_by_skip(FORK, found(statuses), block_id) == frozenset(reset)


def test_what_comes_after_a_block_that_stays_cancelled_stays_as_well() -> None:
    plan = a_plan(a_block("a"), a_block("x"), a_block("j", "a", "x"), a_block("e", "j"), a_block("f", "a", "e"))
    known = found({"a": S.FAILED, "x": S.FAILED, **dict.fromkeys("jef", S.CANCELLED)}, plan)
    assert restart.affected_by_skip(plan, known, "a") == {"a"}


@pytest.mark.parametrize("status", S)
def test_what_counts_as_failed(status: S) -> None:
    is_bad = status in (S.FAILED, S.REJECTED, S.CANCELLED)
    assert restart.failed(FORK, found({"b": status})) == (frozenset("b") if is_bad else frozenset())


@pytest.mark.parametrize("policy", [CONTINUE, BRANCH])
@pytest.mark.parametrize("status", [S.FAILED, S.REJECTED])
def test_a_failure_that_the_template_handles_is_reused(policy: FailurePolicy, status: S) -> None:
    """It has decided what follows, so neither a restart of what failed nor one behind it runs it again."""
    plan = a_plan(a_block("b", on_failure=policy), a_block("d", "b"), a_block("x"))
    known = found({"b": status}, plan)
    assert restart.failed(plan, known) == frozenset()
    assert restart.affected(plan, known, "d") == frozenset("d")
    assert restart.affected_by_skip(plan, known, "d") == frozenset("d")


@pytest.mark.parametrize(("after", "names"), [
    ((a_block("a"), a_block("b", "a")), ""),
    ((a_block("b", "a"), a_block("a")), ""),
    ((a_block("a"), a_block("b", "a"), a_block("c", "b")), "c"),
    ((a_block("a"), a_block("n", "a"), a_block("b", "n")), "nb"),
    ((a_block("a"), a_block("b")), "b"), ((a_block("b"),), "b"), ((a_block("a"),), ""),
    ((a_block("a", agent_id="other"), a_block("b", "a")), "a"),
    ((a_block("a", configuration={"v": 1}), a_block("b", "a")), "a"),
    ((a_block("a"), a_block("b", "a", human_in_loop=a_gate())), "b"),
    ((a_block("a"), a_block("b", "a", retry_policy=RetryPolicy(max_retries=9))), "b"),
    # a choice implies the edge to what it names
    ((a_block("a", conditions=a_choice("b")), a_block("b", "a")), "a")])
def test_what_a_newer_definition_adds_or_changes(after: tuple[Block, ...], names: str) -> None:
    before = a_plan(a_block("a"), a_block("b", "a"))
    assert restart.changed(before, a_plan(*after, version="1.1.0")) == frozenset(names)


def test_what_goes_before_a_join_of_the_compiler_changes_it() -> None:
    names = [f"b{number}" for number in range(65)]
    before = a_plan(*map(a_block, names), a_block("end", *names))
    after = a_plan(*map(a_block, [*names, "n"]), a_block("end", *names, "n"))
    changed = restart.changed(before, after)
    assert "n" in changed and not changed & set(names)
    assert "end" in restart.affected(after, found(plan=before), changed)


def test_a_preview_says_what_runs_and_what_is_kept() -> None:
    preview = restart.preview(FORK, found({"c": S.SKIPPED}), frozenset("bd"))
    assert (preview.template_version, preview.runs_again, preview.reuses) == ("1.0.0", ("b", "d"), ("a", "x"))
    assert (preview.asks_again, preview.may_repeat) == ((), ("b", "d"))


def test_a_preview_leaves_what_is_supplied_out() -> None:
    preview = restart.preview(FORK, found({"b": S.FAILED, "d": S.CANCELLED}), frozenset("bd"), supplied=["b"])
    assert (preview.runs_again, preview.may_repeat, sorted(preview.reuses)) == (("d",), ("d",), ["a", "c", "x"])


def test_a_preview_leaves_joins_of_the_compiler_out() -> None:
    names = [f"b{number}" for number in range(65)]
    plan = a_plan(*map(a_block, names), a_block("end", *names))
    preview = restart.preview(plan, found(plan=plan), frozenset(plan.nodes))
    assert sorted(preview.runs_again) == sorted([*names, "end"])
    assert restart.preview(plan, found(plan=plan), frozenset(["end"])).reuses == tuple(
        name for name in plan.nodes if name in names)


def test_a_preview_says_who_is_asked_again() -> None:
    plan = a_plan(a_block("a", human_in_loop=a_gate()), a_block("b", "a", human_in_loop=a_gate()), a_block("c", "b"))
    assert restart.preview(plan, found(plan=plan), frozenset("bc")).asks_again == ("b",)
    assert restart.preview(plan, found(plan=plan), frozenset("bc"), supplied=["b"]).asks_again == ()


@pytest.mark.parametrize(("side_effects", "fields", "may"), [
    (SideEffects.UNSAFE, {"attempt": 1}, True), (SideEffects.NONE, {"attempt": 1}, False),
    (SideEffects.IDEMPOTENT, {"attempt": 1}, False), (SideEffects.UNSAFE, {"attempt": 0}, False),
    (SideEffects.UNSAFE, {"attempt": 0, "epoch": 2}, True), (SideEffects.NONE, {"attempt": 0, "epoch": 2}, False)])
def test_what_may_happen_a_second_time(side_effects: SideEffects, fields: dict[str, int], may: bool) -> None:
    plan = a_plan(a_block("a", side_effects=side_effects))
    known = {"a": a_block_execution("a", **fields)}
    assert restart.preview(plan, known, frozenset("a")).may_repeat == (("a",) if may else ())


def test_what_a_newer_definition_adds_runs_and_repeats_nothing() -> None:
    preview = restart.preview(FORK, {}, frozenset("abcdx"))
    assert (sorted(preview.runs_again), preview.reuses, preview.may_repeat) == (list("abcdx"), (), ())


@pytest.mark.parametrize(("document", "patch", "result"), [
    # the test cases of RFC 7396, appendix A
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    # and the one of its section 3
    ({"title": "Goodbye!", "author": {"givenName": "John", "familyName": "Doe"}, "tags": ["example", "sample"],
      "content": "This will be unchanged"},
     {"title": "Hello!", "phoneNumber": "+01-123-456-7890", "author": {"familyName": None}, "tags": ["example"]},
     {"title": "Hello!", "author": {"givenName": "John"}, "tags": ["example"], "content": "This will be unchanged",
      "phoneNumber": "+01-123-456-7890"})])
def test_a_merge_patch(document: Any, patch: Any, result: Any) -> None:
    before = repr(document)
    assert restart.merged(document, patch) == result
    assert repr(document) == before
