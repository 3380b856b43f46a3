"""What the service must keep to, and whether it did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.engine.figures import Cell, Counting, Parking, Starts, growth
from benchmarks.engine.modes import OURS

MOST_RATIO = {"W1": 2.0, "W2": 4.0, "W3": 2.5, "W4": 3.5}
"""Times what the floor takes in the same run."""
MOST_WRITES = 3.0
"""To the database for each block, while the next one waits for them."""
MOST_START_MS = 30.0
MOST_GROWTH = 1.15
MOST_BROKER_KIB = 4.5
MOST_PARKED_MIB = 10.0
MOST_RESUME_MS = 5.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One target, and what was measured."""

    name: str
    most: float
    measured: float

    @property
    def is_kept(self) -> bool:
        """Whether it is no more than it may be."""
        return self.measured <= self.most


def verdicts(cells: Sequence[Cell], starts: Sequence[Starts], parking: Sequence[Parking],
             counting: Sequence[Counting]) -> Iterator[Verdict]:
    """Yield what can be said of the service from what was measured."""
    ours = [cell for cell in cells if cell.mode == OURS]
    for cell in ours:
        if cell.workload in MOST_RATIO and cell.ratio is not None:
            yield Verdict(name=f"{cell.workload}: times the floor", most=MOST_RATIO[cell.workload], measured=cell.ratio)
    for one in counting:
        if one.mode == OURS and one.workload in MOST_RATIO:
            yield Verdict(name=f"{one.workload}: writes a block, waited for", most=MOST_WRITES,
                          measured=one.per_step("hot", "write"))
    for start in _middle([one for one in starts if one.mode == OURS]):
        yield Verdict(name="W5: p50 of a start over HTTP, ms", most=MOST_START_MS, measured=start.p50_ms)
    for kind in ("W6line", "W6fan"):
        sizes = [cell for cell in ours if cell.workload == kind]
        exponent = growth(sizes)
        if exponent is not None:
            yield Verdict(name=f"{kind}: growth of the time", most=MOST_GROWTH, measured=exponent)
            yield Verdict(name=f"{kind}: KiB into the broker a block", most=MOST_BROKER_KIB,
                          measured=max(cell.broker_kib for cell in sizes))
    for parked in parking:
        if parked.mode == OURS:
            yield Verdict(name="W7: messages while parked", most=0, measured=parked.messages)
            yield Verdict(name="W7: MiB for all that are parked", most=MOST_PARKED_MIB, measured=parked.mib_added)
            yield Verdict(name="W7: to resume each, ms", most=MOST_RESUME_MS, measured=parked.resume_ms)


def _middle(starts: Sequence[Starts]) -> Sequence[Starts]:
    """Return the one with the median, or nothing of nothing."""
    ordered = sorted(starts, key=lambda one: one.p50_ms)
    return ordered[len(ordered) // 2:len(ordered) // 2 + 1]
