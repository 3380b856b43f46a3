"""The engine: the use cases that run executions, put together from their ports.

It is built the same way whatever the ports are: real ones by ``bootstrap``, in-memory ones in tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workflow_service.domain.template import RetryPolicy
from workflow_service.services.approvals import Approvals
from workflow_service.services.blocks import Blocks
from workflow_service.services.bus import Bus, EventLog, Observer
from workflow_service.services.cancellation import Cancellation
from workflow_service.services.claims import Claims
from workflow_service.services.closing import Closing
from workflow_service.services.executions import Executions
from workflow_service.services.finish import Finisher
from workflow_service.services.holds import Holds
from workflow_service.services.inputs import Inputs
from workflow_service.services.leases import Leases
from workflow_service.services.plans import Plans
from workflow_service.services.ports import (
    AgentService,
    CheckpointRepository,
    Clock,
    Dispatcher,
    EventRepository,
    StateService,
    TemplateRepository,
)
from workflow_service.services.recovery_points import RecoveryPoints
from workflow_service.services.releases import Releases
from workflow_service.services.restarts import Restarts
from workflow_service.services.sending import Sender
from workflow_service.services.state_changes import StateChanges
from workflow_service.services.stores import Stores
from workflow_service.services.sweeps import Sweeps
from workflow_service.services.templates import Templates
from workflow_service.services.timings import Timings
from workflow_service.services.waits import Waits


@dataclass(frozen=True, kw_only=True)
class Ports:
    """All that the engine needs from outside."""

    stores: Stores
    templates: TemplateRepository
    events: EventRepository
    checkpoints: CheckpointRepository
    agents: AgentService
    state: StateService
    dispatcher: Dispatcher
    clock: Clock
    monotonic: Callable[[], float]
    """Seconds from a clock that is never set."""
    draw: Callable[[], float]
    """Draws a number from [0, 1)."""
    new_id: Callable[[], str]
    owner: str
    """The name of this process in leases."""
    observers: Sequence[Observer] = ()


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The use cases."""

    templates: Templates
    executions: Executions
    approvals: Approvals
    holds: Holds
    cancellation: Cancellation
    restarts: Restarts
    blocks: Blocks
    sweeps: Sweeps
    state_changes: StateChanges
    finisher: Finisher
    leases: Leases


def build_engine(ports: Ports, timings: Timings, usual: RetryPolicy = RetryPolicy()) -> Engine:
    """Put the use cases together.

    Args:
        usual: the retry policy of blocks whose template says nothing of it.
    """
    stores, clock = ports.stores, ports.clock
    plans = Plans(ports.templates, usual)
    sender = Sender(stores.executions, ports.dispatcher, timings)
    bus = Bus([EventLog(), RecoveryPoints(stores, plans, ports.state, clock, timings), *ports.observers])
    finisher = Finisher(stores, ports.events, ports.checkpoints, ports.state, bus, clock, timings)
    closing = Closing(stores, finisher, clock)
    claims = Claims(stores, plans, sender, closing, finisher, clock, ports.monotonic, ports.owner, timings)
    releases = Releases(stores, claims, sender, closing, finisher, clock, timings)
    waits = Waits(stores, plans, ports.agents, sender, closing, finisher, clock, timings)
    leases = Leases(stores.blocks, clock, ports.monotonic, timings.lease)
    blocks = Blocks(stores, claims, releases, waits, Inputs(stores, ports.agents), ports.agents, leases,
                    finisher, clock, ports.monotonic, ports.draw, timings)
    executions = Executions(stores, ports.templates, plans, sender, finisher, ports.state, clock, ports.new_id, timings)
    holds = Holds(stores, plans, sender, closing, finisher, clock)
    approvals = Approvals(stores, waits, finisher, clock)
    cancellation = Cancellation(stores, plans, closing, finisher, clock, timings)
    restarts = Restarts(stores, plans, ports.agents, releases, closing, holds, finisher, clock, timings)
    sweeps = Sweeps(stores, plans, claims, releases, waits, approvals, executions, cancellation, restarts, closing,
                    sender, finisher, ports.checkpoints, ports.state, clock, ports.monotonic, timings)
    return Engine(templates=Templates(ports.templates, ports.agents, clock), executions=executions,
                  approvals=approvals, holds=holds, cancellation=cancellation, restarts=restarts, blocks=blocks,
                  sweeps=sweeps, state_changes=StateChanges(stores, waits, ports.state), finisher=finisher,
                  leases=leases)
