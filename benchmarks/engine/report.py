"""The figures as tables of texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from benchmarks.engine.figures import Cell, Counting, Parking, Run, Starts, Waiting, growth
from benchmarks.engine.targets import Verdict
from benchmarks.tables import Table

_MOST_NAMED = 14
_KINDS = (("start", "write"), ("start", "write command"), ("start", "read"), ("hot", "write"), ("hot", "write command"),
          ("hot", "read"), ("background", "write"), ("background", "write command"), ("background", "read"),
          ("hot", "http"), ("background", "http"))


def ratio_table(cells: Sequence[Cell], titles: Mapping[str, str]) -> Table:
    """Return the time of each step and its ratio to the floor.

    Args:
        titles: of workloads, by their names.
    """
    return Table(title="Time (ratios to the floor in the same run)",
                 head=("workload", "mode", "runs", "ms a step", "from", "to", "submitting", "settled", "ratio",
                       "CPU ms", "CPU ratio", "KiB to broker", "broker commands"),
                 rows=[[f"{cell.workload} {titles.get(cell.workload, cell.shape)}" if is_first else "", cell.mode,
                        str(cell.count), *_numbers(cell.ms_per_step, cell.least_ms, cell.most_ms, cell.submitted_ms,
                                                   cell.settled_ms),
                        _ratio(cell.ratio), f"{cell.cpu_ms:.2f}", _ratio(cell.cpu_ratio),
                        *_numbers(cell.broker_kib, cell.broker_commands)]
                       for is_first, cell in _marked([one for one in cells if not one.workload.startswith("W6")])])


def growth_table(cells: Sequence[Cell]) -> Table:
    """Return how the time grows with the size."""
    kinds = dict.fromkeys((cell.workload, cell.mode) for cell in cells if cell.workload.startswith("W6"))
    rows = []
    for kind in kinds:
        sizes = [cell for cell in cells if (cell.workload, cell.mode) == kind]
        exponent = growth(sizes)
        rows.append([*kind, ", ".join(f"{cell.shape.partition(':')[2]}: {cell.seconds:.3f}" for cell in sizes),
                     "" if exponent is None else f"{exponent:.2f}",
                     ", ".join(f"{cell.shape.partition(':')[2]}: {cell.broker_kib:.1f}" for cell in sizes)])
    return Table(title="Growth", head=("workload", "mode", "seconds by size", "exponent", "KiB to broker a step"),
                 rows=rows)


def start_table(starts: Sequence[Starts]) -> Table:
    """Return how soon executions begin."""
    modes = dict.fromkeys(one.mode for one in starts)
    return Table(title="W5: from submitting to the first step running (the service: over HTTP)",
                 head=("mode", "p50 ms", "p95 ms"),
                 rows=[[mode, *_numbers(median(one.p50_ms for one in starts if one.mode == mode),
                                        median(one.p95_ms for one in starts if one.mode == mode))] for mode in modes])


def parking_table(parking: Sequence[Parking]) -> Table:
    """Return what parked executions cost."""
    return Table(title="W7: executions that wait for a person",
                 head=("mode", "count", "until parked, ms each", "resume, ms each", "messages", "MiB more", "CPU %",
                       "MiB by part"),
                 rows=[[one.mode, str(one.count), *_numbers(1000 * one.parked_s / one.count, one.resume_ms),
                        str(one.messages), *_numbers(one.mib_added, one.cpu_percent),
                        ", ".join(f"{part} {one.mib_parked[part] - before:+.1f}"
                                  for part, before in one.mib_before.items())] for one in parking])


def waiting_table(waiting: Sequence[Waiting]) -> Table:
    """Return how many calls of agents a worker kept in flight."""
    return Table(title="W8: steps of a second", head=("mode", "steps", "seconds", "most in flight", "calls in flight"),
                 rows=[[one.mode, str(one.count), f"{one.seconds:.1f}", str(one.most_in_flight),
                        f"{one.count / one.seconds:.0f}"] for one in waiting])


def counting_table(counting: Sequence[Counting]) -> Table:
    """Return how many operations a step takes."""
    return Table(title="Operations a step (start: who submits waits; hot: the next step waits; background: batches)",
                 head=("workload", "mode", *(f"{when} {kind}" for when, kind in _KINDS)),
                 rows=[[one.workload, one.mode, *(f"{one.per_step(when, kind):.2f}" for when, kind in _KINDS)]
                       for one in counting])


def named_tables(counting: Sequence[Counting]) -> Iterator[Table]:
    """Yield who asks for the operations, the most frequent first."""
    for one in counting:
        found = Counter({name: count for name, count in one.counts.items() if "command|" not in name})
        yield Table(title=f"{one.workload}, {one.mode}: operations a step by who asks for them",
                    head=("what", "a step"),
                    rows=[[name.replace("|", " "), f"{count / one.steps:.2f}"]
                          for name, count in found.most_common(_MOST_NAMED)])


def cpu_table(runs: Sequence[Run]) -> Table:
    """Return where the processor's time goes."""
    keys = dict.fromkeys((run.workload, run.mode) for run in runs if not run.workload.startswith("W6"))
    parts = dict.fromkeys(_part(name) for run in runs for name in run.cpu_s)
    rows = []
    for key in keys:
        found = [run for run in runs if (run.workload, run.mode) == key]
        steps = sum(run.steps for run in found)
        used: Counter[str] = Counter()
        for run in found:
            for name, seconds in run.cpu_s.items():
                used[_part(name)] += round(1e6 * seconds)
        rows.append([*key, *(f"{used[part] / 1000 / steps:.2f}" if part in used else "" for part in parts)])
    return Table(title="Processor time, ms a step", head=("workload", "mode", *parts), rows=rows)


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """Return the targets, and whether they are kept."""
    return Table(title="Targets", head=("target", "at most", "measured", "kept"),
                 rows=[[one.name, f"{one.most:g}", f"{one.measured:.2f}", "yes" if one.is_kept else "no"]
                       for one in verdicts])


def _marked(cells: Sequence[Cell]) -> Iterator[tuple[bool, Cell]]:
    """Yield each cell, and whether it is the first of its workload."""
    seen: set[str] = set()
    for cell in sorted(cells, key=lambda one: one.workload):
        yield cell.workload not in seen, cell
        seen.add(cell.workload)


def _part(name: str) -> str:
    return name.rstrip("0123456789")


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _numbers(*values: float) -> list[str]:
    return [f"{value:.2f}" for value in values]
