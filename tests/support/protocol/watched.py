"""Ports that stop before each of their calls, may lose it or its reply, and write down what it came to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.support.protocol.stage import Fault, Stage
from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.errors import Unavailable
from workflow_service.domain.execution import Execution
from workflow_service.domain.wait import Wait


class Watched:
    """Stands before a port and offers the same calls."""

    def __init__(self, port: object, name: str, stage: Stage, told: Callable[[str], None],
                 seen: Callable[[str, str, Sequence[Any], Any], None]) -> None:
        """Watch a port.

        Args:
            told: takes a line for each call.
            seen: takes each call that was made, whether or not its reply is lost: who, what, arguments, result.
        """
        self._port = port
        self._name = name
        self._stage = stage
        self._told = told
        self._seen = seen

    def __getattr__(self, call: str) -> Callable[..., Any]:
        """Return the port's method, watched."""
        method = getattr(self._port, call)

        def watched(*arguments: Any, **named: Any) -> Any:
            line = f"{self._name}.{call} {_brief([*arguments, *named.values()])}"
            fault = self._stage.point(line)
            if fault is Fault.LOST_REQUEST:
                self._told(f"{line} LOST")
                raise Unavailable(self._name)
            result = method(*arguments, **named)
            self._seen(self._stage.speaker, f"{self._name}.{call}", arguments, result)
            if fault is Fault.LOST_REPLY:
                self._told(f"{line} REPLY LOST")
                raise Unavailable(self._name)
            self._told(f"{line} = {_brief([result])}")
            return result

        return watched


def _brief(values: list[Any]) -> str:
    return " ".join(_one(value) for value in values)[:160]


def _one(value: Any) -> str:
    if isinstance(value, BlockExecution):
        edges = f" pending {list(value.pending_edges)}" if value.pending_edges else ""
        return f"{value.block_id}:{value.epoch}f{value.fence}v{value.version}/{value.status.value}{edges}"
    if isinstance(value, Execution):
        return f"v{value.version}/{value.status.value}{list(value.holds) or ''}{'!' if value.restart_targets else ''}"
    if isinstance(value, Wait):
        name = f"{value.block_id}:{value.epoch}/{value.kind.value}/{value.revision}"
        return f"wait {name}v{value.version}/{value.status.value}"
    if isinstance(value, Approval):
        return f"approval {value.block_id}:{value.epoch}v{value.version}/{value.status.value}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_one(entry) for entry in value[:6])}]"
    return str(value)[:60]
