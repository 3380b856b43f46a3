"""Plans by template version. Versions never change, so a plan is compiled once in each process."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from workflow_service.domain.body import body_of
from workflow_service.domain.children import Body
from workflow_service.domain.compiler import compile_template
from workflow_service.domain.errors import NotFound
from workflow_service.domain.execution import Execution
from workflow_service.domain.plan import Plan
from workflow_service.domain.template import RetryPolicy
from workflow_service.domain.template_parsing import parse_template
from workflow_service.services.ports import TemplateRepository

_CAPACITY = 512
_Key = tuple[str, str, str, Body | None]


class Plans:
    """Compiled plans, the last used ones kept."""

    def __init__(self, templates: TemplateRepository, usual: RetryPolicy) -> None:
        """Read templates from this repository; ``usual`` is the retry policy of blocks that say nothing."""
        self._templates = templates
        self._usual = usual
        self._kept: OrderedDict[_Key, Plan] = OrderedDict()
        self._lock = Lock()

    def of(self, execution: Execution) -> Plan:
        """Return the plan of an execution's template version."""
        return self.get(execution.workspace_id, execution.template_id, execution.template_version, execution.body)

    def get(self, workspace_id: str, template_id: str, version: str, body: Body | None = None) -> Plan:
        """Return the plan of a template version, or of the body of one of its blocks.

        Raises:
            NotFound: there is no such version.
        """
        key = (workspace_id, template_id, version, body)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        plan = self._compile(*key)
        with self._lock:
            self._kept[key] = plan
            if len(self._kept) > _CAPACITY:
                self._kept.popitem(last=False)
        return plan

    def _compile(self, workspace_id: str, template_id: str, version: str, body: Body | None) -> Plan:
        stored = self._templates.get(workspace_id, template_id, version)
        if stored is None:
            raise NotFound("template", f"{template_id} {version}")
        template = parse_template(stored.document, self._usual)
        return compile_template(template if body is None else body_of(template, body))
