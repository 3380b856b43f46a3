"""Limits of agents as settings: mappings in the file, JSON in the environment."""

from __future__ import annotations

import json
from collections.abc import Mapping

from workflow_service.config.kinds import shortened
from workflow_service.domain.ids import is_id
from workflow_service.domain.limits import AgentLimit

_MOST_AT_ONCE = 100_000
_MOST_PER_MINUTE = 100_000
_WORDS: Mapping[str, int] = {"maxConcurrent": _MOST_AT_ONCE, "ratePerMinute": _MOST_PER_MINUTE}
_ALLOWED = (f"maxConcurrent (1 to {_MOST_AT_ONCE}) and ratePerMinute (1 to {_MOST_PER_MINUTE}), "
            "each a whole number or left out")


class OneLimit:
    """The limit of one agent."""

    @property
    def allowed(self) -> str:
        """What it may say."""
        return f"an object with {_ALLOWED}"

    def read(self, given: object) -> AgentLimit:
        """Return the limit."""
        return _limit(_mapping(given))

    def show(self, given: object) -> str:
        """Show it as it is."""
        return shortened(given)


class LimitsByAgent:
    """The limits of some agents."""

    @property
    def allowed(self) -> str:
        """What it may say."""
        return f"an object that gives for ids of agents objects with {_ALLOWED}"

    def read(self, given: object) -> Mapping[str, AgentLimit]:
        """Return the limits by agent."""
        limits = _mapping(given)
        if not all(is_id(agent_id) for agent_id in limits):
            raise ValueError("not only ids of agents")
        return {agent_id: _limit(_mapping(limit)) for agent_id, limit in limits.items()}

    def show(self, given: object) -> str:
        """Show them as they are."""
        return shortened(given)


def _mapping(given: object) -> Mapping[str, object]:
    try:
        found = json.loads(given) if isinstance(given, str) else given
    except RecursionError as error:
        raise ValueError("not JSON of any use") from error
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _limit(said: Mapping[str, object]) -> AgentLimit:
    for word, value in said.items():
        if word not in _WORDS or type(value) is not int or not 1 <= value <= _WORDS[word]:
            raise ValueError("not such a limit")
    at_once, per_minute = said.get("maxConcurrent"), said.get("ratePerMinute")
    return AgentLimit(max_concurrent=at_once if isinstance(at_once, int) else None,
                      rate_per_minute=per_minute if isinstance(per_minute, int) else None)
