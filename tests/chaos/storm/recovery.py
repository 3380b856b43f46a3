"""How long work stood still after a fault.

**Affected** by a fault are, as the store has it right before the fault is injected:

- for ``kill_child``, ``kill_worker`` and ``freeze_worker``: the blocks that were ``running`` in a process that was hit
  (the owner of a lease names its process);
- for every other fault but ``kill_web``: all blocks that were ``ready`` or ``running``;
- for ``kill_web``: none, since no block needs the API.

The **recovery time** of an affected block is the time from the injection of the fault until the block's next event,
whatever it is: claimed again, ended, parked, to be retried. It holds the time for which the thing itself was away, the
rest of the lease, the sweep, the message and the queue, and for blocks that went on unharmed simply the rest of
their work, so it is an upper bound. It is also given from the moment when the thing served again.

The instant of an event is taken by its writer, right before it is written: a block whose agent answers while the
database is away counts with the instant of the answer, although it is stored later.

Not counted are blocks whose next event came before the thing was hit, and blocks of executions into which an operator
stepped in the 5 s before the fault or until they went on: those may stand still because they were told to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from tests.chaos.storm.log import Blow, Log
from tests.chaos.storm.store import AtWork
from workflow_service.domain.events import Event

OF_A_WORKER = frozenset({"kill_child", "kill_worker", "freeze_worker"})
_OPERATORS_TIME = timedelta(seconds=5)
"""Longer than a pause lasts in a storm."""
OF_NO_BLOCK = frozenset({"kill_web"})
History = Mapping[str, Sequence[Event]]
"""The events of a block execution, by its id, in order."""


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """One affected block that went on."""

    kind: str
    """Of the fault."""
    source: str
    took: timedelta
    """From the injection of the fault."""
    took_after: timedelta
    """From when the thing served again; nothing if the block went on before that."""


def recoveries(log: Log, history: History) -> Iterator[Recovery]:
    """Yield the recovery of each affected block."""
    for blow in log.blows:
        for block in affected(blow):
            went_on = _next_event(history.get(block.source, ()), block.version)
            if went_on is None or went_on < blow.at or _stepped_in(log, block, blow.at - _OPERATORS_TIME, went_on):
                continue
            took = went_on - blow.at
            yield Recovery(kind=blow.kind, source=block.source, took=took,
                           took_after=max(took - timedelta(seconds=blow.seconds), timedelta(0)))


def affected(blow: Blow) -> Iterator[AtWork]:
    """Yield the blocks that a fault affects."""
    if blow.kind in OF_NO_BLOCK:
        return
    for block in blow.at_work:
        if blow.kind not in OF_A_WORKER or block.owner_pid in blow.struck:
            yield block


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[max(ceil(share * len(ordered)) - 1, 0)]


def _next_event(events: Sequence[Event], version: int) -> datetime | None:
    return next((event.at for event in events if event.version > version), None)


def _stepped_in(log: Log, block: AtWork, since: datetime, until: datetime) -> bool:
    """Say whether an operator may have done something to the execution of a block in this time."""
    return any(command.execution_id == block.execution_id and since <= command.at <= until
               and not 400 <= command.status < 500 for command in log.commands)
