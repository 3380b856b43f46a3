"""The registry of agents before which a cache stands, shared by all processes.

Each process believes what it knows for a few seconds, and so does the shared cache: an agent that was registered,
changed or removed is noticed by everybody within the sum of both. A call that fails because there is no such agent
makes this process, and whoever asks after it, look at once. Nothing is decided by the registry alone: it checks
templates and inputs early, and the Agent Service itself has the last word in each call.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from workflow_service.domain.agents import Agent, AgentAnswer, AgentCall, Failure
from workflow_service.domain.errors import Unavailable
from workflow_service.integrations import json_text
from workflow_service.integrations.agent_answers import UnusableRegistry, agents_of
from workflow_service.integrations.cache.store import Away, CacheStore, Outcome, Watch
from workflow_service.integrations.cached import Cached
from workflow_service.services.ports import AgentService

log = logging.getLogger(__name__)

KEY = "workflow:agents"
"""Where the registry is kept. Agents belong to no workspace, so its name has none."""
NOT_FOUND = "agent_not_found"
"""What the Agent Service says of an agent that it does not have."""
_SCHEMA = 1
_KIND = "agents"
_LATEST = timedelta(seconds=2)
"""A registry from further in the future was written by a clock that can't be trusted."""
_LONGEST = timedelta(minutes=1)
"""For how long a call for an agent that is not there may make everybody look again: once in this time for each."""
_MOST_MISSED = 1_000


def _now() -> datetime:
    return datetime.now(UTC)


class CachedAgents:
    """Implements ``ports.AgentService`` by another one, a cache that is shared, and a memory of its own."""

    def __init__(self, agents: AgentService, fetch: Callable[[], Sequence[Agent]], cache: CacheStore, *,
                 kept_for: timedelta, watch: Watch, fresh_for: timedelta = timedelta(seconds=5),
                 monotonic: Callable[[], float] = time.monotonic, now: Callable[[], datetime] = _now) -> None:
        """Stand before the service.

        Args:
            agents: does all but give the registry.
            fetch: gives the registry as it is now, or raises Unavailable.
            kept_for: how long the shared registry is kept; it is used after its time while the service is away.
            watch: is told how each look ended.
            fresh_for: how long the shared registry, and after that what this process knows of it, is believed.
            monotonic: seconds from a clock that is never set.
            now: the time by which processes tell how old the shared registry is.
        """
        self._agents = agents
        self._fetch = fetch
        self._cache = cache
        self._kept_for = kept_for
        self._fresh_for = fresh_for
        self._watch = watch
        self._monotonic = monotonic
        self._now = now
        self._missed: dict[str, float] = {}
        self._known = self._nothing_known()

    def agents(self) -> Sequence[Agent]:
        """Return the registry. Raises errors.Unavailable."""
        return self._known.get()

    def run(self, call: AgentCall) -> AgentAnswer:
        """Let an agent do a block; if there is no such agent, what is known of the registry is forgotten."""
        answer = self._agents.run(call)
        if isinstance(answer, Failure) and answer.code == NOT_FOUND and self._is_news(call.agent_id):
            self.forget()
        return answer

    def result(self, agent_id: str, idempotency_key: str) -> AgentAnswer:
        """Ask for the result of a call that was accepted."""
        return self._agents.result(agent_id, idempotency_key)

    def stop(self, agent_id: str, idempotency_key: str) -> bool:
        """Stop a call, or see to it that it never starts."""
        return self._agents.stop(agent_id, idempotency_key)

    def forget(self) -> None:
        """Look at the service itself next time."""
        try:
            self._cache.delete(KEY)
        except Away:
            log.debug("registry not taken out of the cache")
        self._known = self._nothing_known()

    def _nothing_known(self) -> Cached[Sequence[Agent]]:
        return Cached(self._shared, ttl=self._fresh_for, now=self._monotonic)

    def _is_news(self, agent_id: str) -> bool:
        """Say whether an agent is missed for the first time in a while: a template that names one that never was must
        not keep everybody fetching.
        """
        now_s = self._monotonic()
        if now_s - self._missed.get(agent_id, float("-inf")) < _LONGEST.total_seconds():
            return False
        if len(self._missed) >= _MOST_MISSED:
            self._missed.clear()
        self._missed[agent_id] = now_s
        return True

    def _shared(self) -> Sequence[Agent]:
        """Return the shared registry, or fetch and share it; while the service is away an older one is better."""
        kept, at = self._look()
        if kept is not None and self._now() - at < self._fresh_for:
            return kept
        try:
            fetched = self._fetch()
        except Unavailable:
            if kept is None:
                raise
            return kept
        self._share(fetched)
        return fetched

    def _look(self) -> tuple[Sequence[Agent] | None, datetime]:
        now = self._now()
        try:
            text = self._cache.read(KEY)
        except Away:
            self._watch(_KIND, Outcome.AWAY)
            return None, now
        found = None if text is None else _decoded(text)
        if found is None or found[1] > now + _LATEST:
            self._watch(_KIND, Outcome.MISS if text is None else Outcome.WRONG)
            return None, now
        self._watch(_KIND, Outcome.HIT if now - found[1] < self._fresh_for else Outcome.STALE)
        return found

    def _share(self, agents: Sequence[Agent]) -> None:
        try:
            self._cache.write(KEY, _encoded(agents, self._now()), self._kept_for)
        except (Away, ValueError):
            log.debug("registry not shared")


def _encoded(agents: Sequence[Agent], at: datetime) -> bytes:
    entries = [{"agentId": agent.agent_id, "name": agent.name, "type": agent.type, "toolTypes": agent.tool_types,
                "capabilities": agent.capabilities, "status": agent.status, "inputSchema": agent.input_schema,
                "outputSchema": agent.output_schema}
               for agent in agents]
    return json_text.encode({"schema": _SCHEMA, "at": at.isoformat(), "agents": entries})


def _decoded(text: bytes) -> tuple[Sequence[Agent], datetime] | None:
    """Return the registry and when it was fetched; None if it is not to be read."""
    try:
        kept: Any = json_text.decode(text)
        at = datetime.fromisoformat(kept["at"])
        agents, wrong = agents_of(kept)
        return None if kept["schema"] != _SCHEMA or wrong or at.tzinfo is None else (agents, at)
    except (ValueError, TypeError, KeyError, IndexError, UnusableRegistry):
        return None
