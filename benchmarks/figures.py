"""What was measured, as values; times in milliseconds, memory in MiB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, kw_only=True)
class Latency:
    """How long requests of one kind took."""

    count: int
    p50_ms: float
    p95_ms: float
    failed: int
    """Answers other than 2xx."""


@dataclass(frozen=True, kw_only=True)
class ReadFigures:
    """One kind of request that reads: by one client for its times, by several for the rate."""

    name: str
    alone: Latency
    together: Latency | None
    """None if already one client was not answered."""
    per_second: float
    """Requests that were answered 2xx, by all clients together."""
    database_cpu_ms: float
    """Time that the database had a core for one request of one client; others on the machine hardly change it."""
    web_cpu_ms: float
    """The same of the API's processes."""


@dataclass(frozen=True, kw_only=True)
class PageFigures:
    """How long the database works on one page of a list: to find its rows, and to count the whole list."""

    name: str
    find_ms: float
    count_ms: float


@dataclass(frozen=True, kw_only=True)
class StartFigures:
    """Starts of executions by some clients at once."""

    clients: int
    latency: Latency
    per_second: float
    """Starts that were answered 2xx."""
    ended_per_second: float | None
    """Executions that were done, from the first start until the last has ended; None if they did not end in time."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What a part of the stack holds in memory, all of its processes together."""

    part: str
    processes: int
    rss_mib: float


@dataclass(frozen=True, kw_only=True)
class SizeFigures:
    """All that was measured with so many templates and so many executions."""

    size: int
    seeded_in_s: float
    load: float
    """The load average of the machine over the last minute of the measurement, its own work included."""
    cores_of_others: float
    """How many cores were busy with anything else meanwhile, on average."""
    reads: Sequence[ReadFigures]
    pages: Sequence[PageFigures]
    starts: Sequence[StartFigures]
    memory: Mapping[str, Sequence[Memory]]
    """By moment: ``empty``, ``seeded``, ``loaded``."""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share (0 to 1) of all values does not exceed.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("There is no percentile of nothing.")
    ordered = sorted(values)
    return ordered[max(ceil(share * len(ordered)) - 1, 0)]
