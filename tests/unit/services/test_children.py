"""Maps, loops and sub-workflows: executions that are a part of another one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.services.lives import BROKEN, MINUTE, OPERATOR, WORKSPACE, Life, S, block, gate
from workflow_service.domain.commands import CancelExecution, RestartExecution
from workflow_service.domain.statuses import ApprovalStatus, ExecutionStatus


def each(block_id: str, *after: str, items: str = "input.list", **more: Any) -> dict[str, Any]:
    """Return a block whose agent does each item of a list."""
    how = {"items": items, "maxParallel": 2, **more.pop("map", {})}
    return block(block_id, *after, map=how, configuration={"value": "${item}"}, **more)


def calling(block_id: str, template_id: str, *after: str, **more: Any) -> dict[str, Any]:
    """Return a block that runs another template."""
    return {"blockId": block_id, "dependencies": list(after), "workflow": {"templateId": template_id}, **more}


def outputs(life: Life, run: str, block_id: str) -> Any:
    """Return the output of a block."""
    return life.block(run, block_id).output


def calls(life: Life, value: str) -> int:
    """Return how often an agent was given a value."""
    return sum(effect.input["value"] == value for effect in life.agents.service.effects)


def test_each_item_is_done_and_the_results_are_in_order() -> None:
    life = Life(each("m"), block("after", "m", configuration={"value": "${blocks.m.output.results[2].value}"}))
    run = life.start(list=["a", "b", "c", "d", "e"])
    life.ends(run, S.COMPLETED, m="completed", after="completed")
    assert outputs(life, run, "m") == {"results": [{"value": name, "way": "left"} for name in "abcde"], "failed": [],
                                       "total": 5}
    assert outputs(life, run, "after")["value"] == "c"
    assert [child.status for child in life.children(run)] == [S.COMPLETED] * 5


def test_no_more_items_are_at_work_than_may_be() -> None:
    life = Life(each("m", map={"maxParallel": 3}))
    run, seen = life.start(list=list("abcdefgh")), []

    def look() -> dict[str, Any]:
        seen.append(sum(not child.status.is_terminal for child in life.children(run)))
        return {"value": 1}

    for name in "abcdefgh":
        life.agents.plan(name, look)
    life.ends(run, S.COMPLETED)
    assert len(seen) == 8 and max(seen) == 3


@pytest.mark.parametrize("items", ["[]", "input.list.filter(x, false)"])
def test_a_map_over_nothing_completes_at_once(items: str) -> None:
    life = Life(each("m", items=items))
    run = life.start(list=[1])
    life.ends(run, S.COMPLETED)
    assert outputs(life, run, "m") == {"results": [], "failed": [], "total": 0}
    assert life.children(run) == []


@pytest.mark.parametrize(("given", "message"), [("no list", "a list is needed"), ([0] * 10_001, "10000 are allowed")])
def test_what_is_no_list_or_too_long_fails_the_map(given: Any, message: str) -> None:
    life = Life(each("m"))
    run = life.start(list=given)
    life.ends(run, S.FAILED, m="failed")
    error = life.block(run, "m").error or {}
    assert error["code"] == "invalid_input" and message in error["message"]


@pytest.mark.parametrize(("tolerated", "bad", "status"), [
    (0, "", S.COMPLETED), (0, "a", S.FAILED), (1, "a", S.COMPLETED), (1, "ab", S.FAILED), ("25%", "a", S.COMPLETED),
    ("25%", "ab", S.FAILED), ("50%", "ab", S.COMPLETED)])
def test_as_many_items_may_fail_as_the_template_says(tolerated: int | str, bad: str, status: ExecutionStatus) -> None:
    life = Life(each("m", map={"tolerateFailures": tolerated}))
    for name in bad:
        life.agents.plan(name, BROKEN)
    run = life.start(list=list("abcd"))
    life.ends(run, status)
    if status is S.COMPLETED:
        output = outputs(life, run, "m")
        assert output["failed"] == ["abcd".index(name) for name in bad]
        assert [result is None for result in output["results"]] == [name in bad for name in "abcd"]
    else:
        error = life.of(run).error or {}
        assert (error["code"], error["blockId"]) == ("items_failed", "m")
        assert f"{len(bad)} of 4" in error["message"]


def test_no_further_item_begins_when_too_many_failed() -> None:
    life = Life(each("m", map={"maxParallel": 1}))
    life.agents.plan("b", BROKEN)
    run = life.start(list=list("abcdef"))
    life.ends(run, S.FAILED)
    assert [calls(life, name) for name in "abcdef"] == [1, 1, 0, 0, 0, 0]


def test_a_map_in_a_map() -> None:
    life = Life(block("m", map={"items": "input.rows", "as": "row", "map": {"items": "row.cells", "as": "cell"}},
                      configuration={"value": "${string(row.name) + string(cell)}"}))
    run = life.start(rows=[{"name": "a", "cells": [1, 2]}, {"name": "b", "cells": []}, {"name": "c", "cells": [3]}])
    life.ends(run, S.COMPLETED)
    rows = outputs(life, run, "m")["results"]
    assert [[cell["value"] for cell in row["results"]] for row in rows] == [["a1", "a2"], [], ["c3"]]


def test_a_loop_ends_when_its_condition_is_true() -> None:
    life = Life(block("l", loop={"until": "output.value == 'turn 2'"},
                      configuration={"value": "turn ${iteration}"}), block("b", "l"))
    run = life.start()
    life.ends(run, S.COMPLETED, l="completed", b="completed")
    assert outputs(life, run, "l") == {"last": {"value": "turn 2", "way": "left"}, "iterations": 3}


def test_a_round_knows_what_the_last_one_gave() -> None:
    life = Life(block("l", loop={"until": "iteration == 2"},
                      configuration={"value": "${last == null ? 'x' : last.value + 'x'}"}))
    run = life.start()
    life.ends(run, S.COMPLETED)
    assert outputs(life, run, "l")["last"]["value"] == "xxx"


@pytest.mark.parametrize(("loop", "code"), [
    ({"until": "false", "maxIterations": 3}, "loop_exhausted"), ({"until": "output.nothing"}, "expression_error")])
def test_a_loop_that_does_not_end_fails(loop: dict[str, Any], code: str) -> None:
    life = Life(block("l", loop=loop))
    run = life.start()
    life.ends(run, S.FAILED)
    assert (life.of(run).error or {})["code"] == code


def test_a_loop_whose_round_fails_fails() -> None:
    life = Life(block("l", loop={"until": "iteration == 4"}, configuration={"value": "turn ${iteration}"}))
    life.agents.plan("turn 1", BROKEN)
    run = life.start()
    life.ends(run, S.FAILED)
    assert (life.of(run).error or {})["code"] == "round_failed"
    assert calls(life, "turn 2") == 0


def a_life_with_a_child(*blocks: dict[str, Any], **settings: Any) -> Life:
    """Return a life whose template runs another one, with these blocks, in the middle."""
    life = Life(block("a"), calling("w", "child", "a", configuration={"x": "${blocks.a.output.value}"}),
                block("b", "w", configuration={"value": "${blocks.w.output.result}" if "output" in settings else "b"}))
    life.store("child", *blocks, **settings)
    return life


def test_another_workflow_is_done_as_a_block() -> None:
    life = a_life_with_a_child(block("c", configuration={"value": "${input.x + '!'}"}),
                               output={"result": "${blocks.c.output.value}"})
    run = life.start()
    life.ends(run, S.COMPLETED, a="completed", w="completed", b="completed")
    assert (outputs(life, run, "w"), outputs(life, run, "b")["value"]) == ({"result": "a!"}, "a!")
    (child,) = life.children(run)
    assert (child.template_id, child.status, child.input) == ("child", S.COMPLETED, {"x": "a"})


def test_without_an_output_it_gives_that_of_its_last_blocks() -> None:
    life = Life(calling("w", "child"))
    life.store("child", block("c"), block("d", "c"), block("e", "c"))
    run = life.start()
    life.ends(run, S.COMPLETED)
    assert {name: given["value"] for name, given in outputs(life, run, "w").items()} == {"d": "d", "e": "e"}


def test_a_map_over_another_workflow() -> None:
    life = Life(calling("w", "child", map={"items": "input.list", "as": "name"},
                        configuration={"x": "${name}", "place": "${index}"}))
    life.store("child", block("c", configuration={"value": "${input.x + string(input.place)}"}),
               output={"got": "${blocks.c.output.value}"})
    run = life.start(list=["a", "b"])
    life.ends(run, S.COMPLETED)
    assert outputs(life, run, "w")["results"] == [{"got": "a0"}, {"got": "b1"}]


def test_an_item_whose_input_does_not_fit_is_a_failed_one() -> None:
    life = Life(calling("w", "child", map={"items": "input.list", "tolerateFailures": 1},
                        configuration={"x": "${item}"}))
    life.store("child", block("c"), inputSchema={"type": "object", "properties": {"x": {"type": "integer"}}})
    run = life.start(list=[1, "no", 3])
    life.ends(run, S.COMPLETED)
    assert outputs(life, run, "w")["failed"] == [1]
    assert len(life.children(run)) == 2


@pytest.mark.parametrize("make", [
    lambda life: None,
    lambda life: life.store("child", block("c"), inputSchema={"type": "object", "required": ["y"]})])
def test_a_workflow_that_can_not_be_started_fails_its_block(make: Any) -> None:
    life = Life(calling("w", "child"))
    make(life)
    run = life.start()
    life.ends(run, S.FAILED, w="failed")


def test_a_workflow_that_calls_itself_for_ever_fails() -> None:
    life = Life(calling("w", "t"))
    run = life.start()
    life.ends(run, S.FAILED)
    assert len(life.runs()) == 9


def test_what_fails_below_fails_above() -> None:
    life = a_life_with_a_child(block("c"))
    life.agents.plan("c", BROKEN)
    run = life.start()
    life.ends(run, S.FAILED, w="failed", b="cancelled")
    assert (life.of(run).error or {})["code"] == "workflow_failed"


def test_a_request_below_shows_above_and_its_answer_goes_on() -> None:
    life = a_life_with_a_child(gate("c"))
    run = life.start()
    life.settle()
    (child,) = life.children(run)
    assert (life.of(run).status, child.status) == (S.WAITING, S.WAITING)
    (asked,) = life.engine.executions.get(OPERATOR, run)["blockExecutions"][1]["humanInteractions"]
    assert asked["status"] == ApprovalStatus.PENDING.value
    life.answer(child.execution_id, "c")
    life.ends(run, S.COMPLETED)


def test_a_pause_reaches_down_and_so_does_the_resume() -> None:
    life = a_life_with_a_child(gate("c"), block("d", "c"))
    run = life.start()
    life.settle()
    (child,) = life.children(run)
    life.pause(run)
    life.settle()
    assert (life.of(run).status, life.of(child.execution_id).status) == (S.PAUSED, S.PAUSED)
    life.answer(child.execution_id, "c")
    life.pass_time(30 * MINUTE)
    assert life.agents.called("c") == 0
    life.engine.holds.resume(OPERATOR, run)
    life.ends(run, S.COMPLETED)
    assert life.of(child.execution_id).holds == ()


def test_it_is_pausing_while_something_below_is_at_work() -> None:
    life, seen = a_life_with_a_child(block("c"), block("d", "c")), []
    run = life.start()

    def meanwhile() -> dict[str, Any]:
        seen.append(life.pause(run).status)
        return {"value": 1}

    life.agents.plan("c", meanwhile)
    life.work()
    assert seen == [S.PAUSING]
    assert (life.of(run).status, life.agents.called("d")) == (S.PAUSED, 0)
    life.engine.holds.resume(OPERATOR, run)
    life.ends(run, S.COMPLETED)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_items_that_begin_while_it_is_paused_wait(when: str) -> None:
    life = Life(each("m", map={"maxParallel": 1}))
    run = life.start(list=["a", "b"])

    def pause() -> dict[str, Any]:
        life.pause(run)
        return {"value": 1}

    if when == "before":
        life.agents.plan("a", pause)
    life.work()
    if when == "meanwhile":
        life.agents.plan("b", {"value": 2})
        life.pause(run) if not life.of(run).status.is_terminal else None
    life.pass_time(20 * MINUTE)
    if not life.of(run).status.is_terminal:
        assert life.of(run).status is S.PAUSED
        life.engine.holds.resume(OPERATOR, run)
    life.ends(run, S.COMPLETED)


def test_a_cancel_reaches_down() -> None:
    life = a_life_with_a_child(gate("c"))
    run = life.start()
    life.settle()
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run))
    life.ends(run, S.CANCELLED, w="cancelled", b="cancelled")
    (child,) = life.children(run)
    assert child.status is S.CANCELLED
    assert [one.status for one in life.requests(child.execution_id, "c")] == [ApprovalStatus.CANCELLED]


def test_a_cancel_begins_no_further_item() -> None:
    life = Life(each("m", map={"maxParallel": 1}))
    run = life.start(list=list("abc"))

    def meanwhile() -> dict[str, Any]:
        life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run))
        return {"value": 1}

    life.agents.plan("a", meanwhile)
    life.ends(run, S.CANCELLED)
    assert calls(life, "b") == 0


def test_a_child_that_somebody_cancels_is_a_failed_one() -> None:
    life = a_life_with_a_child(gate("c"))
    run = life.start()
    life.settle()
    (child,) = life.children(run)
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=child.execution_id))
    life.ends(run, S.FAILED, w="failed")


def test_a_restart_begins_new_children_when_the_old_ones_have_stopped() -> None:
    life = a_life_with_a_child(gate("c"))
    run = life.start()
    life.settle()
    (old,) = life.children(run)
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, from_block="a"))
    life.settle()
    assert life.of(old.execution_id).status is S.CANCELLED
    (new,) = [one for one in life.children(run) if one.execution_id != old.execution_id]
    life.answer(new.execution_id, "c")
    life.ends(run, S.COMPLETED)


def test_a_failed_item_that_is_restarted_in_time_counts_as_well_done() -> None:
    life = Life(each("m", map={"tolerateFailures": 1}))
    life.agents.plan("a", BROKEN)
    run = life.start(list=["a", "b"])
    seen = []

    def meanwhile() -> dict[str, Any]:
        (failed,) = [child for child in life.children(run) if child.status is S.FAILED]
        seen.append(life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=failed.execution_id)))
        life.work()
        return {"value": 1}

    life.agents.plan("b", meanwhile)
    life.ends(run, S.COMPLETED)
    assert len(seen) == 1 and outputs(life, run, "m")["failed"] == []


def a_short_map() -> Life:
    """Return a life with a map in the middle, of three items in two lanes."""
    return Life(block("a"), each("m", "a"), block("b", "m"))


@pytest.mark.parametrize("last", range(1, 90, 2))
def test_who_dies_anywhere_is_followed_by_the_sweep(last: int) -> None:
    life = a_short_map()
    run = life.start(list=["x", "y", "z"])
    life.dies(life.work, last)
    life.ends(run, S.COMPLETED)
    assert len(life.children(run)) == 3
    assert len({effect.key for effect in life.agents.effects if effect.key.split(":")[0] != run}) == 3


@pytest.mark.parametrize("last", range(1, 60, 2))
def test_who_dies_while_cancelling_is_followed_by_the_sweep(last: int) -> None:
    life = a_life_with_a_child(gate("c"))
    run = life.start()
    life.settle()
    died = life.dies(lambda: life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run)), last)
    if life.of(run).status is S.WAITING:
        assert died
        return
    life.ends(run, S.CANCELLED)
    assert [child.status for child in life.children(run)] == [S.CANCELLED]


@pytest.mark.parametrize("last", range(1, 60, 2))
def test_who_dies_while_pausing_or_resuming_is_followed_by_the_sweep(last: int) -> None:
    life = a_life_with_a_child(gate("c"), block("d", "c"))
    run = life.start()
    life.settle()
    (child,) = life.children(run)
    life.dies(lambda: life.pause(run), last)
    life.pass_time(30 * MINUTE)
    if "operator" in life.of(run).holds:
        assert (life.of(run).status, life.of(child.execution_id).status) == (S.PAUSED, S.PAUSED)
        life.dies(lambda: life.engine.holds.resume(OPERATOR, run), last)
        life.pass_time(600 * MINUTE)
        if "operator" in life.of(run).holds:
            life.engine.holds.resume(OPERATOR, run)
    life.answer(child.execution_id, "c")
    life.ends(run, S.COMPLETED)


def test_children_are_counted_by_status() -> None:
    life = Life(each("m", map={"tolerateFailures": 1}))
    life.agents.plan("b", BROKEN)
    run = life.start(list=list("abc"))
    life.ends(run, S.COMPLETED)
    assert life.executions.child_counts(WORKSPACE, run) == {("m", 1): {"completed": 2, "failed": 1}}


def test_a_workflow_that_can_not_be_started_is_told_before() -> None:
    life = Life(calling("w", "child"))
    (issue,) = [one for one in life.engine.template_reviews.validate(OPERATOR, "t") if one.code == "unknown_workflow"]
    assert (issue.path, "child" in issue.message) == ("blocks[0].workflow", True)
    life.store("child", block("c"))
    assert not life.engine.template_reviews.validate(OPERATOR, "t")
