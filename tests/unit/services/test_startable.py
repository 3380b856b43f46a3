"""Which version a start takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.builders import NOW, a_template_document
from workflow_service.domain.errors import NotFound, TemplateIsArchived, TemplateIsDraft, WorkflowServiceError
from workflow_service.domain.template_status import TemplateStatus
from workflow_service.repositories.memory.templates import TemplatesInMemory
from workflow_service.services.ports import StoredTemplate
from workflow_service.services.startable import template_to_start

DRAFT, PUBLISHED, ARCHIVED, DELETED = (TemplateStatus.DRAFT, TemplateStatus.PUBLISHED, TemplateStatus.ARCHIVED,
                                       TemplateStatus.DELETED)


def _templates(*statuses: TemplateStatus, then: TemplateStatus | None = None) -> TemplatesInMemory:
    """Return a repository with versions 1.0.0, 1.1.0 and so on of these statuses."""
    templates = TemplatesInMemory()
    first = StoredTemplate(workspace_id="acme", document=a_template_document(), created_by="ada", created_at=NOW,
                           updated_at=NOW)
    for minor, status in enumerate(statuses):
        template = replace(first, document=a_template_document(version=f"1.{minor}.0"), status=status)
        assert templates.insert(template) if not minor else templates.add_version(template, f"1.{minor - 1}.0")
    if then is not None:
        templates.set_status("acme", "t", f"1.{len(statuses) - 1}.0", then)
    return templates


@pytest.mark.parametrize(("templates", "version", "started"), [
    (_templates(PUBLISHED), None, "1.0.0"),
    (_templates(PUBLISHED, PUBLISHED), None, "1.1.0"),
    (_templates(PUBLISHED, DRAFT), None, "1.0.0"),
    (_templates(PUBLISHED, PUBLISHED, DRAFT, DRAFT), None, "1.1.0"),
    (_templates(PUBLISHED, DRAFT), "1.0.0", "1.0.0"),
    (_templates(DRAFT, PUBLISHED), None, "1.1.0"),
    (_templates(PUBLISHED, DRAFT, then=PUBLISHED), None, "1.1.0"),
])
def test_latest_that_is_published_is_started(templates: TemplatesInMemory, version: str | None, started: str) -> None:
    assert template_to_start(templates, "acme", "t", version).document["version"] == started


@pytest.mark.parametrize(("templates", "version", "error"), [
    (_templates(DRAFT), None, TemplateIsDraft),
    (_templates(DRAFT, DRAFT), None, TemplateIsDraft),
    (_templates(PUBLISHED, DRAFT), "1.1.0", TemplateIsDraft),
    (_templates(DRAFT, PUBLISHED), "1.0.0", TemplateIsDraft),
    (_templates(PUBLISHED, then=ARCHIVED), None, TemplateIsArchived),
    (_templates(PUBLISHED, PUBLISHED, then=ARCHIVED), "1.0.0", TemplateIsArchived),
    (_templates(PUBLISHED, then=DELETED), None, NotFound),
    (_templates(PUBLISHED, then=DELETED), "1.0.0", NotFound),
    (_templates(PUBLISHED), "3.0.0", NotFound),
    (TemplatesInMemory(), None, NotFound),
])
def test_what_is_not_started(templates: TemplatesInMemory, version: str | None,
                             error: type[WorkflowServiceError]) -> None:
    with pytest.raises(error):
        template_to_start(templates, "acme", "t", version)
