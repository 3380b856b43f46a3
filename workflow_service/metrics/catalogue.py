"""All metrics as a list: what is made of it, and what ``docs/metrics.md`` shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

PREFIX = "workflow_"
"""Begins the name of each metric."""


class Kind(StrEnum):
    """How a metric moves."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Scope(StrEnum):
    """What a metric is about."""

    PROCESS = "process"
    """What one process did: add up all processes."""
    STORE = "store"
    """What stands in the store: each web process says the same, so take the largest."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric."""

    name: str
    """As Prometheus has it; a counter's ends in ``_total``."""
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    scope: Scope = Scope.PROCESS
    buckets: tuple[float, ...] = ()
    """Upper bounds in seconds, of a histogram."""


_QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SLOW = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


def _counter(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name=f"{PREFIX}{name}_total", kind=Kind.COUNTER, meaning=meaning, labels=labels)


def _histogram(name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Metric:
    return Metric(name=f"{PREFIX}{name}_seconds", kind=Kind.HISTOGRAM, meaning=meaning, labels=labels, buckets=buckets)


def _figure(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name=PREFIX + name, kind=Kind.GAUGE, meaning=meaning, labels=labels, scope=Scope.STORE)


REQUESTS = _counter("http_requests", "Requests that the API answered.", "endpoint", "method", "status")
REQUEST_DURATION = _histogram(
    "http_request_duration", "From a request to the head of its answer.", _QUICK, "endpoint", "method")
BLOCKS = _counter("blocks", "What became of blocks; each event of the history is counted once, by whoever stored it.",
                  "outcome")
BLOCK_DURATION = _histogram(
    "block_duration", "From the claim of a block to what became of it, where one process saw both.", _SLOW, "outcome")
EXECUTIONS_STARTED = _counter("executions_started", "Executions that were started.")
EXECUTIONS_ENDED = _counter("executions_ended", "Executions that ended; a restart lets one end again.", "status")
APPROVALS = _counter("approvals", "What became of requests to people.", "outcome")
AGENT_CALLS = _histogram(
    "agent_call_duration", "Calls of agents, by completed, accepted, or the class of their failure.", _SLOW, "outcome")
LEASES_LOST = _counter("leases_lost", "Blocks that somebody else got while this process worked on them.")
RESULTS_DROPPED = _counter("results_dropped", "Outcomes that came when the block was no longer this process's.")
BLOCKS_HANDED_BACK = _counter("blocks_handed_back", "Blocks that others were given because this process had to end.")
PUBLISHES = _counter("publishes", "Dispatches to the broker, by sent or failed; the sweep sends again what failed.",
                     "result")
SWEEP_DURATION = _histogram("sweep_duration", "Sweeps, by what they look for.", _QUICK, "sweep")
SWEEP_DOCUMENTS = _counter("sweep_documents", "Documents that sweeps had to look at.", "sweep")
SWEEPS_FAILED = _counter("sweeps_failed", "Sweeps that were left to the next, as a store or service was away.", "sweep")
CACHE_LOOKUPS = _counter(
    "cache_lookups", "Looks into Redis for agents or templates: hit, miss, stale (older than it may be), wrong (not to "
    "be read, or another's) or away (Redis does not answer, or was not asked as it did not lately).",
    "kind", "outcome")
BREAKER_TRIPS = _counter("breaker_trips", "How often a dependency did not answer and was left alone for a while.",
                         "dependency")
BREAKER_OPEN_UNTIL = Metric(
    name=f"{PREFIX}breaker_open_until_seconds", kind=Kind.GAUGE, labels=("dependency",),
    meaning="The Unix time until which a dependency is left alone: it is now if that is greater than time().")

EXECUTIONS = _figure("executions", "Executions that have not ended, by status.", "status")
BLOCKS_ON_THEIR_WAY = _figure("blocks_on_their_way", "Blocks that are ready, running, or wait for a retry.", "status")
OLDEST_READY = _figure(
    "oldest_ready_block_age_seconds", "For how long the oldest ready block has not been claimed; 0 if there is none. "
    "Blocks of paused executions count as well. From the sweeps' notes: late by one interval, twice as long at most.")
DUE = _figure("due_documents", "Documents that the sweep is to look at now, by kind.", "kind")
PARKED = _figure("parked_blocks", "Blocks that wait for a person or an agent and hold no worker.", "kind")
PERMIT_WAITS = _figure("permit_waits", "Blocks that wait until others leave their critical section or their agent, "
                       "by what is limited.", "kind")
APPROVALS_PENDING = _figure("approvals_pending", "Requests that wait for a person.")
APPROVALS_OVERDUE = _figure("approvals_overdue", "Requests that a person has let wait too long.")
CHECKPOINTS_WAITING = _figure("checkpoints_waiting", "Checkpoints the State Management Service has not taken yet.")
CHECKPOINT_LAG = _figure("checkpoint_lag_seconds", "For how long the oldest of them has waited; 0 if there is none.")
OUTBOX_LAG = _figure("event_outbox_lag_seconds", "Age of the oldest event of a block that is not known to be in the "
                     "history; 0 if there is none.")
FIGURES_UP = _figure("figures_up", "1 if the store gave these figures in time; if 0, the others of the store are "
                     "missing.")

CATALOGUE = (
    REQUESTS, REQUEST_DURATION, BLOCKS, BLOCK_DURATION, EXECUTIONS_STARTED, EXECUTIONS_ENDED, APPROVALS, AGENT_CALLS,
    LEASES_LOST, RESULTS_DROPPED, BLOCKS_HANDED_BACK, PUBLISHES, SWEEP_DURATION, SWEEP_DOCUMENTS, SWEEPS_FAILED,
    CACHE_LOOKUPS, BREAKER_TRIPS, BREAKER_OPEN_UNTIL,
    EXECUTIONS, BLOCKS_ON_THEIR_WAY, OLDEST_READY, DUE, PARKED, PERMIT_WAITS, APPROVALS_PENDING, APPROVALS_OVERDUE,
    CHECKPOINTS_WAITING, CHECKPOINT_LAG, OUTBOX_LAG, FIGURES_UP)
"""Every metric, in the order of the document."""
VALUES: Mapping[str, tuple[str, ...]] = {
    BLOCKS.name: ("claimed", "taken_over", "completed", "supplied", "failed", "rejected", "skipped", "cancelled",
                  "parked", "retried", "handed_back", "held", "no_slot", "no_permit",
                  "rate_limited", "reset"),
    EXECUTIONS_ENDED.name: ("completed", "failed", "cancelled"),
    APPROVALS.name: ("requested", "responded", "timeout", "postponed", "cancelled", "superseded", "expired"),
    PUBLISHES.name: ("sent", "failed"),
}
"""The values of labels that are there from the start, at 0: a rate needs a first value."""
