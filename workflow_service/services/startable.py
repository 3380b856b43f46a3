"""Which version of a template a start means, and whether it may be started."""

from __future__ import annotations

from workflow_service.domain.errors import NotFound, TemplateIsArchived, TemplateIsDraft
from workflow_service.domain.template_status import TemplateStatus
from workflow_service.domain.template_versions import precedence
from workflow_service.services.ports import StoredTemplate, TemplateRepository


def template_to_start(templates: TemplateRepository, workspace_id: str, template_id: str,
                      version: str | None) -> StoredTemplate:
    """Return the version that is named, or the latest that is published.

    Raises:
        NotFound: the workspace has no such template or version, or deleted it.
        TemplateIsArchived: nothing of the template may be started.
        TemplateIsDraft: the version, or every version, is a draft.
    """
    latest = templates.get(workspace_id, template_id)
    if latest is None:
        raise NotFound("template", template_id)
    if latest.status is TemplateStatus.ARCHIVED:
        raise TemplateIsArchived(template_id)
    wanted = version or _published(templates, latest)
    stored = latest if wanted == latest.document["version"] else templates.get(workspace_id, template_id, wanted)
    if stored is None:
        raise NotFound("template", f"{template_id} {wanted}")
    if stored.status is TemplateStatus.DRAFT:
        raise TemplateIsDraft(template_id, wanted)
    return stored


def _published(templates: TemplateRepository, latest: StoredTemplate) -> str:
    """Return the greatest version that is published; that of the latest if there is none."""
    own = str(latest.document["version"])
    if latest.status is not TemplateStatus.DRAFT:
        return own
    known = templates.versions(latest.workspace_id, str(latest.document["templateId"]))
    # a greater one is of an update that was cut short, and never became the latest
    published = [one.version for one in known
                 if one.status is TemplateStatus.PUBLISHED and precedence(one.version) < precedence(own)]
    return published[-1] if published else own
