"""Stores in memory that tell of each event when it is stored, so that all of them are known in their true order.

The history of an execution has the order in which events were relayed to it, which is a little later and in batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.events import Event
from workflow_service.domain.execution import Execution
from workflow_service.domain.signal import Signal
from workflow_service.domain.wait import Wait
from workflow_service.repositories.memory.approvals import ApprovalsInMemory
from workflow_service.repositories.memory.blocks import BlocksInMemory
from workflow_service.repositories.memory.documents import DocumentsInMemory
from workflow_service.repositories.memory.executions import ExecutionsInMemory
from workflow_service.repositories.memory.signals import SignalsInMemory
from workflow_service.repositories.memory.waits import WaitsInMemory
from workflow_service.repositories.versions import V, new_events
from workflow_service.services.ports import StoredEvent

Listener = Callable[[Event], None]


class _Recorded(DocumentsInMemory[V]):
    """Documents whose events are told."""

    _listeners: Sequence[Listener] = ()

    def tell(self, *listeners: Listener) -> None:
        """Tell these from now on."""
        self._listeners = listeners

    def insert(self, document: V) -> bool:
        """Store a new document."""
        return super().insert(document) and self._told(document.outbox)

    def change(self, before: V, after: V) -> bool:
        """Store what differs."""
        return super().change(before, after) and self._told(new_events(before, after))

    def _told(self, events: Sequence[Event]) -> bool:
        for event in events:
            for listen in self._listeners:
                listen(event)
        return True


class RecordedExecutions(_Recorded[Execution], ExecutionsInMemory):
    """Executions that tell."""


class RecordedBlocks(_Recorded[BlockExecution], BlocksInMemory):
    """Blocks that tell."""


class RecordedWaits(_Recorded[Wait], WaitsInMemory):
    """Waits that tell."""


class RecordedApprovals(_Recorded[Approval], ApprovalsInMemory):
    """Approvals that tell."""


class RecordedSignals(_Recorded[Signal], SignalsInMemory):
    """Signals that tell."""


class NoHistory:
    """Implements ``ports.EventRepository``: what happens is known already, and is nobody else's business."""

    def append(self, events: Sequence[Event]) -> Sequence[StoredEvent]:
        """Store nothing, so that nobody is told of it."""
        return ()

    def of_execution(self, workspace_id: str, execution_id: str, *, after: int = 0,
                     limit: int = 10_000) -> Sequence[StoredEvent]:
        """Return nothing."""
        return ()
