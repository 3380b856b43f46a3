"""Approvals: what a person is asked, what they may answer, and who is asked when nobody does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from workflow_service.domain import approval as approvals
from workflow_service.domain.approval import Approval, Decision
from workflow_service.domain.commands import ApprovalFilter, RespondToApproval
from workflow_service.domain.errors import AlreadyDecided, Forbidden, InvalidResponse, NotFound
from workflow_service.domain.execution import Execution
from workflow_service.domain.statuses import ApprovalStatus
from workflow_service.domain.users import User
from workflow_service.services.finish import Finisher
from workflow_service.services.ports import Clock
from workflow_service.services.schemas import schema_issues
from workflow_service.services.stores import Stores
from workflow_service.services.waits import Waits


class Approvals:
    """Lists and answers requests."""

    def __init__(self, stores: Stores, waits: Waits, finisher: Finisher, clock: Clock) -> None:
        """Answer requests of these stores."""
        self._stores = stores
        self._waits = waits
        self._finisher = finisher
        self._clock = clock

    def pending(self, user: User, wanted: ApprovalFilter) -> Sequence[Approval]:
        """Return the requests that this user may answer, the oldest first."""
        return self._stores.approvals.pending(
            user.workspace_id, roles=None if user.is_admin else (user.role,), execution_id=None,
            block_id=wanted.block_id, type=wanted.type, limit=wanted.limit, within=wanted.execution_id)

    def get(self, user: User, approval_id: str) -> Approval:
        """Return one request.

        Raises:
            NotFound: the user's workspace has none with this id.
        """
        approval = self._stores.approvals.get(user.workspace_id, approval_id)
        if approval is None:
            raise NotFound("approval", approval_id)
        return approval

    def respond(self, user: User, command: RespondToApproval) -> Approval:
        """Record an answer and wake the block. The answer is stored before anything else, so it is never lost.

        Raises:
            NotFound: there is no such request in the workspace.
            Forbidden: it is another role's to answer.
            InvalidResponse: the response does not fit the form.
            AlreadyDecided: somebody was first.
        """
        approval = self.get(user, command.approval_id)
        self._check(user, approval, command)
        decision = Decision(approved=command.approved, approver=user.name, response=command.response,
                            comments=command.comments)
        decided = approvals.decide(approval, decision, self._clock.now())
        if not self._stores.approvals.change(approval, decided):
            return self.respond(user, command)  # it was decided or escalated meanwhile: look again
        self.deliver(decided)
        return decided

    def deliver(self, approval: Approval) -> None:
        """Fire the wait of an approval that was decided."""
        wait = self._stores.waits.get(approval.workspace_id, approval.wait_id)
        if wait is not None:
            self._waits.fire(wait, approvals.verdict(approval))
        self._finisher.rest(approval, urgent=True)

    def escalate(self, approval: Approval, again_after: timedelta) -> None:
        """Give an overdue request to the role above; a decision that was faster stands.

        While deadlines of the execution stand still it is looked at again later; if they stood still since the request
        was made, its own moves by that first.

        Args:
            again_after: until that look.
        """
        execution = self._stores.executions.get(approval.workspace_id, approval.execution_id)
        now = self._clock.now()
        if execution is None or execution.stopped_since is not None:
            self._stores.approvals.rest([replace(approval, due_at=now + again_after, outbox=())])
            return
        later = approvals.postpone(approval, execution.stopped_for, now) or approvals.escalate(approval, now)
        if self._stores.approvals.change(approval, later):
            self._finisher.rest(later, urgent=True)

    def postpone(self, execution: Execution) -> None:
        """Move the deadlines of an execution's pending requests by as long as they stood still."""
        if execution.stopped_since is not None or not execution.stopped_for:
            return
        for approval in self._stores.approvals.of_execution(execution.workspace_id, execution.execution_id):
            if approval.status is ApprovalStatus.PENDING:
                later = approvals.postpone(approval, execution.stopped_for, self._clock.now())
                if later is not None and self._stores.approvals.change(approval, later):
                    self._finisher.rest(later)

    def _check(self, user: User, approval: Approval, command: RespondToApproval) -> None:
        if not user.is_admin and user.role != approval.assigned_to:
            raise Forbidden(f"This request is for the role '{approval.assigned_to}'.")
        if approval.status is not ApprovalStatus.PENDING:
            raise AlreadyDecided(approval.approval_id, approval.status.value, approval.approver)
        if command.approved:
            issues = schema_issues(approval.input_schema, command.response, "response")
            if issues:
                raise InvalidResponse("The response does not fit the form.", issues)
