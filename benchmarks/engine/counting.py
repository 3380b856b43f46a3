"""Counting operations of a process: of the database by a listener of its driver, calls of services by port.

Counting takes time, so it is done in runs of its own, which are not timed. What is done by the thread that finishes
batches in the background is told apart from what is done while the next block waits for it, and from what the start of
an execution takes.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from pymongo import monitoring

from benchmarks.engine import addresses

WRITES = {"insert": "documents", "update": "updates", "delete": "deletes", "findAndModify": ""}
"""The commands that write, each with the name of the list of what it writes."""
READS = frozenset({"find", "getMore", "count", "aggregate", "distinct"})
_BACKGROUND = "finisher"
_EVERY_S = 0.1
_SERVICES, _ADAPTERS = f"{os.sep}services{os.sep}", f"{os.sep}repositories{os.sep}mongo{os.sep}"
_MOST_CALLERS = 2

Counts = Mapping[str, int]
"""How often, by what was done: ``when|kind|collection|adapter < service < service``."""


class Counted:
    """What this process has counted; a thread writes it to a file that others read."""

    def __init__(self, folder: Path) -> None:
        """Write into this folder, into a file for each process."""
        self._folder = folder
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._pid: int | None = None

    def add(self, name: str, by: int = 1) -> None:
        """Count something."""
        with self._lock:
            if self._pid != os.getpid():
                self._pid, self._counts = os.getpid(), Counter()
                threading.Thread(target=self._write, name="counts", daemon=True).start()
            self._counts[name] += by

    def _write(self) -> None:
        file, pid, written = self._folder / f"{os.getpid()}.json", os.getpid(), -1
        while self._pid == pid:
            with self._lock:
                total, text = self._counts.total(), json.dumps(self._counts)
            if total != written:
                fresh = file.with_suffix(".new")
                fresh.write_text(text, encoding="utf-8")
                fresh.replace(file)
                written = total
            time.sleep(_EVERY_S)


class OperationListener(monitoring.CommandListener):
    """Counts the commands that go to the database, and how many documents they write."""

    def __init__(self, counted: Counted) -> None:
        """Count into this."""
        self._counted = counted

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Count a command."""
        name, by = event.command_name, " < ".join(_callers(sys._getframe()))
        place = f"{_moment()}|{{}}|{event.command.get(name)}|{by}"
        if name in WRITES:
            self._counted.add(place.format("write command"))
            self._counted.add(place.format("write"), len(event.command.get(WRITES[name], [None])))
        elif name in READS:
            self._counted.add(place.format("read"))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Count nothing: it was counted when it began."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Count nothing: it was counted when it began."""


class CountedPort:
    """A port each of whose calls is counted, as it is one request over HTTP."""

    def __init__(self, port: object, name: str, counted: Counted, calls: frozenset[str]) -> None:
        """Stand before a port.

        Args:
            calls: the methods that are a request.
        """
        self._port = port
        self._name = name
        self._counted = counted
        self._calls = calls

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """Return a method of the port."""
        found: Callable[..., Any] = getattr(self._port, method)
        if method in self._calls:
            self._counted.add(f"{_moment()}|http|{self._name}|{method}")
        return found


def counted_here() -> Counted | None:
    """Return where this process counts; None if it is not to count."""
    folder = os.environ.get(addresses.COUNTS)
    return Counted(Path(folder)) if folder else None


def count_database_operations(counted: Counted | None = None) -> None:
    """Count all operations of clients that are made from now on, if this process is to count."""
    counted = counted or counted_here()
    if counted is not None:
        monitoring.register(OperationListener(counted))


def read_counts(folder: Path) -> Counts:
    """Return what all processes have counted until a moment ago."""
    time.sleep(4 * _EVERY_S)
    total: Counter[str] = Counter()
    for file in folder.glob("*.json"):
        total.update(json.loads(file.read_text(encoding="utf-8")))
    return total


def difference(after: Counts, before: Counts) -> Counts:
    """Return what was added."""
    return {name: count - before.get(name, 0) for name, count in after.items() if count > before.get(name, 0)}


def _moment() -> str:
    if threading.current_thread().name == _BACKGROUND:
        return "background"
    return "start" if os.environ.get(addresses.DRIVES) else "hot"


def _callers(frame: FrameType | None) -> Iterator[str]:
    """Yield the adapter's method that does it, then the services that asked for it, the nearest first."""
    services = 0
    adapter = ""
    while frame is not None and services < _MOST_CALLERS:
        file, name = frame.f_code.co_filename, frame.f_code.co_qualname
        if _ADAPTERS in file and "<" not in name:
            adapter = name
        elif _SERVICES in file and "<" not in name:
            if not services:
                yield adapter
            services += 1
            yield name
        frame = frame.f_back
