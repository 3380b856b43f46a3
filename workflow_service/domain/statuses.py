"""The statuses of executions, block executions, approvals, waits and signals, with one transition table each.

Nothing else says which change is legal: every change of a status passes ``check``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from workflow_service.domain.errors import IllegalTransition


class ExecutionStatus(StrEnum):
    """Where a run of a template stands."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    COMPENSATING = "compensating"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """True when the execution has ended."""
        return self in _EXECUTION_ENDS


class BlockStatus(StrEnum):
    """Where one block of one execution stands."""

    PENDING = "pending"
    READY = "ready"
    RUNNING = "running"
    RETRY_WAIT = "retry_wait"
    AWAITING_APPROVAL = "awaiting_approval"
    AWAITING_AGENT = "awaiting_agent"
    AWAITING_SIGNAL = "awaiting_signal"
    AWAITING_TIME = "awaiting_time"
    AWAITING_CHILDREN = "awaiting_children"
    AWAITING_FIX = "awaiting_fix"
    COMPLETED = "completed"
    FAILED = "failed"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    COMPENSATING = "compensating"
    COMPENSATED = "compensated"

    @property
    def is_terminal(self) -> bool:
        """True when nothing more happens to the block in this epoch."""
        return self in BLOCK_ENDS

    @property
    def is_parked(self) -> bool:
        """True when the block waits and holds no worker."""
        return self.value.startswith("awaiting_")


class ApprovalStatus(StrEnum):
    """Where a request to a person stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class WaitStatus(StrEnum):
    """Where the record of what a block waits for stands."""

    OPEN = "open"
    FIRED = "fired"
    CANCELLED = "cancelled"


class SignalStatus(StrEnum):
    """Where a signal to an execution stands."""

    KEPT = "kept"
    TAKEN = "taken"


class WaitKind(StrEnum):
    """What a parked block waits for."""

    APPROVAL = "approval"
    AGENT = "agent"
    SIGNAL = "signal"
    TIME = "time"
    CHILDREN = "children"
    FIX = "fix"

    @property
    def parked_status(self) -> BlockStatus:
        """The status of a block that waits for this."""
        return BlockStatus(f"awaiting_{self.value}")


_S = ExecutionStatus
_EXECUTION_ENDS = frozenset({_S.COMPLETED, _S.FAILED, _S.CANCELLED})
_EXECUTION: Mapping[ExecutionStatus, frozenset[ExecutionStatus]] = {
    _S.PENDING: frozenset({_S.RUNNING, _S.CANCELLING}),
    _S.RUNNING: frozenset({_S.WAITING, _S.PAUSING, _S.CANCELLING, _S.COMPENSATING}) | _EXECUTION_ENDS,
    _S.WAITING: frozenset({_S.RUNNING, _S.PAUSING, _S.CANCELLING, _S.COMPENSATING}) | _EXECUTION_ENDS,
    _S.PAUSING: frozenset({_S.PAUSED, _S.RUNNING, _S.CANCELLING}) | _EXECUTION_ENDS,
    _S.PAUSED: frozenset({_S.RUNNING, _S.CANCELLING}) | _EXECUTION_ENDS,
    _S.CANCELLING: _EXECUTION_ENDS | {_S.COMPENSATING},
    _S.COMPENSATING: _EXECUTION_ENDS,
    # a restart opens an ended execution again, under a new generation
    _S.COMPLETED: frozenset({_S.RUNNING}),
    _S.FAILED: frozenset({_S.RUNNING}),
    _S.CANCELLED: frozenset({_S.RUNNING}),
}

_B = BlockStatus
PARKED = frozenset(status for status in BlockStatus if status.is_parked)
"""The statuses of a block that waits and holds no worker."""
IN_FLIGHT = frozenset({_B.RUNNING, _B.AWAITING_AGENT})
"""The statuses of a block that is at work: in one of our workers, or at an agent that took the work."""
BLOCK_ENDS = frozenset({_B.COMPLETED, _B.FAILED, _B.REJECTED, _B.SKIPPED, _B.CANCELLED, _B.COMPENSATED})
"""The statuses that end a block within its epoch."""
FAILURES = frozenset({_B.FAILED, _B.REJECTED})
"""The ends of a block that did not get its work done; whether they fail the execution, ``outcomes`` says."""
_BLOCK: Mapping[BlockStatus, frozenset[BlockStatus]] = {
    # a join of the compiler goes from pending to completed: nobody runs it
    _B.PENDING: frozenset({_B.READY, _B.SKIPPED, _B.CANCELLED, _B.COMPLETED}),
    # to skipped from anywhere: the block is withdrawn
    _B.READY: frozenset({_B.RUNNING, _B.SKIPPED, _B.CANCELLED}),
    # from running to running: a claim after the lease of the last owner has expired
    _B.RUNNING: frozenset({_B.RUNNING, _B.READY, _B.RETRY_WAIT, _B.COMPLETED, _B.FAILED, _B.REJECTED, _B.SKIPPED,
                           _B.CANCELLED}) | PARKED,
    _B.RETRY_WAIT: frozenset({_B.READY, _B.SKIPPED, _B.CANCELLED}),
    **{status: frozenset({_B.READY, _B.SKIPPED, _B.CANCELLED}) for status in PARKED},
    _B.COMPLETED: frozenset({_B.COMPENSATING}),
    _B.COMPENSATING: frozenset({_B.COMPENSATED, _B.FAILED}),
    _B.FAILED: frozenset(),
    _B.REJECTED: frozenset(),
    _B.SKIPPED: frozenset(),
    _B.CANCELLED: frozenset(),
    _B.COMPENSATED: frozenset(),
}
BLOCK_TRANSITIONS = _BLOCK
"""Legal changes of a block within one epoch; a new epoch starts at ``pending`` from anywhere."""
EXECUTION_TRANSITIONS = _EXECUTION
"""Legal changes of an execution."""

APPROVAL_TRANSITIONS: Mapping[ApprovalStatus, frozenset[ApprovalStatus]] = {
    ApprovalStatus.PENDING: frozenset(ApprovalStatus) - {ApprovalStatus.PENDING},
    **{status: frozenset() for status in ApprovalStatus if status is not ApprovalStatus.PENDING},
}
"""Legal changes of an approval: it is decided once."""
WAIT_TRANSITIONS: Mapping[WaitStatus, frozenset[WaitStatus]] = {
    WaitStatus.OPEN: frozenset({WaitStatus.FIRED, WaitStatus.CANCELLED}),
    WaitStatus.FIRED: frozenset(),
    WaitStatus.CANCELLED: frozenset(),
}
"""Legal changes of a wait: it fires once."""
SIGNAL_TRANSITIONS: Mapping[SignalStatus, frozenset[SignalStatus]] = {
    SignalStatus.KEPT: frozenset({SignalStatus.TAKEN}),
    SignalStatus.TAKEN: frozenset({SignalStatus.KEPT}),
}
"""Legal changes of a signal: it is taken, and given back if its wait ends without it."""

Status = TypeVar("Status", ExecutionStatus, BlockStatus, ApprovalStatus, WaitStatus, SignalStatus)


def check(table: Mapping[Status, frozenset[Status]], kind: str, identifier: str, current: Status,
          target: Status) -> Status:
    """Return the target if the table allows the change.

    Raises:
        IllegalTransition: the table does not allow it.
    """
    if target not in table[current]:
        raise IllegalTransition(kind, identifier, current.value, target.value)
    return target
