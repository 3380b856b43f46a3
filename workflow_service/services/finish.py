"""The finisher: what follows a transition and needs not be waited for.

Relays events to the history, tells the State Management Service of many blocks in one call, and stores that a document
is at rest (a block: released), in one bulk write. The transition itself already holds all of it durably: if this
process dies, the sweep finds the document by its ``due_at`` and does the same again, which changes nothing that was
done.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from threading import Event as Flag
from threading import Lock
from typing import NamedTuple

from workflow_service.domain import approval as approvals
from workflow_service.domain import blocks, execution, signal, wait
from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.errors import Invalid, Unavailable
from workflow_service.domain.execution import Execution
from workflow_service.domain.ids import is_join
from workflow_service.domain.recovery import Checkpoint, checkpoint_of
from workflow_service.domain.signal import Signal
from workflow_service.domain.statuses import BlockStatus
from workflow_service.domain.wait import Wait
from workflow_service.services.bus import Bus
from workflow_service.services.ports import CheckpointRepository, Clock, EventRepository, StateService
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings

log = logging.getLogger(__name__)

Changed = Execution | BlockExecution | Wait | Approval | Signal
"""A document after a transition."""

_MOST_KEPT = 10_000
"""More than this is left to the sweep when the database is away."""
_GATHERED_FOR = 2
"""Times what the last batch took."""
_LONGEST_PAUSE = timedelta(seconds=1)
_LATER = timedelta(milliseconds=300)
"""How long others have to change what is finished later."""


class _Item(NamedTuple):
    document: Changed
    at_rest: bool
    """False while the document is on its way: then its events are relayed and nothing else."""


class _Postponed(NamedTuple):
    execution: Execution
    until_s: float


class Finisher:
    """Gathers changed documents and finishes them in batches."""

    def __init__(self, stores: Stores, events: EventRepository, checkpoints: CheckpointRepository, state: StateService,
                 bus: Bus, clock: Clock, timings: Timings) -> None:
        """Finish documents of these stores."""
        self._stores = stores
        self._events = events
        self._checkpoints = checkpoints
        self._state = state
        self._bus = bus
        self._clock = clock
        self._timings = timings
        self._lock = Lock()
        self._flushing = Lock()
        self._gathered: list[_Item] = []
        self._postponed: deque[_Postponed] = deque()
        self._wanted = Flag()

    def relay(self, *documents: Changed) -> None:
        """Bring the events of documents that are still on their way to the history."""
        self._gather([_Item(document, at_rest=False) for document in documents])

    def rest(self, *documents: Changed, urgent: bool = False) -> None:
        """Finish documents about which all else has been done.

        Args:
            urgent: do not wait for the batch to fill (a park, a failure, an end).
        """
        gathered = self._gather([_Item(document, at_rest=True) for document in documents])
        if urgent or gathered >= self._timings.batch_size:
            self._wanted.set()

    def rest_later(self, execution: Execution) -> None:
        """Relay the events of an execution that is about to be sent, and finish it only if it stays as it is a while.

        They are relayed before others have anything to tell of it: relays that number one history at the same time do
        it in vain, all but one. Who changes it finishes it.
        """
        try:
            self._bus.publish(self._events.append(execution.outbox))
        except Unavailable as error:
            log.warning("%d events wait: %s", len(execution.outbox), error)
        with self._lock:
            if len(self._postponed) < _MOST_KEPT:
                self._postponed.append(_Postponed(execution, time.monotonic() + _LATER.total_seconds()))

    def run(self, stop: Flag) -> None:
        """Flush until told to stop, then once more; the body of the one finishing thread of a process.

        On a busy machine a batch takes longer than the interval, and many small ones would take the time that the
        blocks need. So it gathers for longer than the last one took; what somebody wants at once, for as long.
        """
        pause_s = least_s = self._timings.batch_interval.total_seconds()
        took_s = 0.0
        while not stop.is_set():
            if self._wanted.wait(pause_s):
                time.sleep(took_s)  # a second at most
            self._wanted.clear()
            began_s = time.monotonic()
            self._flush_whatever(until_s=began_s)
            took_s = min(time.monotonic() - began_s, _LONGEST_PAUSE.total_seconds())
            pause_s = min(max(least_s, _GATHERED_FOR * took_s), _LONGEST_PAUSE.total_seconds())
        self._flush_whatever(until_s=math.inf)

    def _flush_whatever(self, until_s: float) -> None:
        try:
            self.flush(until_s)
        except Exception:  # the thread must outlive a bug: all that it drops is found by the sweep
            log.exception("batch left to the sweep")

    def flush(self, until_s: float = math.inf) -> None:
        """Finish all that has gathered, a batch at a time; what the database does not take now is kept for later.

        Args:
            until_s: the monotonic instant up to which that counts what was postponed.
        """
        with self._flushing:
            self._take_postponed(until_s)
            while items := self._next_batch():
                try:
                    self._finish(items)
                except Unavailable as error:
                    log.warning("batch of %d not finished: %s", len(items), error)
                    self._gather(items, first=True)
                    return

    def _take_postponed(self, until_s: float) -> None:
        """Gather what was postponed and nobody has changed since."""
        executions = []
        with self._lock:
            while self._postponed and self._postponed[0].until_s <= until_s:
                executions.append(self._postponed.popleft().execution)
        if executions:
            try:
                self.rest(*self._stores.executions.unchanged(executions))
            except Unavailable as error:
                log.warning("%d executions left to the sweep: %s", len(executions), error)

    def _next_batch(self) -> list[_Item]:
        with self._lock:
            items, self._gathered = (self._gathered[:self._timings.batch_size],
                                     self._gathered[self._timings.batch_size:])
        return items

    def _gather(self, items: list[_Item], *, first: bool = False) -> int:
        """Keep items and return how many there are; what is too much is dropped, for the sweep finds it."""
        with self._lock:
            if len(self._gathered) < _MOST_KEPT:
                self._gathered = items + self._gathered if first else self._gathered + items
            return len(self._gathered)

    def _finish(self, items: Sequence[_Item]) -> None:
        events = {event.event_id: event for item in items for event in item.document.outbox}
        self._bus.publish(self._events.append(sorted(events.values(), key=lambda event: event.at)))
        rested = [item.document for item in items if item.at_rest]
        self._checkpoint([checkpoint_of(document) for document in rested
                          if isinstance(document, BlockExecution) and _is_told(document)])
        self._stores.executions.rest([self._execution_at_rest(document) for document in rested
                                      if isinstance(document, Execution)])
        self._stores.blocks.rest([blocks.at_rest(document) for document in rested
                                  if isinstance(document, BlockExecution)])
        self._stores.waits.rest([wait.at_rest(document) for document in rested if isinstance(document, Wait)])
        self._stores.approvals.rest([approvals.at_rest(document) for document in rested
                                     if isinstance(document, Approval)])
        self._stores.signals.rest([signal.at_rest(document) for document in rested if isinstance(document, Signal)])

    def _checkpoint(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Tell the State Management Service; what it does not take waits in the outbox."""
        if not checkpoints:
            return
        latest = _latest(checkpoints)
        try:
            self._state.checkpoint(latest)
        except Unavailable as error:
            log.warning("%d checkpoints wait: %s", len(latest), error)
            self._checkpoints.add(latest)
        except Invalid as error:  # it would be refused again
            log.error("%d checkpoints refused: %s", len(checkpoints), error)

    def _execution_at_rest(self, document: Execution) -> Execution:
        """Tell the State Management Service of an execution; if it is away the sweep tells it again."""
        resting = execution.at_rest(document, self._clock.now(), self._timings.lease)
        try:
            self._state.put_play(document)
        except Unavailable as error:
            log.warning("play %s waits: %s", document.execution_id, error)
            return replace(resting, due_at=self._clock.now() + self._timings.lease)
        except Invalid as error:
            log.error("play %s refused: %s", document.execution_id, error)
        return resting


def _is_told(block: BlockExecution) -> bool:
    """Say whether a block is checkpointed: not the compiler's joins, nor what has only been reset."""
    return not is_join(block.block_id) and block.status is not BlockStatus.PENDING


def _latest(checkpoints: Iterable[Checkpoint]) -> Sequence[Checkpoint]:
    """Return the latest checkpoint of each block."""
    ordered = sorted(checkpoints, key=lambda one: (one.epoch, one.fence))
    return list({(one.execution_id, one.block_id): one for one in ordered}.values())
