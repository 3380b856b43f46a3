"""Runs the workloads on all modes by turns, and reads before and after each what it cost."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import redis
import requests

from benchmarks.engine import counting
from benchmarks.engine.driving import DriverFailed
from benchmarks.engine.figures import Counting, Parking, Run, Starts, Waiting
from benchmarks.engine.modes import FLOOR, Mode
from benchmarks.engine.servers import RunningMode, Servers, running_mode
from benchmarks.engine.workloads import PARKED, STARTS, WAITING, Workload
from benchmarks.figures import percentile
from benchmarks.memory import memory_of
from sandbox.servers.reference import reference_url

Say = Callable[[str], None]
_PARKED_FOR = timedelta(seconds=5)
"""How long parked executions are watched."""
_COUNTED = ("W1", "W1x", "W2", "W2s", "W3", "W4")
_WARM_UP = ("line:5", 4)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be measured."""

    workloads: Sequence[Workload]
    names: frozenset[str]
    """Of workloads, with W5 and W7."""
    rounds: int
    start_count: int
    parked_count: int


@dataclass(kw_only=True)
class Measured:
    """All that was measured so far."""

    runs: list[Run] = field(default_factory=list)
    starts: list[Starts] = field(default_factory=list)
    parking: list[Parking] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    counting: list[Counting] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Benchmark:
    """One run over all modes."""

    def __init__(self, servers: Servers, modes: Sequence[Mode], wanted: Wanted, say: Say) -> None:
        """Measure these modes on these servers."""
        self._servers = servers
        self._modes = modes
        self._wanted = wanted
        self._say = say
        self._valkey = redis.Redis.from_url(servers.valkey_url)
        self.measured = Measured()

    def time_all(self) -> None:
        """Time everything in rounds; the order of the modes turns around in each."""
        with ExitStack() as stack:
            running = [stack.enter_context(running_mode(self._servers, mode)) for mode in self._modes]
            for one in running:
                self._warm_up(one)
            for number in range(self._wanted.rounds):
                self._round(number, running if number % 2 == 0 else running[::-1])

    def count_all(self, folder: Path) -> None:
        """Count the operations of W1 to W4, in runs that are not timed."""
        for mode in self._modes:
            if mode.is_ours or mode.name == FLOOR:
                counts = folder / f"counts-{mode.name}"
                counts.mkdir()
                with running_mode(self._servers, mode, counts) as running:
                    self._warm_up(running)
                    self._tried(mode, "counting", lambda: self._count(running, counts))

    def _warm_up(self, running: RunningMode) -> None:
        shape, count = _WARM_UP
        for _ in range(2):
            running.driver.timed("run", shape=shape, count=count)
        running.driver.ask("settle")

    def _round(self, number: int, running: Sequence[RunningMode]) -> None:
        self._say(f"round {number + 1} of {self._wanted.rounds}, load average {os.getloadavg()[0]:.1f}")
        for workload in self._wanted.workloads:
            for one in running:
                if one.mode.runs(workload):
                    self._tried(one.mode, workload.name, lambda: self._time(number, workload, one))
        for one in running:
            if STARTS in self._wanted.names & one.mode.workloads:
                self._tried(one.mode, STARTS, lambda: self._time_starts(number, one))
            if PARKED in self._wanted.names & one.mode.workloads and number == 0:
                self._tried(one.mode, PARKED, lambda: self._park(one))

    def _tried(self, mode: Mode, name: str, measure: Callable[[], None]) -> None:
        try:
            measure()
        except DriverFailed as error:
            self.measured.failures.append(f"{mode.name} {name}: {error}")
            self._say(self.measured.failures[-1])

    def _time(self, number: int, workload: Workload, running: RunningMode) -> None:
        for _ in range(workload.repeats):
            before, began = self._costs(running), time.perf_counter()
            timing = running.driver.timed("run", shape=workload.shape, count=workload.count)
            running.driver.ask("settle")
            settled, after = time.perf_counter() - began, self._costs(running)
            self.measured.runs.append(Run(
                mode=running.mode.name, workload=workload.name, shape=workload.shape, round=number,
                steps=workload.steps, ended_s=timing.ended_s, submitted_s=timing.submitted_s, settled_s=settled,
                load=os.getloadavg()[0], broker=counting.difference(after.broker, before.broker),
                cpu_s={part: after.cpu_s[part] - before.cpu_s[part] for part in after.cpu_s}))
        run = self.measured.runs[-1]
        if workload.name == WAITING:
            most = requests.get(f"{reference_url(self._servers.slow_agents_port)}/in-flight", timeout=10).json()["most"]
            self.measured.waiting.append(Waiting(mode=run.mode, round=number, count=run.steps, seconds=run.ended_s,
                                                 most_in_flight=most))
        self._say(f"{run.mode:13} {workload.name:6} {workload.shape:9} {run.ms_per_step:7.2f} ms a step")

    def _time_starts(self, number: int, running: RunningMode) -> None:
        taken = [1000 * one for one in running.driver.ask("starts", count=self._wanted.start_count)]
        running.driver.ask("settle")
        self.measured.starts.append(Starts(mode=running.mode.name, round=number, count=len(taken),
                                           p50_ms=percentile(taken, 0.5), p95_ms=percentile(taken, 0.95)))
        self._say(f"{running.mode.name:13} W5     p50 {self.measured.starts[-1].p50_ms:.1f} ms")

    def _park(self, running: RunningMode) -> None:
        count, pids = self._wanted.parked_count, {**running.pids, **self._shared_pids()}
        empty = _mib(pids)
        parked = running.driver.timed("park", count=count)
        time.sleep(1)
        before = self._costs(running).cpu_s
        time.sleep(_PARKED_FOR.total_seconds())
        after, full = self._costs(running).cpu_s, _mib(pids)
        waiting = self._messages(running.mode)
        resumed = running.driver.timed("resume")
        running.driver.ask("settle")
        busy = sum(after.values()) - sum(before.values())
        self.measured.parking.append(Parking(
            mode=running.mode.name, count=count, parked_s=parked.ended_s, resumed_s=resumed.ended_s, messages=waiting,
            mib_before=empty, mib_parked=full, cpu_percent=100 * busy / _PARKED_FOR.total_seconds()))
        self._say(f"{running.mode.name:13} W7     resumed in {1000 * resumed.ended_s / count:.2f} ms each")

    def _messages(self, mode: Mode) -> int:
        """Return how many messages of a mode wait, or are with a worker that has not acknowledged them."""
        with redis.Redis.from_url(self._servers.broker_url(mode)) as broker:
            return int(broker.llen(mode.queue)) + int(broker.hlen("unacked"))

    def _count(self, running: RunningMode, folder: Path) -> None:
        for workload in self._wanted.workloads:
            if workload.name in _COUNTED and running.mode.runs(workload):
                before = counting.read_counts(folder)
                running.driver.timed("run", shape=workload.shape, count=workload.count)
                running.driver.ask("settle")
                found = counting.difference(counting.read_counts(folder), before)
                self.measured.counting.append(Counting(mode=running.mode.name, workload=workload.name,
                                                       steps=workload.steps, counts=found))
        self._say(f"{running.mode.name:13} was counted")

    def _shared_pids(self) -> Mapping[str, int]:
        return {name: process.pid for name, process in self._servers.processes.items() if name != "agents"}

    def _costs(self, running: RunningMode) -> _Costs:
        stats: dict[str, Any] = self._valkey.info("stats")
        calls: dict[str, Any] = self._valkey.info("commandstats")
        broker = {name.removeprefix("cmdstat_"): int(one["calls"]) for name, one in calls.items()
                  if name != "cmdstat_info"}
        pids = {**running.pids, **{name: one.pid for name, one in self._servers.processes.items()},
                "driver": running.driver.pid}
        return _Costs(broker={**broker, "bytes in": int(stats["total_net_input_bytes"]),
                              "bytes out": int(stats["total_net_output_bytes"])},
                      cpu_s={name: _cpu_s(pid) for name, pid in pids.items()})


@dataclass(frozen=True, kw_only=True)
class _Costs:
    """Readings of what only grows."""

    broker: Mapping[str, int]
    """Calls of each command, and bytes."""
    cpu_s: Mapping[str, float]


def _cpu_s(pid: int) -> float:
    """Return what a process and its children have used."""
    first = psutil.Process(pid)
    times = [one.cpu_times() for one in (first, *first.children(recursive=True))]
    return sum(one.user + one.system for one in times)


def _mib(pids: Mapping[str, int]) -> Mapping[str, float]:
    return {one.part: one.rss_mib for one in memory_of(pids)}
