"""Restarts, as an operator sees them: of a block, of what failed, of all; with another input or definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.services.lives import (
    ACCEPTED,
    BROKEN,
    HOUR,
    LEASE,
    OPERATOR,
    STRANGER,
    WORKSPACE,
    Life,
    S,
    block,
    either,
    gate,
)
from workflow_service.domain.commands import LATEST, ORIGINAL, CancelExecution, CancelMode, RestartExecution
from workflow_service.domain.errors import Conflict, Invalid, NotFound, Unavailable
from workflow_service.domain.statuses import ApprovalStatus
from workflow_service.services.restarts import Restart


def restarted(life: Life, run: str, **how: Any) -> Restart:
    """Let the operator restart an execution."""
    return life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, **how))


def completed(*blocks: Mapping[str, Any], **given: Any) -> tuple[Life, str]:
    """Return an execution that completed."""
    life = Life(*blocks)
    run = life.start(**given)
    life.ends(run, S.COMPLETED)
    return life, run


def half_failed() -> tuple[Life, str]:
    """Return an execution of ``a -> b -> c`` and ``x`` in which ``b`` failed."""
    life = Life(block("a"), block("b", "a"), block("c", "b"), block("x"))
    life.agents.plan("b", BROKEN)
    run = life.start()
    life.ends(run, S.FAILED, a="completed", b="failed", c="cancelled", x="completed")
    return life, run


def test_what_failed_and_what_was_cancelled_for_it_runs_again() -> None:
    life, run = half_failed()
    done = restarted(life, run)
    assert (done.execution.status, done.execution.error, done.execution.completed_at) == (S.RUNNING, None, None)
    assert (done.preview.runs_again, done.preview.reuses) == (("b", "c"), ("a", "x"))
    life.ends(run, S.COMPLETED)
    assert [life.agents.called(name) for name in "abcx"] == [1, 2, 1, 1]


def test_what_failed_runs_again_if_that_is_asked_for_in_so_many_words() -> None:
    life, run = half_failed()
    assert restarted(life, run, failed_only=True).preview.runs_again == ("b", "c")
    life.ends(run, S.COMPLETED)


def test_a_block_runs_again_with_all_that_follows_it() -> None:
    life, run = completed(block("a"), block("b", "a"), block("c", "b"), block("x"))
    assert restarted(life, run, from_block="b").preview.runs_again == ("b", "c")
    life.ends(run, S.COMPLETED)
    assert [life.agents.called(name) for name in "abcx"] == [1, 2, 2, 1]
    assert [life.block(run, name).epoch for name in "abcx"] == [1, 2, 2, 1]


def test_a_block_after_one_that_failed_takes_that_with_it() -> None:
    life, run = half_failed()
    assert restarted(life, run, from_block="c").preview.runs_again == ("b", "c")
    life.ends(run, S.COMPLETED)


def test_a_block_of_a_running_execution_runs_again() -> None:
    life = Life(block("a"), gate("b", "a"))
    run = life.start()
    life.work()
    asked = life.request(run, "b")
    restarted(life, run, from_block="a")
    life.work()
    assert (life.requests(run, "b")[0].approval_id, life.requests(run, "b")[0].status) == (
        asked.approval_id, ApprovalStatus.SUPERSEDED)
    life.answer(run, "b")
    life.ends(run, S.COMPLETED)
    assert life.agents.called("a") == 2


@pytest.mark.parametrize("failed_only", [False, True])
def test_nothing_failed(failed_only: bool) -> None:
    life, run = completed(block("a"))
    before = life.documents()
    with pytest.raises(Conflict, match="Nothing in execution"):
        restarted(life, run, failed_only=failed_only)
    assert life.documents() == before


def test_there_is_no_such_block_or_execution() -> None:
    life, run = half_failed()
    before = life.documents()
    with pytest.raises(NotFound):
        restarted(life, run, from_block="nobody")
    with pytest.raises(NotFound):
        restarted(life, "nowhere")
    with pytest.raises(NotFound):
        life.engine.restarts.restart(STRANGER, RestartExecution(execution_id=run))
    assert life.documents() == before


def test_a_join_of_the_compiler_is_no_block_to_restart_from() -> None:
    names = [f"b{number}" for number in range(65)]
    life, run = completed(*map(block, names), block("end", *names))
    (join, *_) = [name for name in life.statuses(run) if "~" in name]
    with pytest.raises(NotFound):
        restarted(life, run, from_block=join)
    restarted(life, run, from_block="b3")
    life.ends(run, S.COMPLETED)
    assert (life.agents.called("b3"), life.agents.called("b4"), life.agents.called("end")) == (2, 1, 2)


@pytest.mark.parametrize(("how", "path"), [
    ({"from_block": "b", "failed_only": True}, "failedOnly"),
    ({"failed_only": True, "reset_state": True}, "resetState"),
    ({"from_block": "b", "failed_only": True, "reset_state": True, "dry_run": True}, "failedOnly")])
def test_a_command_that_contradicts_itself(how: dict[str, Any], path: str) -> None:
    life, run = half_failed()
    before = life.documents()
    with pytest.raises(Invalid) as raised:
        restarted(life, run, **how)
    assert [(issue.path, issue.code) for issue in raised.value.issues] == [(path, "contradiction")]
    assert life.documents() == before


# ---- the shared context, the input


def reading() -> tuple[Life, str]:
    """Return a completed execution that read the shared context."""
    life = Life(block("a"), block("b", "a", configuration={"value": "b", "n": "${context.n + input.n}"}))
    life.state.set_context(WORKSPACE, {"n": 1})
    run = life.start(n=10)
    life.ends(run, S.COMPLETED)
    life.state.set_context(WORKSPACE, {"n": 2})
    return life, run


@pytest.mark.parametrize(("how", "n", "calls"), [
    ({"from_block": "b"}, 11, [1, 2]), ({"from_block": "b", "reset_state": True}, 12, [1, 2]),
    ({"reset_state": True}, 12, [2, 2]),
    ({"reset_state": True, "input_patch": {"n": 20}}, 22, [2, 2]),
    ({"from_block": "b", "input_patch": {"n": 20}}, 21, [1, 2])])
def test_what_a_restarted_block_reads(how: dict[str, Any], n: int, calls: list[int]) -> None:
    life, run = reading()
    restarted(life, run, **how)
    life.ends(run, S.COMPLETED)
    assert life.block(run, "b").input == {"value": "b", "n": n}
    assert [life.agents.called(name) for name in "ab"] == calls


def test_the_shared_context_can_not_be_read_again_while_its_service_is_away() -> None:
    life, run = reading()
    before = life.documents()
    life.state.set_available(False)
    with pytest.raises(Unavailable):
        restarted(life, run, reset_state=True)
    assert life.documents() == before
    restarted(life, run, from_block="b")
    life.state.set_available(True)
    life.ends(run, S.COMPLETED)


def test_all_runs_again_if_the_state_is_reset() -> None:
    life, run = half_failed()
    assert sorted(restarted(life, run, reset_state=True).preview.runs_again) == ["a", "b", "c", "x"]
    life.ends(run, S.COMPLETED)
    assert [life.agents.called(name) for name in "abcx"] == [2, 2, 1, 2]


@pytest.mark.parametrize(("patch", "after"), [
    ({"b": 3}, {"a": {"x": 1, "y": 2}, "b": 3}), ({"a": {"x": None}}, {"a": {"y": 2}}), ({"a": None}, {}),
    ({}, {"a": {"x": 1, "y": 2}}), (None, {"a": {"x": 1, "y": 2}})])
def test_the_input_is_patched(patch: dict[str, Any] | None, after: dict[str, Any]) -> None:
    life, run = completed(block("a"), a={"x": 1, "y": 2})
    restarted(life, run, from_block="a", input_patch=patch)
    assert life.of(run).input == after
    life.ends(run, S.COMPLETED)


# ---- another definition


def redefined(*blocks: Mapping[str, Any], version: str = "1.1.0") -> tuple[Life, str]:
    """Return an execution of which ``b`` failed, after ``a`` and before ``c``, and a newer version of its template."""
    life = Life(block("a"), block("b", "a"), block("c", "b"))
    life.agents.plan("b", BROKEN)
    run = life.start()
    life.ends(run, S.FAILED)
    life.redefine(version, "1.0.0", *blocks)
    return life, run


MENDED = (block("a"), block("b", "a", configuration={"value": "b", "new": True}), block("c", "b"))


@pytest.mark.parametrize("definition", [LATEST, "1.1.0"])
def test_it_goes_on_with_a_newer_definition(definition: str) -> None:
    life, run = redefined(*MENDED)
    done = restarted(life, run, definition=definition)
    assert (done.preview.template_version, done.preview.runs_again, done.preview.reuses) == (
        "1.1.0", ("b", "c"), ("a",))
    assert done.execution.template_version == "1.1.0"
    life.ends(run, S.COMPLETED)
    assert (life.block(run, "b").input, life.agents.called("a")) == ({"value": "b", "new": True}, 1)


@pytest.mark.parametrize("definition", [ORIGINAL, "1.0.0"])
def test_it_goes_on_with_its_own_definition_whatever_came_later(definition: str) -> None:
    life, run = redefined(*MENDED)
    assert restarted(life, run, definition=definition).execution.template_version == "1.0.0"
    life.ends(run, S.COMPLETED)
    assert life.block(run, "b").input == {"value": "b"}


def test_there_is_no_such_version() -> None:
    life, run = redefined(*MENDED)
    before = life.documents()
    with pytest.raises(NotFound):
        restarted(life, run, definition="9.9.9")
    assert life.documents() == before


def test_what_runs_goes_on_with_no_other_definition() -> None:
    life = Life(gate("a"))
    run = life.start()
    life.work()
    life.redefine("1.1.0", "1.0.0", block("a"))
    before = life.documents()
    for dry_run in (False, True):
        with pytest.raises(Conflict, match="only one that has ended"):
            restarted(life, run, from_block="a", definition=LATEST, dry_run=dry_run)
    assert life.documents() == before
    restarted(life, run, from_block="a", definition="1.0.0")
    life.work()
    life.answer(run, "a")
    life.ends(run, S.COMPLETED)


@pytest.mark.parametrize(("blocks", "again", "reuses"), [
    # a block is added at the end, in the middle, at the start, beside
    ((block("a"), block("b", "a"), block("c", "b"), block("d", "c")), ("b", "c", "d"), ("a",)),
    ((block("a"), block("n", "a"), block("b", "n"), block("c", "b")), ("n", "b", "c"), ("a",)),
    ((block("n"), block("a", "n"), block("b", "a"), block("c", "b")), ("n", "a", "b", "c"), ()),
    ((block("a"), block("b", "a"), block("c", "b"), block("n")), ("b", "c", "n"), ("a",)),
    # one is taken away: the one that failed, one after it, the one before it
    ((block("a"), block("c", "a")), ("c",), ("a",)),
    ((block("a"), block("b", "a")), ("b",), ("a",)),
    ((block("b"), block("c", "b")), ("b", "c"), ()),
    # another order, another agent, a person
    ((block("a"), block("c", "a"), block("b", "c")), ("c", "b"), ("a",)),
    ((block("a", agentId="other"), block("b", "a"), block("c", "b")), ("a", "b", "c"), ()),
    ((block("a"), gate("b", "a"), block("c", "b")), ("b", "c"), ("a",)),
    ((block("a", conditions=either("b", "c")), block("b"), block("c")), ("a", "b", "c"), ())])
def test_what_a_newer_definition_changes_runs_again(blocks: tuple[Mapping[str, Any], ...], again: tuple[str, ...],
                                                    reuses: tuple[str, ...]) -> None:
    life, run = redefined(*blocks)
    preview = restarted(life, run, definition=LATEST).preview
    assert (sorted(preview.runs_again), preview.reuses) == (sorted(again), reuses)
    life.work()
    for asked in life.requests(run, "b"):
        assert (asked.status, preview.asks_again) == (ApprovalStatus.PENDING, ("b",))
        life.answer(run, "b")
    life.ends(run, S.COMPLETED)
    assert life.statuses(run).keys() == {one["blockId"] for one in blocks}
    assert life.agents.called("a") == 1 + ("a" in again)


def test_a_newer_definition_of_what_completed_runs_what_it_changed() -> None:
    life, run = completed(block("a"), block("b", "a"))
    life.redefine("1.1.0", "1.0.0", block("a"), block("b", "a"), block("c", "b"))
    assert restarted(life, run, definition=LATEST).preview.runs_again == ("c",)
    life.ends(run, S.COMPLETED)
    assert [life.agents.called(name) for name in "abc"] == [1, 1, 1]


def test_a_newer_definition_without_the_block_that_failed_completes_what_is_left() -> None:
    """Only b, the last, failed, and it is gone: there is nothing to run."""
    life = Life(block("a"), block("b", "a"))
    life.agents.plan("b", BROKEN)
    run = life.start()
    life.ends(run, S.FAILED)
    life.redefine("1.1.0", "1.0.0", block("a"))
    assert restarted(life, run, definition=LATEST).preview.runs_again == ()
    life.ends(run, S.COMPLETED, a="completed")
    assert life.of(run).template_version == "1.1.0"


def test_a_definition_can_be_gone_back_on() -> None:
    """With the newer one ``n`` came and ``c`` went; with the first one it is the other way round."""
    life, run = redefined(block("a"), block("b", "a"), block("n", "b"))
    restarted(life, run, definition=LATEST)
    life.ends(run, S.COMPLETED, a="completed", b="completed", n="completed")
    restarted(life, run, definition="1.0.0", from_block="b")
    life.ends(run, S.COMPLETED, a="completed", b="completed", c="completed")
    assert [life.agents.called(name) for name in "abcn"] == [1, 3, 1, 1]


def test_a_definition_that_is_gone_back_on_changes_what_had_been_changed() -> None:
    life, run = redefined(block("a", agentId="other"), block("b", "a"), block("n", "b"))
    restarted(life, run, definition=LATEST)
    life.ends(run, S.COMPLETED)
    life.redefine("1.2.0", "1.1.0", block("a", agentId="other"), block("b", "a"), block("c", "b"))
    restarted(life, run, definition=LATEST)
    life.ends(run, S.COMPLETED, c="completed")


def test_a_newer_definition_with_more_than_a_join_takes_at_once() -> None:
    names = [f"b{number}" for number in range(65)]
    life = Life(block("a"), block("end", "a"))
    life.agents.plan("end", BROKEN)
    run = life.start()
    life.ends(run, S.FAILED)
    life.redefine("1.1.0", "1.0.0", block("a"), *(block(name, "a") for name in names), block("end", *names))
    restarted(life, run, definition=LATEST)
    life.ends(run, S.COMPLETED)
    assert (life.agents.called("a"), life.agents.called("b64"), life.agents.called("end")) == (1, 1, 2)


def test_a_restart_with_a_newer_definition_that_was_begun_is_carried_out_by_the_sweep() -> None:
    life = Life(block("a"), block("b", "a"), block("c", "b"))
    life.agents.plan("b", ACCEPTED)
    run = life.start()
    life.work()
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run))
    life.settle()
    life.redefine("1.1.0", "1.0.0", block("a"), block("b", "a"), block("n", "b"))
    life.agents.service.set_available(False)
    begun = restarted(life, run, definition=LATEST).execution
    assert (begun.restart_targets or {}).keys() == {"b", "n"} and not begun.may_start_blocks
    life.clock.advance(2 * LEASE)
    life.agents.service.set_available(True)
    life.ends(run, S.COMPLETED, a="completed", b="completed", n="completed")


def test_history_tells_of_each_definition() -> None:
    life, run = redefined(*MENDED)
    restarted(life, run, definition=LATEST)
    life.ends(run, S.COMPLETED)
    told = [one.event.payload["templateVersion"] for one in life.events.of_execution(WORKSPACE, run)
            if one.event.type == "execution_restarting"]
    assert told == ["1.1.0"]


# ---- a dry run


@pytest.mark.parametrize("how", [
    {}, {"failed_only": True}, {"from_block": "a"}, {"reset_state": True}, {"from_block": "a", "reset_state": True},
    {"input_patch": {"n": 1}}, {"definition": LATEST}, {"definition": "1.1.0", "reset_state": True}])
def test_a_dry_run_changes_nothing_and_says_what_a_real_one_does(how: dict[str, Any]) -> None:
    life, run = redefined(block("a"), block("b", "a", sideEffects="none"), gate("g", "b"), block("c", "b"))
    before = life.documents()
    dry = restarted(life, run, dry_run=True, **how)
    assert life.documents() == before
    assert dry.execution == life.of(run)
    life.sweep()
    assert life.documents() == before
    assert restarted(life, run, **how).preview == dry.preview


def test_a_preview_says_whom_it_asks_again_and_what_may_happen_twice() -> None:
    life = Life(block("a"), gate("b", "a"), block("c", "b", sideEffects="idempotent"), block("d", "c"))
    run = life.start()
    life.work()
    life.answer(run, "b")
    life.agents.plan("d", BROKEN)
    life.ends(run, S.FAILED)
    preview = restarted(life, run, from_block="b", dry_run=True).preview
    assert (preview.template_version, preview.runs_again, preview.reuses) == ("1.0.0", ("b", "c", "d"), ("a",))
    assert (preview.asks_again, preview.may_repeat) == (("b",), ("b", "d"))


# ---- when it can't be now


def test_one_restart_at_a_time() -> None:
    life = Life(block("a"), block("b", "a"))
    life.agents.plan("a", ACCEPTED)
    run = life.start()
    life.work()
    life.agents.service.set_available(False)
    restarted(life, run, from_block="a")
    for dry_run in (False, True):
        with pytest.raises(Conflict, match="started, restarted or cancelled"):
            restarted(life, run, from_block="a", dry_run=dry_run)
    life.clock.advance(2 * LEASE)
    life.agents.service.set_available(True)
    life.ends(run, S.COMPLETED)


def test_not_while_it_is_cancelled() -> None:
    life = Life(block("a"))

    def meanwhile() -> dict[str, str]:
        life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run))
        with pytest.raises(Conflict):
            restarted(life, run, from_block="a")
        return {}

    life.agents.plan("a", meanwhile)
    run = life.start()
    life.ends(run, S.CANCELLED)


@pytest.mark.parametrize("mode", CancelMode)
def test_a_cancel_gives_a_restart_up(mode: CancelMode) -> None:
    life = Life(block("a"), block("b", "a"))
    life.agents.plan("a", ACCEPTED)
    run = life.start()
    life.work()
    life.agents.service.set_available(False)
    restarted(life, run, from_block="a")
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run, mode=mode))
    life.agents.service.set_available(True)
    life.clock.advance(2 * LEASE)
    life.ends(run, S.CANCELLED, a="cancelled", b="cancelled")


def test_under_a_pause_it_runs_again_after_the_resume() -> None:
    life = Life(block("a"), gate("b", "a"))
    run = life.start()
    life.work()
    life.pause(run)
    assert restarted(life, run, from_block="a").execution.status is S.PAUSED
    life.pass_time(HOUR)
    assert (life.of(run).status, life.agents.called("a")) == (S.PAUSED, 1)
    life.engine.holds.resume(OPERATOR, run)
    life.work()
    life.answer(run, "b")
    life.ends(run, S.COMPLETED)


def test_a_block_whose_agent_is_gone_runs_again_with_another() -> None:
    life = Life(block("a", agentId="gone"), block("b", "a"))
    run = life.start()
    life.ends(run, S.FAILED, a="failed")
    life.redefine("1.1.0", "1.0.0", block("a"), block("b", "a"))
    restarted(life, run, definition=LATEST)
    life.ends(run, S.COMPLETED)


def begun_with_another_definition() -> tuple[Life, str]:
    """Return an execution that was cancelled at ``b`` and is restarted with blocks that are not stored yet.

    Nobody can be told to stop the old call of ``b``, so the restart has not come to its end.
    """
    life = Life(block("a"), block("b", "a"), block("c", "b"))
    life.agents.plan("b", ACCEPTED)
    run = life.start()
    life.work()
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run))
    life.ends(run, S.CANCELLED)
    life.redefine("1.1.0", "1.0.0", block("a"), block("b", "a"), block("n"), block("m", "b", "n"))
    life.agents.service.set_available(False)
    restarted(life, run, definition=LATEST)
    assert life.of(run).restart_targets is not None
    return life, run


@pytest.mark.parametrize("mode", CancelMode)
@pytest.mark.parametrize(("definition", "names"), [("1.0.0", "abc"), ("1.1.0", "abmn"), (ORIGINAL, "abmn")])
def test_one_with_a_newer_definition_that_is_cancelled_can_be_begun_again(mode: CancelMode, definition: str,
                                                                          names: str) -> None:
    life, run = begun_with_another_definition()
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run, mode=mode))
    life.agents.service.set_available(True)
    life.clock.advance(2 * LEASE)
    life.ends(run, S.CANCELLED)
    restarted(life, run, definition=definition)
    life.ends(run, S.COMPLETED, **dict.fromkeys(names, "completed"))
    assert life.agents.called("a") == 1


def test_what_was_rejected_runs_without_being_asked_about_if_the_newer_definition_asks_nobody() -> None:
    life = Life(gate("a"), block("b", "a"))
    run = life.start()
    life.work()
    life.answer(run, "a", approved=False)
    life.ends(run, S.FAILED, a="rejected")
    life.redefine("1.1.0", "1.0.0", block("a"), block("b", "a"))
    restarted(life, run, definition=LATEST)
    life.ends(run, S.COMPLETED)
    assert len(life.requests(run, "a")) == 1


def test_a_block_never_has_an_epoch_twice_however_often_its_definition_comes_and_goes() -> None:
    life, run = redefined(block("a"), block("n", "a"))
    seen: dict[str, list[int]] = {"c": [], "n": []}
    for version, name in (("1.1.0", "n"), ("1.0.0", "c"), ("1.1.0", "n"), ("1.0.0", "c")):
        restarted(life, run, definition=version, from_block="a")
        life.ends(run, S.COMPLETED)
        seen[name].append(life.block(run, name).epoch)
    assert all(epochs == sorted(set(epochs)) and len(epochs) == 2 for epochs in seen.values())
    assert [life.agents.called(name) for name in "cn"] == [2, 2]


def test_a_person_who_is_asked_anew_under_a_hold_has_all_the_time() -> None:
    life = Life(gate("a"))
    run = life.start()
    life.work()
    life.pause(run)
    life.pass_time(HOUR)
    restarted(life, run, from_block="a")
    life.pass_time(HOUR)
    life.engine.holds.resume(OPERATOR, run)
    life.work()
    asked = life.request(run, "a")
    assert (asked.epoch, asked.overdue_at - asked.requested_at) == (2, HOUR)
    life.answer(run, "a")
    life.ends(run, S.COMPLETED)


def test_nothing_is_wrong_while_the_blocks_of_a_newer_definition_are_not_stored_yet() -> None:
    last, begun = 1, False
    while not begun:
        life, run = redefined(*MENDED, block("n", "a"))
        assert life.dies(lambda: restarted(life, run, definition=LATEST), last)
        begun = life.of(run).restart_targets is not None
        last += 1
    life.is_right()
