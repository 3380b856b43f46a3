"""The one place where ports meet their adapters."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from redis import Redis

from workflow_service.config import Settings
from workflow_service.domain.limits import AgentLimits
from workflow_service.domain.template import RetryPolicy
from workflow_service.failpoints.arming import arm
from workflow_service.integrations.agent_service import HttpAgentService
from workflow_service.integrations.breaker import Breaker
from workflow_service.integrations.cache.agents import CachedAgents
from workflow_service.integrations.cache.redis_store import PAUSE, RedisStore
from workflow_service.integrations.cache.store import CacheStore
from workflow_service.integrations.cache.templates import CachedTemplates
from workflow_service.integrations.call_rates import CallRatesInRedis
from workflow_service.integrations.http import JsonClient
from workflow_service.integrations.state_breaker import StateBreaker
from workflow_service.integrations.state_service import HttpStateService
from workflow_service.metrics.catalogue import (
    BLOCKS_HANDED_BACK,
    BREAKER_OPEN_UNTIL,
    BREAKER_TRIPS,
    CACHE_LOOKUPS,
    LEASES_LOST,
    RESULTS_DROPPED,
)
from workflow_service.metrics.events import EventMetrics
from workflow_service.metrics.ports import WatchedAgents, WatchedDispatcher
from workflow_service.metrics.registry import Registry
from workflow_service.repositories.mongo.approvals import ApprovalsInMongo
from workflow_service.repositories.mongo.blocks import BlocksInMongo
from workflow_service.repositories.mongo.checkpoints import CheckpointsInMongo
from workflow_service.repositories.mongo.clock import StoreClock
from workflow_service.repositories.mongo.connection import Store, connect
from workflow_service.repositories.mongo.events import EventsInMongo
from workflow_service.repositories.mongo.executions import ExecutionsInMongo
from workflow_service.repositories.mongo.figures import FiguresInMongo
from workflow_service.repositories.mongo.permits import PermitsInMongo
from workflow_service.repositories.mongo.signals import SignalsInMongo
from workflow_service.repositories.mongo.standing_holds import StandingHoldsInMongo
from workflow_service.repositories.mongo.templates import TemplatesInMongo
from workflow_service.repositories.mongo.waits import WaitsInMongo
from workflow_service.services.approvals import Approvals
from workflow_service.services.counts import Count, Counts
from workflow_service.services.engine import Engine, Ports, build_engine
from workflow_service.services.executions import Executions
from workflow_service.services.figures import FigureSource
from workflow_service.services.health import Health, Probe
from workflow_service.services.ports import Dispatcher
from workflow_service.services.stores import Stores
from workflow_service.services.templates import Templates
from workflow_service.services.timings import Timings
from workflow_service.simulation.simulations import Simulations

_PROBE = timedelta(seconds=2)
"""The patience of a health check with one dependency."""
_CALLS_AT_ONCE = 256
"""Connections to the Agent Service that are kept; more threads than that connect anew for each call."""
_STATE_PAUSE = timedelta(seconds=5)
"""How long nobody asks the State Management Service after it did not answer."""


@dataclass(frozen=True, kw_only=True)
class Application:
    """The service as the edges use it."""

    settings: Settings
    engine: Engine
    health: Health
    simulations: Simulations
    metrics: Registry = field(default_factory=Registry)
    """What this process has counted."""
    figures: FigureSource | None = None
    """Counts what stands in the store; None where there is none to count in."""

    @property
    def templates(self) -> Templates:
        """The use cases of templates."""
        return self.engine.templates

    @property
    def executions(self) -> Executions:
        """The use cases of executions."""
        return self.engine.executions

    @property
    def approvals(self) -> Approvals:
        """The use cases of approvals."""
        return self.engine.approvals


def build(settings: Settings, dispatcher: Dispatcher, metrics: Registry | None = None,
          ask_broker: Probe | None = None) -> Application:
    """Put the service together on real stores and services; nothing is connected before it is used.

    Args:
        dispatcher: given by the edge, which alone knows how work is sent.
        metrics: of this process; given by the edge if it has shown them before, otherwise they begin here.
        ask_broker: asks for a sign of life; given by the edge where readiness is shown.
    """
    metrics = metrics or Registry()
    store = connect(settings.mongodb.url, max_pool_size=settings.mongodb.max_pool_size,
                    server_selection_timeout=settings.mongodb.server_selection_timeout)
    agent_client = JsonClient(settings.agent_service.base_url, service="Agent Service",
                              timeout=settings.agent_service.timeout, connections=_CALLS_AT_ONCE)
    state_client = JsonClient(settings.state_service.base_url, service="State Management Service",
                              timeout=settings.state_service.timeout)
    clock = StoreClock(store)
    checkpoints = CheckpointsInMongo(store, clock)
    cache = RedisStore(settings.redis.url, _breaker("redis_cache", PAUSE, metrics))
    ports = Ports(
        stores=_stores(store), templates=_templates(store, cache, settings, metrics), events=EventsInMongo(store),
        checkpoints=checkpoints, agents=_agents(agent_client, cache, settings, metrics),
        state=StateBreaker(HttpStateService(state_client), _breaker("state_service", _STATE_PAUSE, metrics)),
        dispatcher=WatchedDispatcher(dispatcher, metrics),
        rates=CallRatesInRedis(settings.redis.url, _breaker("redis_rates", PAUSE, metrics)),
        observers=[EventMetrics(metrics)], counts=_counts(metrics),
        clock=clock, monotonic=time.monotonic,
        draw=random.random, new_id=lambda: uuid4().hex, owner=f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}")
    ports = arm(ports, settings.workflow.failpoint)
    timings, usual = _timings(settings), RetryPolicy(max_retries=settings.workflow.retry_attempts)
    engine = build_engine(ports, timings, usual, settings.workflow.service_workspace)
    return Application(settings=settings, engine=engine, metrics=metrics,
                       simulations=Simulations(ports.templates, ports.agents, timings, usual),
                       figures=FiguresInMongo(store, checkpoints, clock, settings.workflow.lease),
                       health=Health(_probes(settings, store, agent_client, state_client, ask_broker)))


def _stores(store: Store) -> Stores:
    return Stores(executions=ExecutionsInMongo(store), blocks=BlocksInMongo(store), waits=WaitsInMongo(store),
                  approvals=ApprovalsInMongo(store), signals=SignalsInMongo(store), holds=StandingHoldsInMongo(store),
                  permits=PermitsInMongo(store))


def _templates(store: Store, cache: CacheStore, settings: Settings, metrics: Registry) -> CachedTemplates:
    return CachedTemplates(TemplatesInMongo(store), cache, settings.redis.ttl,
                           lambda kind, outcome: metrics.count(CACHE_LOOKUPS, kind, outcome))


def _agents(client: JsonClient, cache: CacheStore, settings: Settings, metrics: Registry) -> CachedAgents:
    service = HttpAgentService(client)
    return CachedAgents(WatchedAgents(service, metrics), service.fetch_agents, cache, kept_for=settings.redis.ttl,
                        watch=lambda kind, outcome: metrics.count(CACHE_LOOKUPS, kind, outcome))


def _breaker(dependency: str, pause: timedelta, metrics: Registry) -> Breaker:
    def tell(pause: timedelta) -> None:
        metrics.count(BREAKER_TRIPS, dependency)
        metrics.set(BREAKER_OPEN_UNTIL, time.time() + pause.total_seconds(), dependency)
    return Breaker(pause, tell=tell)


def _counts(metrics: Registry) -> Counts:
    return Counts(leases_lost=Count(lambda: metrics.count(LEASES_LOST)),
                  results_dropped=Count(lambda: metrics.count(RESULTS_DROPPED)),
                  blocks_handed_back=Count(lambda: metrics.count(BLOCKS_HANDED_BACK)))


def _timings(settings: Settings) -> Timings:
    workflow = settings.workflow
    return Timings(
        lease=workflow.lease, batch_interval=workflow.batch_interval, batch_size=workflow.batch_size,
        in_place_budget=workflow.in_place_budget, max_lost_leases=workflow.max_lost_leases,
        agent_timeout=settings.agent_service.timeout, execution_timeout=workflow.default_timeout,
        approval_timeout=settings.human_in_loop.approval_timeout,
        recovery_point_interval=workflow.recovery_point_interval, max_parallel_blocks=workflow.max_parallel_blocks,
        agent_limits=AgentLimits(agents=settings.limits.agents, default=settings.limits.default),
        queues=workflow.queues)


def _probes(settings: Settings, store: Store, agents: JsonClient, state: JsonClient,
            ask_broker: Probe | None) -> Mapping[str, Probe]:
    redis = Redis.from_url(settings.redis.url, socket_timeout=_PROBE.total_seconds(),
                           socket_connect_timeout=_PROBE.total_seconds())
    # a broker that is the Redis above needs no name of its own
    is_apart = settings.celery.broker_url != settings.redis.url
    broker: Mapping[str, Probe] = {"broker": ask_broker} if ask_broker is not None and is_apart else {}
    return {"mongodb": store.ping, "redis": redis.ping, **broker,
            "agent_service": lambda: agents.call("GET", "/health", timeout=_PROBE),
            "state_service": lambda: state.call("GET", "/health", timeout=_PROBE)}
