"""Looks at stored templates that change nothing: what differs, what would be wrong now, in what order it would run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

from workflow_service.domain.agents import Agent
from workflow_service.domain.errors import Issue, WorkflowServiceError
from workflow_service.domain.plan_outline import PlanOutline, outline
from workflow_service.domain.readiness import availability_issue, readiness_issues
from workflow_service.domain.routing import USUAL_QUEUE
from workflow_service.domain.routing_validation import queue_issues
from workflow_service.domain.template import Document, Template
from workflow_service.domain.template_diff import TemplateDiff, template_diff
from workflow_service.domain.template_order import in_order
from workflow_service.domain.template_parsing import parse_template
from workflow_service.domain.template_schema import TEMPLATE_SCHEMA
from workflow_service.domain.users import User
from workflow_service.domain.validation import template_issues
from workflow_service.services.durations import Durations
from workflow_service.services.plans import Plans
from workflow_service.services.ports import AgentService, TemplateRepository
from workflow_service.services.schemas import schema_issues
from workflow_service.services.startable import template_to_start
from workflow_service.services.static_inputs import static_input_issues
from workflow_service.services.templates import stored_template


@dataclass(frozen=True, kw_only=True)
class ComparedVersions:
    """Two versions of a template and what differs."""

    template_id: str
    old: str
    new: str
    diff: TemplateDiff


@dataclass(frozen=True, kw_only=True)
class PlannedVersion:
    """A version of a template and the outline of its plan."""

    template: Template
    outline: PlanOutline

    @property
    def block_count(self) -> int:
        """How many blocks the template has."""
        return len(self.template.blocks)

    @property
    def estimated_duration_ms(self) -> int | None:
        """The estimated duration in whole milliseconds; None if it is not known."""
        estimate = self.outline.estimated_duration
        return None if estimate is None else estimate // timedelta(milliseconds=1)


class TemplateReviews:
    """Compares, validates, plans and writes out templates."""

    def __init__(self, templates: TemplateRepository, agents: AgentService, plans: Plans,
                 durations: Durations, queues: Sequence[str] = (USUAL_QUEUE,)) -> None:
        """Read templates from this repository and check them against this registry.

        Args:
            queues: those that a template may name.
        """
        self._durations = durations
        self._templates = templates
        self._agents = agents
        self._plans = plans
        self._queues = queues

    def compare(self, user: User, template_id: str, old: str, new: str | None = None) -> ComparedVersions:
        """Return what differs between two versions; the newer one is the latest if none is named.

        Raises:
            NotFound: the workspace has no such template or version.
        """
        before = stored_template(self._templates, user, template_id, old)
        after = stored_template(self._templates, user, template_id, new)
        return ComparedVersions(template_id=template_id, old=old, new=str(after.document["version"]),
                                diff=template_diff(before.document, after.document))

    def validate(self, user: User, template_id: str, version: str | None = None) -> Sequence[Issue]:
        """Return what keeps a stored version, the latest if none is named, from running with the agents of now.

        Raises:
            NotFound: the workspace has no such template or version.
            Unavailable: the Agent Service does not answer.
        """
        document = stored_template(self._templates, user, template_id, version).document
        agents = {agent.agent_id: agent for agent in self._agents.agents()}
        structure = schema_issues(TEMPLATE_SCHEMA, document)
        if structure:  # it was stored under other rules
            return structure
        template = parse_template(document)
        return [*template_issues(template, agents), *queue_issues(template, self._queues), *readiness_issues(template),
                *_agent_issues(template, agents), *self._workflow_issues(user, template)]

    def _workflow_issues(self, user: User, template: Template) -> Iterator[Issue]:
        """Yield the blocks whose workflow can't be started now."""
        for index, block in enumerate(template.blocks):
            if block.workflow is None:
                continue
            try:
                template_to_start(self._templates, user.workspace_id, block.workflow.template_id,
                                  block.workflow.version)
            except WorkflowServiceError as error:
                yield Issue(path=f"blocks[{index}].workflow", code="unknown_workflow", message=str(error))

    def plan(self, user: User, template_id: str, version: str | None = None) -> PlannedVersion:
        """Return the outline of the plan of a version, the latest if none is named.

        Raises:
            NotFound: the workspace has no such template or version.
        """
        stored = stored_template(self._templates, user, template_id, version)
        plan = self._plans.get(user.workspace_id, template_id, str(stored.document["version"]))
        return PlannedVersion(template=plan.template, outline=outline(plan, self._durations.usual(
            user.workspace_id, plan)))

    def document(self, user: User, template_id: str, version: str | None = None) -> Document:
        """Return what the author wrote of a version, the latest if none is named, its fields in their order.

        Raises:
            NotFound: the workspace has no such template or version.
        """
        return in_order(stored_template(self._templates, user, template_id, version).document)


def _agent_issues(template: Template, agents: Mapping[str, Agent]) -> Sequence[Issue]:
    """Return what is wrong between blocks and the agents that they name; agents that are missing were told before."""
    found = [(index, block, agents[block.agent_id]) for index, block in enumerate(template.blocks)
             if block.agent_id is not None and block.agent_id in agents]
    away = [availability_issue(agent, f"blocks[{index}].agentId") for index, _, agent in found]
    return [*(issue for issue in away if issue is not None),
            *chain.from_iterable(static_input_issues(block, agent, f"blocks[{index}].configuration")
                                 for index, block, agent in found)]
