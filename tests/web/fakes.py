"""A small service in memory, behind the same interface as the real one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from jsonschema import Draft202012Validator

from tests.support.builders import a_block, a_plan
from workflow_service.domain import approval as approvals
from workflow_service.domain.approval import Approval, Decision
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.commands import (
    ApprovalFilter,
    ExecutionFilter,
    RespondToApproval,
    StartExecution,
    TemplateFilter,
)
from workflow_service.domain.errors import AlreadyExists, Forbidden, InvalidResponse, InvalidTemplate, Issue, NotFound
from workflow_service.domain.execution import Execution
from workflow_service.domain.paging import Page
from workflow_service.domain.recovery import RecoveryPoint
from workflow_service.domain.statuses import ApprovalStatus, BlockStatus, ExecutionStatus
from workflow_service.domain.template_schema import TEMPLATE_SCHEMA
from workflow_service.domain.users import User
from workflow_service.metrics.registry import Registry
from workflow_service.services import views
from workflow_service.services.executions import ExecutionPage, Started
from workflow_service.services.ports import TemplateVersion

NOW = datetime(2025, 8, 21, 9, 30, 0, 123000, tzinfo=UTC)
"""The fake's only instant."""


@dataclass
class FakeTemplates:
    """Templates by workspace and id."""

    stored: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    raises: Exception | None = None
    asked: list[TemplateFilter] = field(default_factory=list)

    def create(self, user: User, document: Mapping[str, Any]) -> dict[str, Any]:
        """Store a template after a look at its structure."""
        if self.raises:
            raise self.raises
        faults = [Issue(path=fault.json_path.removeprefix("$").removeprefix("."), code=str(fault.validator),
                        message=fault.message[:200])
                  for fault in Draft202012Validator(TEMPLATE_SCHEMA).iter_errors(document)]
        if faults:
            raise InvalidTemplate("The template breaks its rules.", faults)
        key = (user.workspace_id, document["templateId"])
        if key in self.stored:
            raise AlreadyExists("template", document["templateId"])
        self.stored[key] = {**document, "createdAt": NOW, "updatedAt": NOW, "status": "published",
                            "createdBy": user.name,
                            "updatedBy": user.name}
        return self.stored[key]

    def update(self, user: User, template_id: str, document: Mapping[str, Any],
               expected_version: str | None) -> dict[str, Any]:
        """Put a document over the stored one."""
        return {**self.get(user, template_id, None), **document}

    def versions(self, user: User, template_id: str) -> list[TemplateVersion]:
        """Return the one version."""
        version = self.get(user, template_id, None)["version"]
        return [TemplateVersion(version=version, created_at=NOW, created_by=user.name)]

    def get(self, user: User, template_id: str, version: str | None) -> dict[str, Any]:
        """Return a template."""
        found = self.stored.get((user.workspace_id, template_id))
        if found is None or version not in (None, found["version"]):
            raise NotFound("template", template_id)
        return found

    def page(self, user: User, wanted: TemplateFilter) -> Page[dict[str, Any]]:
        """Return a page of templates."""
        self.asked.append(wanted)
        found = [template for (workspace, _), template in self.stored.items() if workspace == user.workspace_id]
        return Page(items=found[wanted.offset:][:wanted.limit], total=len(found), next_cursor=None)


@dataclass
class FakeExecutions:
    """Executions by id; they never get anywhere."""

    templates: FakeTemplates
    stored: dict[str, Execution] = field(default_factory=dict)
    raises: Exception | None = None
    asked: list[ExecutionFilter] = field(default_factory=list)

    def start(self, user: User, command: StartExecution) -> Execution:
        """Keep a new execution."""
        return self.start_once(user, command).execution

    def start_once(self, user: User, command: StartExecution) -> Started:
        """Keep a new execution."""
        if self.raises:
            raise self.raises
        template = self.templates.get(user, command.template_id, command.version)
        execution = Execution(
            workspace_id=command.workspace_id, execution_id=f"run-{len(self.stored) + 1}",
            template_id=command.template_id, template_version=template["version"], created_by=user.name,
            created_at=NOW, started_at=NOW, input=command.input, status=ExecutionStatus.RUNNING)
        self.stored[execution.execution_id] = execution
        return Started(execution=execution, replayed=False)

    def get(self, user: User, execution_id: str) -> dict[str, Any]:
        """Return an execution with one block that a person was asked about."""
        execution = self.stored.get(execution_id)
        if execution is None or execution.workspace_id != user.workspace_id:
            raise NotFound("execution", execution_id)
        block = BlockExecution(
            workspace_id=user.workspace_id, execution_id=execution_id, block_id="review", agent_id="risk-rater",
            status=BlockStatus.AWAITING_APPROVAL, started_at=NOW, input=execution.input)
        point = RecoveryPoint(point_id="p", workspace_id=user.workspace_id, execution_id=execution_id, timestamp=NOW,
                              state={"extract": {"status": "completed", "epoch": 1}}, completed_blocks=("extract",))
        return views.details(a_plan(a_block("review")), execution, [block], [("review", an_approval())], [point], [],
                             NOW)

    def page(self, user: User, wanted: ExecutionFilter) -> ExecutionPage:
        """Return a page of executions."""
        self.asked.append(wanted)
        found = [views.summary(run) for run in self.stored.values() if run.workspace_id == user.workspace_id]
        return ExecutionPage(executions=found[wanted.offset:][:wanted.limit], total=len(found), next_cursor=None)


