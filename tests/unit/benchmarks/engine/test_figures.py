"""Medians, ratios, growth, counts and verdicts of made-up measurements."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.engine.counting import difference
from benchmarks.engine.figures import Counting, Parking, Run, Starts, cells, growth
from benchmarks.engine.targets import verdicts


def a_run(mode: str, ended_s: float, **fields: Any) -> Run:
    usual: dict[str, Any] = {"workload": "W1", "shape": "line:50", "round": 0, "steps": 50, "submitted_s": 0.01,
                             "settled_s": 2 * ended_s, "load": 1.0, "broker": {"bytes in": 51200, "lpush": 100},
                             "cpu_s": {"worker1": ended_s, "mongodb": ended_s}}
    return Run(mode=mode, ended_s=ended_s, **{**usual, **fields})


def test_cells_hold_medians_and_ratios_to_the_floor() -> None:
    runs = [a_run("ours", ended_s) for ended_s in (0.4, 0.2, 9.0)] + [a_run("floor", 0.1), a_run("canvas", 0.3)]
    ours, floor, canvas = cells(runs, "floor")
    assert (ours.mode, ours.count, ours.ms_per_step, ours.least_ms, ours.most_ms) == ("ours", 3, 8.0, 4.0, 180.0)
    assert [ours.ratio, floor.ratio, canvas.ratio] == pytest.approx([4, 1, 3])
    assert ours.cpu_ratio == pytest.approx(32)
    assert (ours.broker_kib, ours.broker_commands) == (1.0, 2.0)


def test_without_a_floor_there_is_no_ratio() -> None:
    cell, = cells([a_run("ours", 0.4)], "floor")
    assert (cell.ratio, cell.cpu_ratio) == (None, None)


@pytest.mark.parametrize(("seconds", "exponent"), [((1.0, 10.0), 1.0), ((1.0, 100.0), 2.0), ((2.0, 2.0), 0.0)])
def test_growth_is_the_exponent_between_the_largest_sizes(seconds: tuple[float, float], exponent: float) -> None:
    sizes = [(10, 50.0), *zip((100, 1000), seconds, strict=True)]
    found = cells([a_run("ours", ended_s, steps=steps, shape=f"line:{steps}") for steps, ended_s in sizes], "floor")
    assert growth(found) == pytest.approx(exponent)
    assert growth(found[:1]) is None


COUNTS = {"hot|write|blocks|a < b": 100, "hot|write command|blocks|a < b": 50, "hot|read|blocks|a": 25,
          "background|write|blocks|c": 200}


def test_operations_are_told_apart_by_moment_and_kind() -> None:
    counting = Counting(mode="ours", workload="W1", steps=50, counts=COUNTS)
    assert [counting.per_step("hot", kind) for kind in ("write", "write command", "read", "http")] == [2, 1, 0.5, 0]
    assert counting.per_step("background", "write") == 4


def test_a_difference_holds_what_was_added() -> None:
    assert difference({"a": 5, "b": 2, "c": 1}, {"a": 2, "b": 2}) == {"a": 3, "c": 1}


def test_verdicts_are_about_the_service_alone() -> None:
    runs = [a_run("ours", 0.3), a_run("canvas", 9.0), a_run("floor", 0.1)]
    starts = [Starts(mode="ours", round=number, count=1, p50_ms=p50, p95_ms=99)
              for number, p50 in enumerate((50, 20, 10))]
    parking = [Parking(mode="ours", count=100, parked_s=1, resumed_s=0.4, messages=0, cpu_percent=1,
                       mib_before={"worker1": 50, "mongodb": 60}, mib_parked={"worker1": 55, "mongodb": 70})]
    counting = [Counting(mode="ours", workload="W1", steps=50, counts=COUNTS),
                Counting(mode="floor", workload="W1", steps=50, counts={})]
    found = {one.name: (one.measured, one.is_kept) for one in verdicts(cells(runs, "floor"), starts, parking, counting)}
    assert found == {
        "W1: times the floor": (pytest.approx(3), False), "W1: writes a block, waited for": (2, True),
        "W5: p50 of a start over HTTP, ms": (20, True), "W7: messages while parked": (0, True),
        "W7: MiB for all that are parked": (15, False), "W7: to resume each, ms": (4, True)}
