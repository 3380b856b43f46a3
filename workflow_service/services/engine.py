"""The engine: the use cases that run executions, put together from their ports.

It is built the same way whatever the ports are: real ones by ``bootstrap``, in-memory ones in tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from workflow_service.domain.flow import BlockKind
from workflow_service.domain.template import RetryPolicy
from workflow_service.services.admission import Admission
from workflow_service.services.approvals import Approvals
from workflow_service.services.blocks import Blocks
from workflow_service.services.bus import Bus, EventLog, Observer
from workflow_service.services.cancellation import Cancellation
from workflow_service.services.child_starts import ChildStarts
from workflow_service.services.children import Children
from workflow_service.services.claims import Claims
from workflow_service.services.closing import Closing
from workflow_service.services.counts import Counts
from workflow_service.services.deadlines import Deadlines
from workflow_service.services.durations import Durations
from workflow_service.services.executions import Executions
from workflow_service.services.finish import Finisher
from workflow_service.services.handing_back import HandingBack
from workflow_service.services.histories import Histories
from workflow_service.services.holds import Holds
from workflow_service.services.inputs import Inputs
from workflow_service.services.interventions import Interventions
from workflow_service.services.kinds.kind import Kind
from workflow_service.services.kinds.signal_wait import SignalKind
from workflow_service.services.kinds.timer import TimerKind
from workflow_service.services.leases import Leases
from workflow_service.services.permits import Permits
from workflow_service.services.plans import Plans
from workflow_service.services.ports import (
    AgentService,
    CallRates,
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
from workflow_service.services.results import Results
from workflow_service.services.sending import Sender
from workflow_service.services.signals import Signals
from workflow_service.services.standing_holds import StandingHolds
from workflow_service.services.state_changes import StateChanges
from workflow_service.services.stopping import Stopping
from workflow_service.services.stores import Stores
from workflow_service.services.sweeps import Sweeps
from workflow_service.services.template_life import TemplateLife
from workflow_service.services.template_reviews import TemplateReviews
from workflow_service.services.templates import Templates
from workflow_service.services.timings import Timings
from workflow_service.services.waits import Waits
from workflow_service.services.withdrawals import Withdrawals


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
    rates: CallRates
    clock: Clock
    monotonic: Callable[[], float]
    """Seconds from a clock that is never set."""
    draw: Callable[[], float]
    """Draws a number from [0, 1)."""
    new_id: Callable[[], str]
    owner: str
    """The name of this process in leases."""
    observers: Sequence[Observer] = ()
    counts: Counts = field(default_factory=Counts)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The use cases."""

    templates: Templates
    template_life: TemplateLife
    template_reviews: TemplateReviews
    executions: Executions
    histories: Histories
    approvals: Approvals
    signals: Signals
    holds: Holds
    standing_holds: StandingHolds
    cancellation: Cancellation
    restarts: Restarts
    interventions: Interventions
    withdrawals: Withdrawals
    blocks: Blocks
    sweeps: Sweeps
    state_changes: StateChanges
    finisher: Finisher
    leases: Leases
    handing_back: HandingBack
    counts: Counts


def build_engine(ports: Ports, timings: Timings, usual: RetryPolicy = RetryPolicy(),
                 service_workspace: str = "default") -> Engine:
    """Put the use cases together.

    Args:
        usual: the retry policy of blocks whose template says nothing of it.
        service_workspace: the workspace whose admins may hold the whole service.
    """
    stores, clock = ports.stores, ports.clock
    plans = Plans(ports.templates, usual)
    sender = Sender(stores.executions, ports.dispatcher, timings)
    bus = Bus([EventLog(), RecoveryPoints(stores, plans, ports.state, clock, timings), *ports.observers])
    finisher = Finisher(stores, ports.events, ports.checkpoints, ports.state, bus, clock, timings)
    # children are started by use cases that close executions themselves
    closing = Closing(stores, finisher, clock, lambda execution: children.ended(execution))
    claims = Claims(stores, plans, sender, closing, finisher, clock, ports.monotonic, ports.owner, timings)
    permits = Permits(stores, plans, sender, clock, timings)
    stopping = Stopping(ports.agents, ports.monotonic)
    cancellation = Cancellation(stores, plans, stopping, closing, permits, finisher, clock, timings)
    releases = Releases(stores, claims, sender, closing, cancellation, finisher, clock, timings)
    waits = Waits(stores, plans, ports.agents, sender, closing, permits, finisher, clock, timings)
    deadlines = Deadlines(stores, waits, finisher, clock, timings)
    counts = ports.counts
    leases = Leases(stores.blocks, clock, ports.monotonic, timings.lease, counts)
    handing_back = HandingBack(stores, leases, claims, sender, closing, finisher, clock, timings, counts)
    admission = Admission(stores, permits, ports.rates, closing, finisher, clock, timings)
    kinds: dict[BlockKind, Kind] = {
        BlockKind.WAIT: TimerKind(stores.waits, clock), BlockKind.WAIT_FOR: SignalKind(stores.waits, clock)}
    approvals = Approvals(stores, waits, finisher, clock)
    holds = Holds(stores, plans, approvals, deadlines, sender, closing, finisher, clock)
    standing_holds = StandingHolds(stores, ports.templates, plans, holds, closing, finisher, clock, ports.monotonic,
                                   ports.new_id, service_workspace)
    results = Results(stores, plans)
    executions = Executions(stores, ports.templates, plans, sender, finisher, standing_holds, closing, results,
                            ports.state, clock, ports.new_id, timings)
    starts = ChildStarts(stores, plans, executions, cancellation, holds, results, ports.state, clock, timings)
    children = Children(stores, plans, ports.templates, starts, waits, cancellation, closing, finisher, clock, timings)
    withdrawals = Withdrawals(stores, plans, stopping, releases, children, closing, permits, finisher, clock, timings)
    blocks = Blocks(stores, claims, releases, withdrawals, waits, Inputs(stores, ports.agents), children, admission,
                    permits, ports.agents, kinds, leases, finisher, clock, ports.monotonic, ports.draw, timings)
    restarts = Restarts(stores, ports.templates, plans, ports.agents, ports.state, releases, children, closing, holds,
                        standing_holds, permits, finisher, clock, timings)
    sweeps = Sweeps(stores, plans, claims, releases, waits, deadlines, children, approvals, executions, cancellation,
                    restarts, holds, standing_holds, withdrawals, closing, permits, sender, finisher, ports.checkpoints,
                    ports.state, clock, ports.monotonic, timings)
    return Engine(templates=Templates(ports.templates, ports.agents, clock, timings.queues), executions=executions,
                  template_life=TemplateLife(ports.templates, stores.executions),
                  template_reviews=TemplateReviews(ports.templates, ports.agents, plans, Durations(stores),
                                                   timings.queues),
                  histories=Histories(stores, ports.events, plans, clock), approvals=approvals, holds=holds,
                  signals=Signals(stores, waits, clock, ports.new_id),
                  standing_holds=standing_holds, cancellation=cancellation, restarts=restarts,
                  interventions=Interventions(stores, plans, restarts, sender, finisher, clock, timings),
                  withdrawals=withdrawals, blocks=blocks, sweeps=sweeps,
                  state_changes=StateChanges(stores, waits, ports.state), finisher=finisher, leases=leases,
                  handing_back=handing_back, counts=counts)
