"""A seed draws the same again, whoever else draws meanwhile."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice

from tests.chaos.storm.settings import StormSettings, drawn_pool
from tests.chaos.storm.storm import drawn_faults
from tests.chaos.storm.workflows import drawn_start, workflows
from tests.support.faults import FAULTS


def settings(seed: int) -> StormSettings:
    return StormSettings(seed=seed, duration=timedelta(minutes=1), broker="valkey", pool="threads", at_once=1,
                         lease=timedelta(seconds=1), sweep_interval=timedelta(seconds=0.3))


def starts(seed: int) -> list[object]:
    chance = settings(seed).chance("starts")
    return [drawn_start(chance) for _ in range(20)]


def test_a_seed_draws_the_same_again() -> None:
    assert starts(1) == starts(1) != starts(2)


def test_purposes_do_not_disturb_each_other() -> None:
    one = settings(1)
    one.chance("commands").random()
    assert one.chance("faults").random() == settings(1).chance("faults").random() != one.chance("starts").random()


def test_every_kind_of_fault_strikes_as_often_as_the_others() -> None:
    drawn = list(islice(drawn_faults(settings(1).chance("faults"), "prefork"), 2 * len(FAULTS)))
    assert sorted(drawn) == sorted([*FAULTS, *FAULTS])


def test_without_child_processes_none_is_killed() -> None:
    assert "kill_child" not in islice(drawn_faults(settings(1).chance("faults"), "threads"), 100)


def test_every_template_is_drawn() -> None:
    chance = settings(3).chance("starts")
    assert {drawn_start(chance).template_id for _ in range(300)} == {one["templateId"] for one in workflows()}


def test_one_storm_in_three_has_processes() -> None:
    drawn = [drawn_pool(seed) for seed in range(300)]
    assert 70 < drawn.count("prefork") < 130
