"""Blocks that wait for signals: which signal goes to whom, and that none is lost, whoever comes first or dies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.services.lives import HOUR, LEASE, MINUTE, OPERATOR, STRANGER, WORKSPACE, Life, S, block
from workflow_service.domain.commands import CancelExecution, RestartExecution, SendSignal
from workflow_service.domain.errors import Conflict, IdempotencyKeyReused, Invalid, NotFound
from workflow_service.domain.statuses import SignalStatus, WaitStatus

YES_OR_NO = {"type": "exclusive", "branches": [{"condition": "output.timedOut", "nextBlocks": ["late"]},
                                               {"default": True, "nextBlocks": ["intime"]}]}


def awaits(block_id: str, *after: str, signals: tuple[str, ...] = ("go",), more: dict[str, Any] | None = None,
           **wait: Any) -> dict[str, Any]:
    """Return a block that waits for signals."""
    return {"blockId": block_id, "dependencies": list(after), "waitFor": {"signals": list(signals), **wait},
            **(more or {})}


def within(count: int, **more: Any) -> dict[str, Any]:
    """Return how long signals are waited for, in minutes."""
    return {"timeout": count * 60_000, **more}


def output(life: Life, run: str, name: str = "w") -> dict[str, Any]:
    """Return the output of a block."""
    found = life.block(run, name).output
    assert found is not None
    return dict(found)


def kept(life: Life, run: str) -> list[str]:
    """Return the names of the signals that nobody has taken, the oldest first."""
    return [one.name for one in life.signals.of_execution(WORKSPACE, run) if one.status is SignalStatus.KEPT]


def came(signal: str, **signals: dict[str, Any]) -> dict[str, Any]:
    """Return the output of a block whose signals came."""
    return {"timedOut": False, "signal": signal, "signals": signals}


def test_a_signal_wakes_the_block() -> None:
    life = Life(block("a"), awaits("w", "a"), block("b", "w"))
    run = life.start()
    life.settle()
    assert (life.statuses(run)["w"], life.of(run).status) == ("awaiting_signal", S.WAITING)
    life.send(run, "other")
    life.settle()
    assert life.statuses(run)["w"] == "awaiting_signal"
    assert life.send(run, "go", answer=42).signal.taken_for == "w"
    life.ends(run, S.COMPLETED, w="completed", b="completed")
    assert output(life, run) == came("go", go={"answer": 42})
    assert kept(life, run) == ["other"]


def test_a_signal_that_comes_early_is_kept() -> None:
    life = Life(block("a"), awaits("w", "a"))
    run = life.start()
    assert life.send(run, "go", n=1).signal.taken_for is None
    life.send(run, "go", n=2)
    life.ends(run, S.COMPLETED, w="completed")
    assert output(life, run) == came("go", go={"n": 1})
    assert kept(life, run) == ["go"]


def test_each_signal_goes_to_one_block() -> None:
    life = Life(awaits("w"), awaits("v", "w"), awaits("u", "v"))
    run = life.start()
    life.settle()
    for number in range(3):
        assert life.of(run).status is S.WAITING
        life.send(run, "go", n=number)
        life.settle()
    life.ends(run, S.COMPLETED)
    assert [output(life, run, name)["signals"]["go"]["n"] for name in "wvu"] == [0, 1, 2]


def test_two_blocks_beside_each_other_need_two_signals() -> None:
    life = Life(awaits("w"), awaits("v"))
    run = life.start()
    life.settle()
    life.send(run, "go", n=0)
    life.settle()
    assert sorted(life.statuses(run).values()) == ["awaiting_signal", "completed"]
    life.send(run, "go", n=1)
    life.ends(run, S.COMPLETED)
    assert sorted(output(life, run, name)["signals"]["go"]["n"] for name in "wv") == [0, 1]


@pytest.mark.parametrize("early", [True, False])
def test_any_signal_of_several(early: bool) -> None:
    life = Life(awaits("w", signals=("yes", "no")))
    run = life.start()
    if not early:
        life.settle()
    life.send(run, "no", why="late")
    life.send(run, "yes")
    life.ends(run, S.COMPLETED)
    assert output(life, run) == came("no", no={"why": "late"})
    assert kept(life, run) == ["yes"]


@pytest.mark.parametrize("early", [0, 1, 2, 3])
def test_all_signals(early: int) -> None:
    life = Life(awaits("w", signals=("x", "y"), mode="all"))
    run = life.start()
    for number, name in enumerate(("y", "y", "x")):
        if number == early:
            life.settle()
        life.send(run, name, n=number)
        life.settle()
    life.ends(run, S.COMPLETED)
    assert output(life, run) == came("x", x={"n": 2}, y={"n": 0})
    assert kept(life, run) == ["y"]


def test_a_block_that_waits_for_all_keeps_nothing_from_others() -> None:
    life = Life(awaits("all", signals=("x", "y"), mode="all"), awaits("any", signals=("y", "z")))
    run = life.start()
    life.settle()
    life.send(run, "y")
    life.settle()
    assert life.statuses(run) == {"all": "awaiting_signal", "any": "completed"}
    life.send(run, "x")
    life.send(run, "y")
    life.ends(run, S.COMPLETED)


@pytest.mark.parametrize(("on_timeout", "status"), [("fail", "failed"), ("continue", "completed")])
def test_signals_that_do_not_come_in_time(on_timeout: str, status: str) -> None:
    life = Life(awaits("w", signals=("x", "y"), mode="all", **within(30, onTimeout=on_timeout)))
    run = life.start()
    life.settle()
    life.send(run, "x")
    life.pass_time(20 * MINUTE)
    assert life.statuses(run)["w"] == "awaiting_signal"
    life.pass_time(20 * MINUTE)
    life.ends(run, S(status))
    assert kept(life, run) == ["x"]
    if on_timeout == "continue":
        assert output(life, run) == {"timedOut": True, "signals": {}}
    else:
        error = life.of(run).error
        assert error is not None
        assert (error["code"], error["class"], error["blockId"]) == ("signal_timed_out", "configuration", "w")


@pytest.mark.parametrize(("comes", "taken"), [(True, "intime"), (False, "late")])
def test_a_branch_for_the_time_out(comes: bool, taken: str) -> None:
    life = Life(awaits("w", **within(30, onTimeout="continue"), more={"conditions": YES_OR_NO}), block("late"),
                block("intime"))
    run = life.start()
    life.settle()
    if comes:
        life.send(run, "go")
    life.pass_time(HOUR)
    life.ends(run, S.COMPLETED, **{"late": "skipped", "intime": "skipped", taken: "completed"})


def test_a_retry_waits_anew() -> None:
    life = Life(awaits("w", **within(30), more={"retryPolicy": {
        "maxRetries": 1, "retryConditions": ["signal_timed_out"], "initialDelay": 1000}}))
    run = life.start()
    life.settle()
    life.pass_time(HOUR)
    assert (life.statuses(run)["w"], life.wait(run, "w").revision) == ("awaiting_signal", 1)
    life.send(run, "go")
    life.ends(run, S.COMPLETED)


def test_the_time_out_stands_still_with_the_clock() -> None:
    life = Life(awaits("w", **within(30)))
    run = life.start()
    life.settle()
    life.pause(run)
    life.pass_time(2 * HOUR)
    life.engine.holds.resume(OPERATOR, run)
    life.pass_time(20 * MINUTE)
    assert life.statuses(run)["w"] == "awaiting_signal"
    life.pass_time(20 * MINUTE)
    life.ends(run, S.FAILED)


def test_a_signal_during_a_pause_counts_and_starts_nothing() -> None:
    life = Life(awaits("w"), block("b", "w"))
    run = life.start()
    life.settle()
    life.pause(run)
    life.send(run, "go")
    life.settle()
    assert life.statuses(run) == {"w": "ready", "b": "pending"} and life.of(run).status is S.PAUSED
    life.engine.holds.resume(OPERATOR, run)
    life.ends(run, S.COMPLETED)


# ---- restarts, cancels and ends


def test_a_restart_needs_another_signal() -> None:
    life = Life(awaits("w"), block("b", "w"))
    run = life.start()
    life.send(run, "go", n=1)
    life.ends(run, S.COMPLETED)
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, from_block="w"))
    life.settle()
    assert life.statuses(run)["w"] == "awaiting_signal"
    life.send(run, "go", n=2)
    life.ends(run, S.COMPLETED)
    assert output(life, run) == came("go", go={"n": 2})


def test_a_restart_finds_what_was_kept() -> None:
    life = Life(awaits("w", **within(30)))
    run = life.start()
    life.settle()
    life.send(run, "other")
    life.pass_time(HOUR)
    life.ends(run, S.FAILED)
    life.redefine("1.1.0", "1.0.0", awaits("w", signals=("other",)))
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, definition="latest"))
    life.ends(run, S.COMPLETED)


def test_a_cancel_ends_the_wait_and_loses_nothing() -> None:
    life = Life(awaits("w", signals=("x", "y"), mode="all"))
    run = life.start()
    life.settle()
    life.send(run, "x")
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run))
    life.ends(run, S.CANCELLED, w="cancelled")
    assert life.wait(run, "w").status is WaitStatus.CANCELLED and kept(life, run) == ["x"]
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run))
    life.settle()
    life.send(run, "y")
    life.ends(run, S.COMPLETED)


# ---- who dies


@pytest.mark.parametrize("mode", ["any", "all"])
@pytest.mark.parametrize("early", [True, False])
def test_a_sender_may_die_before_any_call_and_send_again(mode: str, early: bool) -> None:
    last, dies = 1, True
    while dies:
        life = Life(awaits("w", signals=("x", "y") if mode == "all" else ("y",), mode=mode), block("b", "w"))
        run = life.start()
        life.send(run, "x")
        if not early:
            life.settle()
        dies = life.dies(lambda: life.send(run, "y", key="k"), last)
        life.clock.advance(2 * LEASE)
        if not early:
            life.settle()
        was_stored = len(life.signals.of_execution(WORKSPACE, run)) == 2
        assert life.send(run, "y", key="k").replayed is was_stored
        life.ends(run, S.COMPLETED, w="completed")
        assert len(life.signals.of_execution(WORKSPACE, run)) == 2
        last += 1
    assert last > 4


def test_a_signal_whose_sender_died_right_after_it_was_stored_is_delivered_by_the_sweep() -> None:
    life = Life(awaits("w"))
    run = life.start()
    life.settle()
    last = 1
    while not life.signals.of_execution(WORKSPACE, run):
        assert life.dies(lambda: life.send(run, "go"), last)
        last += 1
    assert life.statuses(run)["w"] == "awaiting_signal"
    life.ends(run, S.COMPLETED)


def test_whoever_parks_may_die_before_any_call() -> None:
    last, dies = 1, True
    while dies:
        life = Life(block("a"), awaits("w", "a", signals=("x", "y"), mode="all"), block("b", "w"))
        run = life.start()
        life.send(run, "y")
        life.send(run, "x")
        dies = life.dies(life.work, last)
        life.clock.advance(2 * LEASE)
        life.ends(run, S.COMPLETED, w="completed", b="completed")
        last += 1
    assert last > 15


@pytest.mark.parametrize("act", ["sweep", "send"])
def test_whoever_ends_the_wait_may_die_before_any_call(act: str) -> None:
    """The time-out is over when the signal comes; whoever is first decides, and the signal is used or kept."""
    ends = set()
    last, dies = 1, True
    while dies:
        life = Life(awaits("w", **within(30, onTimeout="continue")), block("b", "w"))
        run = life.start()
        life.settle()
        life.clock.advance(HOUR)
        deed: Callable[[], object] = life.sweep if act == "sweep" else lambda: life.send(run, "go", key="k")
        dies = life.dies(deed, last)
        life.send(run, "go", key="k")
        life.clock.advance(2 * LEASE)
        life.ends(run, S.COMPLETED, w="completed", b="completed")
        timed_out = output(life, run)["timedOut"]
        assert kept(life, run) == (["go"] if timed_out else [])
        ends.add(timed_out)
        last += 1
    assert ends == ({True, False} if act == "sweep" else {False})


# ---- what is refused


def test_a_key_sends_one_signal() -> None:
    life = Life(awaits("w"))
    run, other = life.start(), life.start()
    first, second = life.send(run, "go", key="k", n=1), life.send(run, "go", key="k", n=1)
    assert (first.replayed, second.replayed) == (False, True)
    assert first.signal.signal_id == second.signal.signal_id
    assert life.send(other, "go", key="k", n=1).signal.signal_id != first.signal.signal_id
    for name, payload in (("go", {"n": 2}), ("gone", {"n": 1}), ("go", {"n": True})):
        with pytest.raises(IdempotencyKeyReused):
            life.send(run, name, key="k", **payload)
    life.settle()
    assert life.send(run, "go", key="k", n=1).replayed  # also when the execution has ended


def test_an_ended_execution_takes_no_signal() -> None:
    life = Life(block("a"))
    run = life.start()
    life.settle()
    with pytest.raises(Conflict):
        life.send(run, "go")
    assert not life.signals.of_execution(WORKSPACE, run)


def test_strangers_find_nothing() -> None:
    life = Life(awaits("w"))
    run = life.start()
    with pytest.raises(NotFound):
        life.engine.signals.send(STRANGER, SendSignal(execution_id=run, name="go"))
    with pytest.raises(NotFound):
        life.engine.signals.page(STRANGER, run, 10, 0)


@pytest.mark.parametrize("key", ["", "k" * 256, "ü"])
def test_a_bad_key(key: str) -> None:
    life = Life(awaits("w"))
    with pytest.raises(Invalid):
        life.send(life.start(), "go", key=key)


def test_signals_are_listed() -> None:
    life = Life(awaits("w"))
    run = life.start()
    for number in range(3):
        life.send(run, f"s{number}", n=number)
    life.send(run, "go")
    life.settle()
    found, total = life.engine.signals.page(OPERATOR, run, 2, 2)
    told = [(one.name, one.taken_for, one.sent_by) for one in found]
    assert (total, told) == (4, [("s2", None, "olga"), ("go", "w", "olga")])
    assert found[0].payload == {"n": 2}


def test_the_view_says_what_is_waited_for() -> None:
    life = Life(awaits("w", signals=("x", "y"), mode="all", **within(30)))
    run = life.start()
    life.settle()
    (shown,) = life.engine.executions.get(OPERATOR, run)["blockExecutions"]
    assert shown["waitingFor"] == {"kind": "signal", "until": life.wait(run, "w").deadline, "signals": ["x", "y"],
                                   "mode": "all"}
