"""The templates of a simulation: the one that is tried, on top of those that it may run as sub-workflows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workflow_service.domain.template import Template
from workflow_service.domain.template_parsing import parse_template
from workflow_service.repositories.memory.templates import TemplatesInMemory
from workflow_service.services.ports import StoredTemplate, TemplateRepository, TemplateVersion

_MOST = 30
"""Templates that are looked through for the names of their blocks."""


class TemplatesToTry(TemplatesInMemory):
    """Templates in memory; what is not among them is read from others, and nothing is ever stored there."""

    def __init__(self, tried: StoredTemplate, others: TemplateRepository) -> None:
        """Have one template, as if it were published, in front of the others."""
        super().__init__()
        self._others = others
        self.insert(tried)

    def get(self, workspace_id: str, template_id: str, version: str | None = None) -> StoredTemplate | None:
        """Return one version, the latest if none is named."""
        return (super().get(workspace_id, template_id, version)
                or self._others.get(workspace_id, template_id, version))

    def versions(self, workspace_id: str, template_id: str) -> Sequence[TemplateVersion]:
        """Return the versions of a template."""
        return super().versions(workspace_id, template_id) or self._others.versions(workspace_id, template_id)


def reachable(templates: TemplateRepository, workspace_id: str, first: Template) -> Iterator[Template]:
    """Yield a template, and what its blocks, and theirs in turn, run as sub-workflows as far as it is there."""
    pending, seen = [first], {(first.template_id, first.version)}
    while pending and len(seen) <= _MOST:
        template = pending.pop()
        yield template
        for called in (block.workflow for block in template.blocks if block.workflow is not None):
            stored = templates.get(workspace_id, called.template_id, called.version)
            if stored is not None:
                found = parse_template(stored.document)
                if (found.template_id, found.version) not in seen:
                    seen.add((found.template_id, found.version))
                    pending.append(found)
