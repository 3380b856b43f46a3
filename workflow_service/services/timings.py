"""The durations and limits that the engine works with, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from workflow_service.domain.limits import AgentLimits
from workflow_service.domain.routing import USUAL_QUEUE


@dataclass(frozen=True, kw_only=True)
class Timings:
    """Durations and limits; the defaults are those of ``config/default.yml``."""

    lease: timedelta = timedelta(seconds=30)
    """How long a claim holds without a sign of life."""
    batch_interval: timedelta = timedelta(milliseconds=50)
    """How long events and checkpoints may gather before they are sent."""
    batch_size: int = 100
    """How many of them are sent at once."""
    in_place_budget: timedelta = timedelta(seconds=5)
    """How long one task goes on with the next block of its run."""
    max_lost_leases: int = 5
    """A block whose owner vanished more often than this fails: it is what kills its workers."""
    agent_timeout: timedelta = timedelta(seconds=60)
    """For one attempt of a block that does not say."""
    agent_patience: timedelta = timedelta(hours=24)
    """For an agent that took the work and answers later, in a block that does not say."""
    execution_timeout: timedelta = timedelta(minutes=5)
    """For an execution whose template does not say."""
    approval_timeout: timedelta = timedelta(hours=24)
    """Until a request that does not say is escalated."""
    recovery_point_interval: timedelta = timedelta(minutes=1)
    max_parallel_blocks: int = 10
    """Of one execution, if its template does not say."""
    agent_limits: AgentLimits = AgentLimits()
    """Of each agent, across all executions."""
    queues: tuple[str, ...] = (USUAL_QUEUE,)
    """Those that a template may name."""
