"""Templates: validated when they are stored, versions never change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from workflow_service.domain.agents import Agent
from workflow_service.domain.commands import TemplateFilter
from workflow_service.domain.errors import (
    AlreadyExists,
    ConcurrentUpdate,
    Conflict,
    InvalidTemplate,
    Issue,
    NotFound,
    StaleVersion,
    TemplateIsArchived,
    Unavailable,
    VersionNotGreater,
    VersionTaken,
)
from workflow_service.domain.paging import Page, Place, page_of
from workflow_service.domain.routing import USUAL_QUEUE
from workflow_service.domain.routing_validation import queue_issues
from workflow_service.domain.template import Document
from workflow_service.domain.template_parsing import parse_template
from workflow_service.domain.template_schema import TEMPLATE_SCHEMA
from workflow_service.domain.template_status import TemplateStatus
from workflow_service.domain.template_versions import is_same_document, next_patch, precedence
from workflow_service.domain.users import User
from workflow_service.domain.validation import size_issues, template_issues
from workflow_service.services.ports import AgentService, Clock, StoredTemplate, TemplateRepository, TemplateVersion
from workflow_service.services.schemas import meta_issues, schema_issues

TemplateView = dict[str, Any]
"""A template document with ``status``, ``createdAt``, ``createdBy``, ``updatedAt`` and ``updatedBy``."""


class Templates:
    """Stores and finds templates."""

    def __init__(self, templates: TemplateRepository, agents: AgentService, clock: Clock,
                 queues: Sequence[str] = (USUAL_QUEUE,)) -> None:
        """Keep templates in this repository and check them against this registry.

        Args:
            queues: those that a template may name.
        """
        self._templates = templates
        self._agents = agents
        self._clock = clock
        self._queues = queues

    def create(self, user: User, document: Document) -> TemplateView:
        """Store a new template.

        Raises:
            InvalidTemplate: it breaks rules; names all of them.
            AlreadyExists: its id is taken.
            VersionNotGreater: the workspace had a template of this id and deleted it, with this version or a later one.
        """
        self._check(document)
        now, (content, status) = self._clock.now(), _without_status(document)
        stored = StoredTemplate(workspace_id=user.workspace_id, document=content, created_by=user.name, created_at=now,
                                updated_at=now, status=status)
        if not self._templates.insert(stored):
            raise self._taken(user, stored)
        return template_view(stored)

    def _taken(self, user: User, new: StoredTemplate) -> Conflict:
        """Say why the store did not take a new template."""
        template_id = new.document["templateId"]
        known = self._templates.versions(user.workspace_id, template_id)
        if known and self._templates.get(user.workspace_id, template_id) is None:
            return VersionNotGreater(_version(new), known[-1].version)
        return AlreadyExists("template", template_id)

    def update(self, user: User, template_id: str, document: Document,
               expected_version: str | None = None) -> TemplateView:
        """Store a new version of a template and make it the latest; the versions before it stay as they are.

        The author may leave ``version`` out and gets the next patch version, or name a greater one, as a larger change
        deserves. With the content of the latest, and no other version named, nothing is stored and the latest returned,
        so an update may be repeated, also if it expected the version before its own. ``templateId`` may be left out as
        well. Executions that run keep their version. The content of a latest that is a draft publishes it, unless it
        says to be a draft itself; what was published does not become a draft again.

        Args:
            expected_version: the version that the update was made from; None if that does not matter.

        Raises:
            NotFound: the workspace has no such template.
            StaleVersion: the latest is not, or is not any more, the expected version.
            InvalidTemplate: it breaks rules; names all of them.
            VersionNotGreater: it names a version that does not come after the latest.
            VersionTaken: it names a version that is stored with another content (by an update that was cut short).
            ConcurrentUpdate: somebody else stored a version meanwhile; said only if none was expected.
            TemplateIsArchived: it has to be published before.
        """
        latest = self._latest(user, template_id)
        content, status = _without_status(document)
        wanted = self._complete(user, template_id, content, latest)
        self._check({**wanted, **_said_status(document)}, template_id)
        if latest.status is TemplateStatus.ARCHIVED:
            raise TemplateIsArchived(template_id)
        if is_same_document(wanted, latest.document):
            return self._published(latest) if status is TemplateStatus.PUBLISHED else template_view(latest)
        if expected_version is not None and expected_version != _version(latest):
            raise StaleVersion(expected_version, _version(latest))
        if precedence(wanted["version"]) <= precedence(_version(latest)):
            raise VersionNotGreater(wanted["version"], _version(latest))
        new = replace(latest, document=wanted, updated_at=self._clock.now(), updated_by=user.name, status=status)
        if not self._templates.add_version(new, _version(latest)):
            raise self._refusal(user, new, latest, expected_version)
        return self.get(user, template_id, wanted["version"])

    def _published(self, draft: StoredTemplate) -> TemplateView:
        self._templates.set_status(draft.workspace_id, draft.document["templateId"], _version(draft),
                                   TemplateStatus.PUBLISHED)
        return template_view(replace(draft, status=TemplateStatus.PUBLISHED))

    def versions(self, user: User, template_id: str) -> Sequence[TemplateVersion]:
        """Return the versions of a template, the oldest first.

        Raises:
            NotFound: the workspace has no such template.
        """
        self._latest(user, template_id)
        return self._templates.versions(user.workspace_id, template_id)

    def issues(self, document: Any) -> Sequence[Issue]:
        """Return everything that is wrong with a template document; of one that is too large only that."""
        structure = size_issues(document) or schema_issues(TEMPLATE_SCHEMA, document)
        if structure:
            return structure
        forms = [issue for index, block in enumerate(document["blocks"]) for issue in
                 meta_issues((block.get("humanInLoop") or {}).get("inputSchema") or {},
                             f"blocks[{index}].humanInLoop.inputSchema")]
        given = meta_issues(document.get("inputSchema") or {}, "inputSchema")
        template = parse_template(document)
        return [*template_issues(template, self._registry()), *queue_issues(template, self._queues), *given, *forms]

    def get(self, user: User, template_id: str, version: str | None = None) -> TemplateView:
        """Return one version, the latest if none is named.

        Raises:
            NotFound: the workspace has no such template or version, or deleted it.
        """
        return template_view(stored_template(self._templates, user, template_id, version))

    def page(self, user: User, wanted: TemplateFilter) -> Page[TemplateView]:
        """Return the latest versions of templates, the newest template first, and how many there are in all."""
        found, total = self._templates.page(user.workspace_id, replace(wanted, limit=wanted.limit + 1))
        page = page_of(found, wanted.limit, total, lambda stored: Place(
            at=stored.created_at, identifier=stored.document["templateId"]))
        return Page(items=[template_view(one) for one in page.items], total=total, next_cursor=page.next_cursor)

    def _check(self, document: Document, template_id: str | None = None) -> None:
        issues = [*self.issues(document)]
        if template_id is not None and document["templateId"] != template_id:
            issues.append(Issue(path="templateId", code="other_template", allowed=(str(template_id),),
                                message="This is the id of another template than the address names."))
        if issues:
            raise InvalidTemplate("The template breaks its rules.", issues)

    def _latest(self, user: User, template_id: str) -> StoredTemplate:
        return stored_template(self._templates, user, template_id)

    def _complete(self, user: User, template_id: str, document: Document, latest: StoredTemplate) -> Document:
        """Fill in the id and the version if the author left them out."""
        named = document if "templateId" in document else {"templateId": template_id, **document}
        if "version" in named:
            return named
        version = _version(latest)
        while not self._is_free_for(user, template_id, wanted := {**named, "version": version}):
            version = next_patch(version)
        return wanted

    def _is_free_for(self, user: User, template_id: str, document: Document) -> bool:
        """Say whether a version is not stored, or has this content: an update that was cut short may go on."""
        stored = self._templates.get(user.workspace_id, template_id, document["version"])
        return stored is None or is_same_document(stored.document, document)

    def _refusal(self, user: User, new: StoredTemplate, latest: StoredTemplate, expected: str | None) -> Conflict:
        """Say why the store did not take a new version."""
        now = _version(self._latest(user, latest.document["templateId"]))
        if now == _version(latest):
            return VersionTaken(_version(new))
        return ConcurrentUpdate(now) if expected is None else StaleVersion(expected, now)

    def _registry(self) -> Mapping[str, Agent] | None:
        """Return the agents by id; None when the Agent Service is away (a block's run will tell)."""
        try:
            return {agent.agent_id: agent for agent in self._agents.agents()}
        except Unavailable:
            return None


def stored_template(templates: TemplateRepository, user: User, template_id: str,
                    version: str | None = None) -> StoredTemplate:
    """Return one version of a template that the user's workspace has, the latest if none is named.

    A version of a template that is archived is archived.

    Raises:
        NotFound: the workspace has no such template or version, or deleted it.
    """
    latest = templates.get(user.workspace_id, template_id)
    if latest is None:
        raise NotFound("template", template_id)
    if version is None or version == _version(latest):
        return latest
    stored = templates.get(user.workspace_id, template_id, version)
    if stored is None:
        raise NotFound("template", f"{template_id} {version}")
    return replace(stored, status=latest.status) if latest.status is TemplateStatus.ARCHIVED else stored


def template_view(stored: StoredTemplate) -> TemplateView:
    """Return a template as it is shown."""
    return {**stored.document, "status": stored.status.value,
            "createdAt": stored.created_at, "createdBy": stored.created_by,
            "updatedAt": stored.updated_at, "updatedBy": stored.updated_by or stored.created_by}


def _without_status(document: Document) -> tuple[Document, TemplateStatus]:
    """Take out what is said of a version and is no part of its content; published if nothing is said."""
    content = {name: value for name, value in document.items() if name != "status"}
    said = document.get("status")
    return content, TemplateStatus.DRAFT if said == TemplateStatus.DRAFT.value else TemplateStatus.PUBLISHED


def _said_status(document: Document) -> Document:
    return {name: value for name, value in document.items() if name == "status"}


def _version(stored: StoredTemplate) -> str:
    return str(stored.document["version"])
