"""What was measured, as values, and what is made of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a workload on a mode."""

    mode: str
    workload: str
    shape: str
    round: int
    steps: int
    submitted_s: float
    ended_s: float
    """From the first submission until the last execution was closed."""
    settled_s: float
    """Until nothing was left to do in the background either."""
    load: float
    """The load average of the machine."""
    broker: Mapping[str, int]
    """Commands that Valkey was sent, and ``bytes in`` and ``bytes out``."""
    cpu_s: Mapping[str, float]
    """What each process used, with those that it started; 10 ms are the least that is seen."""

    @property
    def ms_per_step(self) -> float:
        """Milliseconds for each step."""
        return 1000 * self.ended_s / self.steps

    @property
    def cpu_ms_per_step(self) -> float:
        """Milliseconds of processor time for each step, of all processes together."""
        return 1000 * sum(self.cpu_s.values()) / self.steps


@dataclass(frozen=True, kw_only=True)
class Starts:
    """How long executions took to begin."""

    mode: str
    round: int
    count: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, kw_only=True)
class Parking:
    """Executions that waited for a person."""

    mode: str
    count: int
    parked_s: float
    resumed_s: float
    messages: int
    """In the queue or with a worker, while all of them waited."""
    mib_before: Mapping[str, float]
    """Resident memory of each part."""
    mib_parked: Mapping[str, float]
    cpu_percent: float
    """Of one core, by all parts, while all of them waited."""

    @property
    def mib_added(self) -> float:
        """What all parts together took more."""
        return sum(self.mib_parked.values()) - sum(self.mib_before.values())

    @property
    def resume_ms(self) -> float:
        """Milliseconds for each."""
        return 1000 * self.resumed_s / self.count


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Steps whose agents take a second each."""

    mode: str
    round: int
    count: int
    seconds: float
    most_in_flight: int
    """Calls of agents at once."""


@dataclass(frozen=True, kw_only=True)
class Counting:
    """Operations of one run."""

    mode: str
    workload: str
    steps: int
    counts: Mapping[str, int]
    """By ``when|kind|collection|who``."""

    def per_step(self, when: str, kind: str) -> float:
        """Return how often something was done for each step.

        Args:
            when: ``hot`` while the next step waits for it, or ``background``.
            kind: such as ``read``, ``write``, ``write command`` or ``http``.
        """
        return sum(count for name, count in self.counts.items() if name.startswith(f"{when}|{kind}|")) / self.steps


@dataclass(frozen=True, kw_only=True)
class Cell:
    """All runs of a workload on a mode."""

    mode: str
    workload: str
    shape: str
    steps: int
    count: int
    ms_per_step: float
    least_ms: float
    most_ms: float
    seconds: float
    submitted_ms: float
    """Of ``ms_per_step``, the part until all were submitted."""
    settled_ms: float
    ratio: float | None
    """Of the time to that of the floor; None if the floor did not run it."""
    cpu_ms: float
    """Processor time of each step: the mean, as one run can be too short to see it."""
    cpu_ratio: float | None
    """The same of the processor time, which depends less on what else the machine does."""
    broker_kib: float
    """Bytes into the broker for each step."""
    broker_commands: float


def cells(runs: Sequence[Run], floor: str) -> Sequence[Cell]:
    """Return the medians of all runs, in the order in which they first ran."""
    keys = dict.fromkeys((run.workload, run.shape, run.mode) for run in runs)
    found = {key: [run for run in runs if (run.workload, run.shape, run.mode) == key] for key in keys}
    return [_cell(found[key], found.get((*key[:2], floor), ())) for key in keys]


def growth(cells: Sequence[Cell]) -> float | None:
    """Return the exponent of the time between the two largest sizes; 1 when it grows as the size does."""
    if len(cells) < 2:
        return None
    small, large = sorted(cells, key=lambda cell: cell.steps)[-2:]
    return math.log(large.seconds / small.seconds) / math.log(large.steps / small.steps)


def _cell(runs: Sequence[Run], floor: Sequence[Run]) -> Cell:
    first, taken, cpu_ms = runs[0], [run.ms_per_step for run in runs], fmean(run.cpu_ms_per_step for run in runs)
    return Cell(
        mode=first.mode, workload=first.workload, shape=first.shape, steps=first.steps, count=len(runs),
        ms_per_step=median(taken), least_ms=min(taken), most_ms=max(taken), seconds=median(run.ended_s for run in runs),
        submitted_ms=_per_step(first, [run.submitted_s for run in runs]),
        settled_ms=_per_step(first, [run.settled_s for run in runs]), cpu_ms=cpu_ms,
        ratio=median(taken) / median(run.ms_per_step for run in floor) if floor else None,
        cpu_ratio=cpu_ms / used if floor and (used := fmean(run.cpu_ms_per_step for run in floor)) else None,
        broker_kib=median(run.broker.get("bytes in", 0) for run in runs) / first.steps / 1024,
        broker_commands=median(sum(count for name, count in run.broker.items() if not name.startswith("bytes"))
                               for run in runs) / first.steps)


def _per_step(run: Run, seconds: Sequence[float]) -> float:
    return 1000 * median(seconds) / run.steps
