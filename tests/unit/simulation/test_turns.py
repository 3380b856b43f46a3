"""Threads that take turns."""

from __future__ import annotations

import pytest

from tests.support.simulating import threads_left
from workflow_service.simulation.turns import Turns, Worker


def test_work_pauses_and_goes_on_where_it_was() -> None:
    turns, paused, told = Turns(2), dict[str, Worker](), list[str]()

    def work(name: str) -> None:
        told.append(f"{name} begins")
        turns.pause(lambda worker: paused.update({name: worker}))
        told.append(f"{name} ends")
    turns.begin(lambda: work("a"))
    turns.begin(lambda: work("b"))
    assert (told, turns.has_idle) == (["a begins", "b begins"], False)
    turns.go_on(paused["b"])
    assert turns.has_idle
    turns.go_on(paused["a"])
    assert told == ["a begins", "b begins", "b ends", "a ends"]
    turns.dismiss()


def test_what_work_raises_the_leader_raises() -> None:
    turns = Turns(1)
    with pytest.raises(ZeroDivisionError):
        turns.begin(lambda: print(1 / 0))
    assert turns.has_idle
    turns.dismiss()


def test_dismissed_work_does_not_go_on_but_cleans_up() -> None:
    turns, told = Turns(3), list[str]()

    def work() -> None:
        try:
            turns.pause(lambda worker: None)
            told.append("went on")
        except Exception:
            told.append("caught")
        finally:
            told.append("cleaned up")
    turns.begin(work)
    turns.begin(work)
    turns.begin(lambda: told.append("done"))
    turns.dismiss()
    assert told == ["done", "cleaned up", "cleaned up"]
    assert not threads_left()


def test_only_work_can_pause() -> None:
    with pytest.raises(RuntimeError):
        Turns(1).pause(lambda worker: None)
