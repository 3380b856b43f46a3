"""The tables say what was measured."""

from __future__ import annotations

from benchmarks.engine.figures import Counting, Run, Starts, cells
from benchmarks.engine.report import (
    counting_table,
    cpu_table,
    growth_table,
    named_tables,
    ratio_table,
    start_table,
    verdict_table,
)
from benchmarks.engine.targets import Verdict

COUNTING = Counting(mode="ours", workload="W1", steps=10, counts={
    "hot|write|blocks|change < take": 20, "hot|write command|blocks|change < take": 20, "background|read|events|": 5})


def a_run(mode: str, ended_s: float, shape: str = "line:10", workload: str = "W1", steps: int = 10) -> Run:
    return Run(mode=mode, workload=workload, shape=shape, round=0, steps=steps, submitted_s=0.001, ended_s=ended_s,
               settled_s=ended_s, load=1.0, broker={}, cpu_s={"worker1": 0.01, "worker2": 0.02, "mongodb": 0.05})


def test_ratios_stand_beside_times() -> None:
    table = ratio_table(cells([a_run("ours", 0.05), a_run("floor", 0.02)], "floor"), {"W1": "in line"})
    ours, floor = ([dict(zip(table.head, row, strict=True)) for row in table.rows])
    assert (ours["workload"], ours["mode"], ours["ms a step"], ours["ratio"]) == ("W1 in line", "ours", "5.00", "2.50")
    assert (floor["workload"], floor["ratio"]) == ("", "1.00")


def test_growth_has_one_row_for_all_sizes() -> None:
    runs = [a_run("ours", steps / 100, f"line:{steps}", "W6line", steps) for steps in (10, 100)]
    assert growth_table(cells(runs, "floor")).rows == [
        ["W6line", "ours", "10: 0.100, 100: 1.000", "1.00", "10: 0.0, 100: 0.0"]]


def test_workers_are_one_part() -> None:
    table = cpu_table([a_run("ours", 0.05)])
    assert table.head == ("workload", "mode", "worker", "mongodb")
    assert table.rows == [["W1", "ours", "3.00", "5.00"]]


def test_starts_are_medians_over_rounds() -> None:
    starts = [Starts(mode="ours", round=number, count=9, p50_ms=p50, p95_ms=2 * p50)
              for number, p50 in enumerate((9.0, 1.0, 2.0))]
    assert start_table(starts).rows == [["ours", "2.00", "4.00"]]


def test_operations_are_per_step_and_named() -> None:
    row = dict(zip(counting_table([COUNTING]).head, counting_table([COUNTING]).rows[0], strict=True))
    assert (row["hot write"], row["background read"], row["hot http"]) == ("2.00", "0.50", "0.00")
    table, = named_tables([COUNTING])
    assert table.rows == [["hot write blocks change < take", "2.00"], ["background read events ", "0.50"]]


def test_a_target_that_is_just_kept_is_kept() -> None:
    rows = verdict_table([Verdict(name=name, most=2, measured=measured)
                          for name, measured in (("a", 2.0), ("b", 2.01))]).rows
    assert [row[-1] for row in rows] == ["yes", "no"]
