"""Signals: sending them to executions, and showing them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workflow_service.domain import signal as signals
from workflow_service.domain.commands import SendSignal
from workflow_service.domain.errors import Conflict, IdempotencyKeyReused, Invalid, Unavailable
from workflow_service.domain.idempotency import key_issues
from workflow_service.domain.ids import keyed_signal_id
from workflow_service.domain.signal import Signal
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.domain.users import User
from workflow_service.services.ports import Clock
from workflow_service.services.stores import Stores
from workflow_service.services.waits import Waits


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What came of a request to send a signal."""

    signal: Signal
    replayed: bool
    """True if an earlier request with the same key had sent it."""


class Signals:
    """Sends signals and shows them."""

    def __init__(self, stores: Stores, waits: Waits, clock: Clock, new_id: Callable[[], str]) -> None:
        """Send to executions in these stores.

        Args:
            new_id: mints the id of a signal.
        """
        self._stores = stores
        self._waits = waits
        self._clock = clock
        self._new_id = new_id

    def send(self, user: User, command: SendSignal) -> Sent:
        """Keep a signal for the block that waits for it, now or later; once this returns, it is not lost.

        A key gives the signal its id, so its document claims the key, and who repeats the request finds it.

        Raises:
            NotFound: the workspace has no such execution.
            Invalid: the key breaks its rules.
            IdempotencyKeyReused: the key has sent another signal to the execution.
            Conflict: the execution has ended, or is being cancelled.
        """
        if issues := tuple(key_issues(command.idempotency_key)):
            raise Invalid("The signal can't be sent.", issues)
        execution = self._stores.execution_of(user, command.execution_id)
        signal = self._new(user, command)
        if (earlier := self._earlier(signal)) is not None:
            return earlier
        if execution.status.is_terminal or execution.status is ExecutionStatus.CANCELLING:
            raise Conflict(f"Execution '{command.execution_id}' is {execution.status.value}: no block will take a "
                           "signal any more.")
        if self._stores.signals.insert(signal):
            self._waits.deliver(signal)
            return Sent(signal=self._now(signal), replayed=False)
        if (earlier := self._earlier(signal)) is not None:
            return earlier
        raise Unavailable("The store of signals")  # the id is taken, and yet nobody has it

    def page(self, user: User, execution_id: str, limit: int, offset: int) -> tuple[Sequence[Signal], int]:
        """Return signals that were sent to an execution, the oldest first, and how many there are in all.

        Raises:
            NotFound: the workspace has no such execution.
        """
        self._stores.execution_of(user, execution_id)
        return self._stores.signals.page(user.workspace_id, execution_id, limit, offset)

    def _new(self, user: User, command: SendSignal) -> Signal:
        key, now = command.idempotency_key, self._clock.now()
        return signals.received(Signal(
            signal_id=self._new_id() if key is None else keyed_signal_id(user.workspace_id, command.execution_id, key),
            workspace_id=user.workspace_id, execution_id=command.execution_id, name=command.name,
            payload=command.payload, sent_at=now, sent_by=user.name,
            request_digest=None if key is None else signals.digest(command.name, command.payload)), now)

    def _earlier(self, signal: Signal) -> Sent | None:
        """Return the signal that the same key has sent; None if there is none."""
        if signal.request_digest is None:
            return None
        found = self._stores.signals.get(signal.workspace_id, signal.signal_id)
        if found is None:
            return None
        if found.request_digest != signal.request_digest:
            raise IdempotencyKeyReused
        return Sent(signal=found, replayed=True)

    def _now(self, signal: Signal) -> Signal:
        return self._stores.signals.get(signal.workspace_id, signal.signal_id) or signal
