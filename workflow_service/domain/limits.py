"""Limits that operators set: how much agents are given to do at once and in a minute, whatever asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class AgentLimit:
    """The limit of one agent, across all workers and workspaces."""

    max_concurrent: int | None = None
    """How many blocks it is at work on at once; None for any number."""
    rate_per_minute: int | None = None
    """How many calls of it start within any minute; None for any number."""

    @property
    def is_none(self) -> bool:
        """True when it limits nothing."""
        return self.max_concurrent is None and self.rate_per_minute is None


@dataclass(frozen=True, kw_only=True)
class AgentLimits:
    """The limits of all agents."""

    agents: Mapping[str, AgentLimit] = field(default_factory=dict)
    """By agent; each counts alone, without what the default says."""
    default: AgentLimit = AgentLimit()
    """That of each agent that is not named."""

    def of(self, agent_id: str | None) -> AgentLimit:
        """Return the limit of an agent; None is for what no agent does."""
        return AgentLimit() if agent_id is None else self.agents.get(agent_id, self.default)
