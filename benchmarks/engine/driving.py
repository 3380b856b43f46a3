"""A driver submits executions of one mode in a process of its own, asked by lines of JSON."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import redis

from benchmarks.engine import addresses


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long executions took, in seconds from the first submission."""

    submitted_s: float
    """Until all were submitted."""
    ended_s: float
    """Until all have ended."""


class Driver(Protocol):
    """Submits to one mode."""

    def run(self, shape: str, count: int) -> Timing:
        """Run executions of a shape, all at once, and wait for their ends."""

    def starts(self, count: int) -> Sequence[float]:
        """Start executions one after the other; return the seconds until the first step of each ran."""

    def park(self, count: int) -> Timing:
        """Start executions that wait for somebody after their first step, and wait until all wait."""

    def resume(self) -> Timing:
        """Let those go on, and wait for their ends."""

    def settle(self) -> None:
        """Wait until nothing is left to do in the background."""


class Ends:
    """The lists on which a mode tells what has happened."""

    def __init__(self, url: str) -> None:
        """Take the server's address."""
        self._redis = redis.Redis.from_url(url, socket_timeout=addresses.PATIENCE_S + 10)

    def forget(self) -> None:
        """Forget what was told before."""
        self._redis.delete(addresses.ENDED, addresses.PARKED, addresses.BEGAN)

    def tell(self, name: str, text: str) -> None:
        """Put a text on a list."""
        self._redis.lpush(name, text)

    def wait(self, name: str, count: int = 1) -> list[str]:
        """Return so many texts from a list.

        Raises:
            TimeoutError: they did not come.
        """
        found = []
        for number in range(count):
            told: Any = self._redis.blpop([name], timeout=addresses.PATIENCE_S)
            if told is None:
                raise TimeoutError(f"{number} of {count} were told on {name}.")
            found.append(told[1].decode())
        return found


def serve(driver: Driver) -> None:
    """Answer requests on the standard streams until there are no more; what is raised is an answer too."""
    for line in sys.stdin:
        request = json.loads(line)
        began = time.process_time()
        try:
            answer: Any = getattr(driver, request.pop("call"))(**request)
            said = {"answer": asdict(answer) if isinstance(answer, Timing) else answer}
        except Exception as error:  # one workload that fails must not end the others
            said = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps({**said, "cpu_s": time.process_time() - began}), flush=True)


class DriverFailed(Exception):
    """Raised when a driver could not do what it was asked."""


class RemoteDriver:
    """A driver in a process of its own."""

    def __init__(self, module: str, environment: Mapping[str, str], log: Path) -> None:
        """Start it; it ends with the context."""
        with log.open("ab") as errors:
            self._child = subprocess.Popen([sys.executable, "-m", module], stdin=subprocess.PIPE,
                                           stdout=subprocess.PIPE, stderr=errors, env=dict(environment), text=True)
        self.cpu_s = 0.0
        """Of the last call."""

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._child.pid

    def ask(self, call: str, **arguments: Any) -> Any:
        """Ask for one thing.

        Raises:
            DriverFailed: it failed, or did not answer in time.
        """
        told, said = self._child.stdin, self._child.stdout
        if told is None or said is None:
            raise DriverFailed("The driver has no streams.")
        print(json.dumps({"call": call, **arguments}), file=told, flush=True)
        if not select.select([said], [], [], 2 * addresses.PATIENCE_S)[0]:
            raise DriverFailed(f"{call} was not answered in time.")
        line = said.readline()
        if not line:
            raise DriverFailed(f"The driver ended with {self._child.poll()}.")
        answer = json.loads(line)
        self.cpu_s = answer["cpu_s"]
        if "error" in answer:
            raise DriverFailed(answer["error"])
        return answer["answer"]

    def timed(self, call: str, **arguments: Any) -> Timing:
        """Ask for something that is timed."""
        return Timing(**self.ask(call, **arguments))

    def __enter__(self) -> Self:
        """Return the driver."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        """End its process."""
        if self._child.stdin is not None:
            self._child.stdin.close()
        try:
            self._child.wait(timedelta(seconds=20).total_seconds())
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
