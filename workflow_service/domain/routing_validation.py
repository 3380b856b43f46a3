"""The rules of a template about the queues that it names."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from workflow_service.domain.errors import Issue
from workflow_service.domain.template import Template


def queue_issues(template: Template, queues: Collection[str]) -> Iterator[Issue]:
    """Yield queues that no worker of this service is meant to serve.

    Args:
        queues: those that are served.
    """
    settings = template.document.get("globalSettings") or {}
    named = [("globalSettings.queue", settings.get("queue")),
             *((f"blocks[{index}].queue", block.get("queue"))
               for index, block in enumerate(template.document.get("blocks") or ()))]
    for path, name in named:
        if name is not None and name not in queues:
            yield Issue(path=path, code="unknown_queue", message=f"There is no queue '{name}'.",
                        allowed=tuple(sorted(queues)))
