"""The life of templates after they were stored: they are published, archived and deleted."""

from __future__ import annotations

from workflow_service.domain.commands import ExecutionFilter
from workflow_service.domain.errors import ConcurrentUpdate, NotFound, TemplateInUse
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.domain.template_status import TemplateStatus
from workflow_service.domain.users import User
from workflow_service.services.ports import ExecutionRepository, StoredTemplate, TemplateRepository
from workflow_service.services.templates import TemplateView, stored_template, template_view

_LIVE = tuple(status for status in ExecutionStatus if not status.is_terminal)
_SOME = 5
"""How many executions are named that keep a template from being deleted."""


class TemplateLife:
    """Publishes, archives and deletes templates; each may be asked for again."""

    def __init__(self, templates: TemplateRepository, executions: ExecutionRepository) -> None:
        """Change templates of this repository, and ask this one for what runs with them."""
        self._templates = templates
        self._executions = executions

    def publish(self, user: User, template_id: str) -> TemplateView:
        """Let the latest version of a template be started, also if the template was archived.

        Raises:
            NotFound: the workspace has no such template.
            ConcurrentUpdate: somebody stored a new version meanwhile.
        """
        return template_view(self._set(user, template_id, TemplateStatus.PUBLISHED))

    def archive(self, user: User, template_id: str) -> TemplateView:
        """Let nothing of a template be started, and show it in no list that does not ask for it.

        What runs goes on.

        Raises:
            NotFound: the workspace has no such template.
            ConcurrentUpdate: somebody stored a new version meanwhile.
        """
        return template_view(self._set(user, template_id, TemplateStatus.ARCHIVED))

    def delete(self, user: User, template_id: str) -> None:
        """Delete a template; its versions stay for the executions that were started with them.

        So one that is started in the same moment still comes to its end.

        Raises:
            NotFound: the workspace has no such template.
            TemplateInUse: executions of it have not ended.
            ConcurrentUpdate: somebody stored a new version meanwhile.
        """
        stored_template(self._templates, user, template_id)
        live, total = self._executions.page(user.workspace_id, ExecutionFilter(
            statuses=_LIVE, template_id=template_id, limit=_SOME))
        if total:
            raise TemplateInUse(template_id, total, [execution.execution_id for execution in live])
        self._set(user, template_id, TemplateStatus.DELETED)

    def _set(self, user: User, template_id: str, status: TemplateStatus) -> StoredTemplate:
        latest = stored_template(self._templates, user, template_id)
        version = str(latest.document["version"])
        if self._templates.set_status(user.workspace_id, template_id, version, status):
            return latest if status is TemplateStatus.DELETED else stored_template(self._templates, user, template_id)
        now = self._templates.get(user.workspace_id, template_id)
        if now is None:
            raise NotFound("template", template_id)
        raise ConcurrentUpdate(str(now.document["version"]))
