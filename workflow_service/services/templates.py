"""Templates: validated when they are stored, versions never change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workflow_service.domain.agents import Agent
from workflow_service.domain.commands import TemplateFilter
from workflow_service.domain.errors import AlreadyExists, InvalidTemplate, Issue, NotFound, Unavailable
from workflow_service.domain.template import Document, parse_template
from workflow_service.domain.template_schema import TEMPLATE_SCHEMA
from workflow_service.domain.users import User
from workflow_service.domain.validation import template_issues
from workflow_service.services.ports import AgentService, Clock, StoredTemplate, TemplateRepository
from workflow_service.services.schemas import meta_issues, schema_issues

TemplateView = dict[str, Any]
"""A template document with ``createdAt``, ``updatedAt`` and ``createdBy``."""


class Templates:
    """Stores and finds templates."""

    def __init__(self, templates: TemplateRepository, agents: AgentService, clock: Clock) -> None:
        """Keep templates in this repository and check them against this registry."""
        self._templates = templates
        self._agents = agents
        self._clock = clock

    def create(self, user: User, document: Document) -> TemplateView:
        """Store a new template.

        Raises:
            InvalidTemplate: it breaks rules; names all of them.
            AlreadyExists: its id is taken.
        """
        issues = self.issues(document)
        if issues:
            raise InvalidTemplate("The template breaks its rules.", issues)
        now = self._clock.now()
        stored = StoredTemplate(workspace_id=user.workspace_id, document=document, created_by=user.name, created_at=now,
                                updated_at=now)
        if not self._templates.insert(stored):
            raise AlreadyExists("template", document["templateId"])
        return _view(stored)

    def issues(self, document: Any) -> Sequence[Issue]:
        """Return everything that is wrong with a template document."""
        structure = schema_issues(TEMPLATE_SCHEMA, document)
        if structure:
            return structure
        forms = [issue for index, block in enumerate(document["blocks"]) for issue in
                 meta_issues((block.get("humanInLoop") or {}).get("inputSchema") or {},
                             f"blocks[{index}].humanInLoop.inputSchema")]
        return [*template_issues(parse_template(document), self._registry()), *forms]

    def get(self, user: User, template_id: str, version: str | None = None) -> TemplateView:
        """Return one version, the latest if none is named.

        Raises:
            NotFound: the workspace has no such template or version.
        """
        stored = self._templates.get(user.workspace_id, template_id, version)
        if stored is None:
            raise NotFound("template", f"{template_id} {version}" if version else template_id)
        return _view(stored)

    def page(self, user: User, wanted: TemplateFilter) -> tuple[list[TemplateView], int]:
        """Return the latest versions of templates, and how many there are in all."""
        found, total = self._templates.page(user.workspace_id, category=wanted.category, tags=wanted.tags,
                                            search=wanted.search, limit=wanted.limit, offset=wanted.offset)
        return [_view(stored) for stored in found], total

    def _registry(self) -> Mapping[str, Agent] | None:
        """Return the agents by id; None when the Agent Service is away (a block's run will tell)."""
        try:
            return {agent.agent_id: agent for agent in self._agents.agents()}
        except Unavailable:
            return None


def _view(stored: StoredTemplate) -> TemplateView:
    return {**stored.document, "createdAt": stored.created_at, "updatedAt": stored.updated_at,
            "createdBy": stored.created_by}
