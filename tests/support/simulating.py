"""Simulating templates in tests: no registry, all the time there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from threading import enumerate as running_threads
from typing import Any

from tests.support.builders import a_block_document, a_template_document
from workflow_service.domain.agents import Agent
from workflow_service.domain.users import User
from workflow_service.integrations.memory.agents import InMemoryAgentService
from workflow_service.integrations.memory.work import InMemoryAgent
from workflow_service.repositories.memory.templates import TemplatesInMemory
from workflow_service.simulation.limits import Limits
from workflow_service.simulation.simulations import Simulations
from workflow_service.simulation.turns import Worker

ADA = User(name="ada", role="admin", workspace_id="acme")
PATIENT = Limits(real_time=timedelta(minutes=2))
"""So that a busy machine changes no result."""


def simulations(*agents: Agent, limits: Limits = PATIENT) -> Simulations:
    """Return simulations without stored templates.

    Args:
        agents: the registry; without any there is none.
    """
    service = InMemoryAgentService(InMemoryAgent(agent=agent, work=dict) for agent in agents)
    service.set_available(bool(agents))
    return Simulations(TemplatesInMemory(), service, limits=limits)


def simulated(*blocks: Mapping[str, Any], settings: Mapping[str, Any] | None = None,
              limits: Limits = PATIENT, **directives: Any) -> dict[str, Any]:
    """Return what comes of a template of these blocks.

    Args:
        settings: the global settings of the template.
    """
    document = a_template_document(*blocks, globalSettings=settings or {})
    return simulations(limits=limits).simulate_given(ADA, {"template": document, **directives})


def a_gate_document(block_id: str, *dependencies: str, gate: Mapping[str, Any] | None = None,
                    **fields: Any) -> dict[str, Any]:
    """Return a block before which a person is asked."""
    return a_block_document(block_id, *dependencies, humanInLoop={"required": True, **(gate or {})}, **fields)


def path(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the blocks that began, and how they ended."""
    return [(step["blockId"], step["status"]) for step in told["path"]]


def step(told: Mapping[str, Any], block_id: str) -> Mapping[str, Any]:
    """Return one block that began."""
    found: Mapping[str, Any] = next(one for one in told["path"] if one["blockId"] == block_id)
    return found


def most_at_once(told: Mapping[str, Any]) -> int:
    """Return how many blocks ran at once, by the instants at which they began and ended."""
    return max(len([other for other in told["path"] if other["startedAt"] <= one["startedAt"] < other["completedAt"]])
               for one in told["path"])


def sentences(told: Mapping[str, Any], *types: str) -> Iterable[str]:
    """Return what the events of these types say, in order."""
    return [event["message"] for event in told["timeline"] if event["type"] in types]


def threads_left() -> list[Worker]:
    """Return the threads of simulations that have not ended."""
    return [thread for thread in running_threads() if isinstance(thread, Worker)]