def an_approval(approval_id: str = "a1", **fields: Any) -> Approval:
    """Return a pending approval."""
    usual = Approval(
        approval_id=approval_id, workspace_id="acme", execution_id="run-1", block_id="review", epoch=1,
        wait_id="run-1:review:1:approval:0", type="edit", title="Legal review", payload={"clauses": [7]},
        input_schema={"type": "object", "properties": {"notes": {"type": "string"}}}, assigned_to="approver",
        escalate_to="admin", timeout=timedelta(hours=24), requested_at=NOW, overdue_at=NOW + timedelta(hours=24))
    return replace(usual, **fields)


@dataclass
class FakeApprovals:
    """Approvals by id."""

    stored: dict[str, Approval] = field(default_factory=dict)
    asked: list[ApprovalFilter] = field(default_factory=list)

    def pending(self, user: User, wanted: ApprovalFilter) -> list[Approval]:
        """Return what this user may answer."""
        self.asked.append(wanted)
        return [approval for approval in self.stored.values() if approval.workspace_id == user.workspace_id
                and approval.status is ApprovalStatus.PENDING and (user.is_admin or approval.assigned_to == user.role)]

    def get(self, user: User, approval_id: str) -> Approval:
        """Return an approval."""
        found = self.stored.get(approval_id)
        if found is None or found.workspace_id != user.workspace_id:
            raise NotFound("approval", approval_id)
        return found

    def respond(self, user: User, command: RespondToApproval) -> Approval:
        """Decide an approval."""
        approval = self.get(user, command.approval_id)
        if not user.is_admin and approval.assigned_to != user.role:
            raise Forbidden(f"This is for the role '{approval.assigned_to}'.")
        faults = [Issue(path=f"response.{'.'.join(map(str, fault.absolute_path))}", code=str(fault.validator),
                        message=fault.message)
                  for fault in Draft202012Validator(approval.input_schema).iter_errors(command.response)]
        if faults:
            raise InvalidResponse("The response does not fit the form.", faults)
        decision = Decision(approved=command.approved, approver=user.name, response=command.response,
                            comments=command.comments)
        self.stored[approval.approval_id] = approvals.decide(approval, decision, NOW)
        return self.stored[approval.approval_id]


@dataclass
class FakeHealth:
    """What answers."""

    answers: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(
        ("mongodb", "redis", "agent_service", "state_service"), True))

    def check(self) -> Mapping[str, bool]:
        """Return what answers."""
        return self.answers


@dataclass(frozen=True)
class FakeSecurity:
    """The part of the settings that the edge reads."""

    jwt_secret: str
    jwt_public_key: str | None = None


@dataclass(frozen=True)
class FakeSettings:
    """Settings."""

    security: FakeSecurity


@dataclass(frozen=True)
class FakeApplication:
    """The service."""

    settings: FakeSettings
    templates: FakeTemplates
    executions: FakeExecutions
    approvals: FakeApprovals
    health: FakeHealth
    metrics: Registry = field(default_factory=Registry)


def a_service(secret: str) -> FakeApplication:
    """Return an empty service."""
    templates = FakeTemplates()
    return FakeApplication(settings=FakeSettings(FakeSecurity(secret)), templates=templates,
                           executions=FakeExecutions(templates), approvals=FakeApprovals(), health=FakeHealth())
