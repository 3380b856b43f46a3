"""Blocks that wait for signals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workflow_service.domain.agents import Completed, Failure, FailureClass
from workflow_service.domain.execution import stood_still
from workflow_service.domain.flow import OnTimeout, SignalWait
from workflow_service.domain.signal import SIGNAL_IDS
from workflow_service.domain.statuses import WaitKind
from workflow_service.domain.wait import Wait, wait_of
from workflow_service.services.kinds.kind import Turn
from workflow_service.services.ports import Clock, WaitRepository
from workflow_service.services.waits import verdict_of


class SignalKind:
    """Does ``waitFor`` blocks."""

    def __init__(self, waits: WaitRepository, clock: Clock) -> None:
        """Read what has fired from this repository."""
        self._waits = waits
        self._clock = clock

    def take(self, turn: Turn) -> Completed | Failure | Wait:
        """Complete with the signals that came, or as the block says if they did not come in time."""
        wanted = turn.block.wait_for
        assert wanted is not None, "the kind of the block says so"
        told = None
        if turn.ours.parked_for is WaitKind.SIGNAL:
            told = verdict_of(self._waits.get(turn.ours.workspace_id, wait_of(turn.ours, WaitKind.SIGNAL).id))
        return self._wait(turn, wanted) if told is None else _outcome(wanted, told)

    def _wait(self, turn: Turn, wanted: SignalWait) -> Wait:
        now = self._clock.now()
        deadline = None if wanted.timeout is None else now + wanted.timeout
        wait = wait_of(turn.ours, WaitKind.SIGNAL, deadline=deadline, ask_at=deadline,
                       stopped_for=stood_still(turn.execution, now))
        return replace(wait, signals=wanted.signals, signal_mode=wanted.mode)


def _outcome(wanted: SignalWait, told: Mapping[str, Any]) -> Completed | Failure:
    if told["timedOut"] and wanted.on_timeout is OnTimeout.FAIL:
        return Failure(code="signal_timed_out", failure_class=FailureClass.CONFIGURATION,
                       message=f"No signal came in time; waited for: {', '.join(wanted.signals)}.")
    return Completed(output={name: value for name, value in told.items() if name != SIGNAL_IDS})
