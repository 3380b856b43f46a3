"""Arming: one port is put behind a decorator that ends the process at the moment that is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Lock, Timer
from typing import Any, NoReturn

from workflow_service.failpoints.catalogue import BY_NAME
from workflow_service.failpoints.failpoint import Failpoint, Moment, When
from workflow_service.services.engine import Ports

EXIT_CODE = 137
"""That of a process that was killed by SIGKILL."""
_DURING_S = 0.1
"""How long a call has lasted when it is being made."""


def arm(ports: Ports, moment: Moment | None) -> Ports:
    """Return the ports with a failpoint around one call; the very same ports if none is asked for."""
    if moment is None:
        return ports
    failpoint = BY_NAME[moment.name]
    changed: Any = _ArmedPort(_at(ports, failpoint.port), failpoint, moment.occurrence)
    holder, _, name = failpoint.port.rpartition(".")
    if holder:
        name, changed = holder, replace(_at(ports, holder), **{name: changed})
    return replace(ports, **{name: changed})


class _ArmedPort:
    """A port one method of which ends the process; all else is the port's."""

    def __init__(self, port: Any, failpoint: Failpoint, occurrence: int) -> None:
        self._port = port
        self._failpoint = failpoint
        self._left = occurrence
        self._lock = Lock()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return self._armed(found) if name == self._failpoint.method else found

    def _armed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        call = {When.BEFORE: self._before, When.DURING: self._during, When.AFTER: self._after}[self._failpoint.when]
        return lambda *arguments, **named: call(lambda: method(*arguments, **named), arguments)

    def _before(self, call: Callable[[], Any], arguments: Sequence[Any]) -> Any:
        self._reach(arguments, None)
        return call()

    def _during(self, call: Callable[[], Any], arguments: Sequence[Any]) -> Any:
        timer = Timer(_DURING_S, self._reach, (arguments, None))
        timer.daemon = True
        timer.start()
        try:
            return call()
        finally:
            timer.cancel()

    def _after(self, call: Callable[[], Any], arguments: Sequence[Any]) -> Any:
        result = call()
        self._reach(arguments, result)
        return result

    def _reach(self, arguments: Sequence[Any], result: Any) -> None:
        """End the process if the call is one that is meant, and the one that is counted to."""
        if not self._failpoint.holds(arguments, result):
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                _end(self._failpoint.name)


def _at(ports: Ports, path: str) -> Any:
    found: Any = ports
    for name in path.split("."):
        found = getattr(found, name)
    return found


def _end(name: str) -> NoReturn:
    """End the process as if it were killed: no clean-up, no last flush; only a line that says why."""
    os.write(2, f"failpoint {name}: process {os.getpid()} ends here\n".encode())
    os._exit(EXIT_CODE)
