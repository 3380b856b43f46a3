"""Simulations: trying a template without running anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from workflow_service.domain.agents import Agent
from workflow_service.domain.errors import Invalid, InvalidTemplate, Unavailable
from workflow_service.domain.template import Block, RetryPolicy
from workflow_service.domain.template_parsing import parse_template
from workflow_service.domain.template_status import TemplateStatus
from workflow_service.domain.users import User
from workflow_service.repositories.memory.clock import SystemClock
from workflow_service.services.ports import AgentService, StoredTemplate, TemplateRepository
from workflow_service.services.templates import Templates, stored_template
from workflow_service.services.timings import Timings
from workflow_service.simulation.checking import name_issues
from workflow_service.simulation.directive_parsing import parse_directives
from workflow_service.simulation.directives import START
from workflow_service.simulation.limits import CutShort, Limits
from workflow_service.simulation.simulator import Scene, Simulator
from workflow_service.simulation.templates import TemplatesToTry, reachable
from workflow_service.simulation.views import simulation_view


class Simulations:
    """Simulates templates; nothing is stored, sent or called."""

    def __init__(self, templates: TemplateRepository, agents: AgentService, timings: Timings = Timings(),
                 usual: RetryPolicy = RetryPolicy(), limits: Limits = Limits()) -> None:
        """Read templates from this repository, and what agents take and give from this registry.

        Args:
            usual: the retry policy of blocks whose template says nothing of it.
        """
        self._templates = templates
        self._agents = agents
        self._timings = timings
        self._usual = usual
        self._limits = limits

    def simulate(self, user: User, template_id: str, version: str | None, directives: Any) -> dict[str, Any]:
        """Simulate a stored version, the latest if none is named, also one that is a draft or archived.

        Args:
            directives: follow ``directive_schema.DIRECTIVES_SCHEMA``.

        Raises:
            NotFound: the workspace has no such template or version.
            Invalid: the directives break their rules.
            UnfitInput: the input does not fit the template's schema.
        """
        return self._run(stored_template(self._templates, user, template_id, version), directives)

    def simulate_given(self, user: User, whole: Mapping[str, Any]) -> dict[str, Any]:
        """Simulate a template that need not be stored; what else it runs is read from those that are.

        Args:
            whole: the directives, and among them the ``template``.

        Raises:
            InvalidTemplate: the template breaks its rules.
            Invalid: the directives break their rules.
            UnfitInput: the input does not fit the template's schema.
        """
        document = whole.get("template")
        issues = Templates(self._templates, self._agents, SystemClock()).issues(document)
        if issues:
            raise InvalidTemplate("The template breaks its rules.", [
                replace(issue, path=f"template.{issue.path}".rstrip(".")) for issue in issues])
        stored = StoredTemplate(workspace_id=user.workspace_id, document=document or {},
                                created_by=user.name, created_at=START, updated_at=START)
        return self._run(stored, {name: said for name, said in whole.items() if name != "template"})

    def _run(self, stored: StoredTemplate, told: Any) -> dict[str, Any]:
        directives = parse_directives(told)
        tried = replace(stored, status=TemplateStatus.PUBLISHED)
        templates = TemplatesToTry(tried, self._templates)
        found = reachable(templates, stored.workspace_id, parse_template(stored.document, self._usual))
        blocks = [block for template in found for block in template.blocks]
        issues = tuple(name_issues(directives, blocks))
        if issues:
            raise Invalid("The directives do not fit what is simulated.", issues)
        simulator = Simulator(Scene(template=tried, templates=templates, blocks=blocks, agents=self._known(blocks),
                                    directives=directives, timings=self._timings, usual=self._usual,
                                    limits=self._limits))
        cut_short = None
        try:
            simulator.run()
        except CutShort as limit:
            cut_short = str(limit)
        return simulation_view(simulator, simulator.execution, cut_short)

    def _known(self, blocks: Iterable[Block]) -> Sequence[Agent]:
        """Return the agents of the blocks; one that the registry does not have takes and gives anything."""
        try:
            registry = {agent.agent_id: agent for agent in self._agents.agents()}
        except Unavailable:
            registry = {}
        tools: dict[str, set[str]] = {}
        for block in blocks:
            if block.agent_id is not None:
                tools.setdefault(block.agent_id, set()).add(block.tool_type)
        return [registry.get(name) or Agent(agent_id=name, name=name, type="simulated", tool_types=tuple(sorted(used)))
                for name, used in tools.items()]
