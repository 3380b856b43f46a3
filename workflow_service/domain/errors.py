"""All errors of the service: one root, a few kinds that the edges translate, leaves named for the fact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Issue:
    """One fault in something that was given to us."""

    path: str
    """Where: a JSON path such as ``blocks[2].dependencies[0]``; empty for the whole."""
    code: str
    """A stable word for the kind of fault, such as ``unknown_block``."""
    message: str
    """What was wrong, in a sentence for a person."""
    allowed: tuple[str, ...] = ()
    """What would have been right, if it can be listed."""


class WorkflowServiceError(Exception):
    """Root of all errors that the service raises on purpose.

    Attributes:
        code: a stable word for the kind of error, part of the API.
    """

    code = "error"


class NotFound(WorkflowServiceError):
    """Raised when a thing that was named does not exist in the workspace."""

    code = "not_found"

    def __init__(self, kind: str, identifier: str) -> None:
        """Name the missing thing.

        Args:
            kind: what it is, a word of the glossary such as ``template``.
            identifier: the id that was asked for.
        """
        super().__init__(f"There is no {kind} '{identifier}' in this workspace.")
        self.kind = kind
        self.identifier = identifier


class Invalid(WorkflowServiceError):
    """Raised when something that was given does not follow its rules; names every fault at once."""

    code = "invalid"

    def __init__(self, message: str, issues: Sequence[Issue]) -> None:
        """Keep the faults.

        Args:
            message: what was checked, in a sentence.
            issues: at least one fault.
        """
        super().__init__(message)
        self.issues = tuple(issues)

    def __str__(self) -> str:
        """Return the message with each fault on a line of its own."""
        lines = [f"  {issue.path or '(whole)'}: {issue.message}" for issue in self.issues]
        return "\n".join([str(self.args[0]), *lines])


class InvalidTemplate(Invalid):
    """Raised when a template breaks its rules."""

    code = "invalid_template"


class InvalidResponse(Invalid):
    """Raised when an approver's response does not fit the form of the approval."""

    code = "invalid_response"


class UnfitInput(Invalid):
    """Raised when the input of an execution does not fit the input schema of its template."""

    code = "invalid_input"


class IdempotencyKeyReused(Invalid):
    """Raised when an idempotency key is sent again, and the request with it is another one."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        """Name the header: it is wrong, or the rest is."""
        super().__init__("This Idempotency-Key was sent before, with another request.", [Issue(
            path="Idempotency-Key", code="reused", message="A request that is not the same needs a key of its own.")])


class Conflict(WorkflowServiceError):
    """Raised when the thing is no longer in the status that the request needs."""

    code = "conflict"


class AlreadyExists(Conflict):
    """Raised when an id is taken."""

    code = "already_exists"

    def __init__(self, kind: str, identifier: str) -> None:
        """Name the id that is taken."""
        super().__init__(f"There is a {kind} '{identifier}' already.")
        self.kind = kind
        self.identifier = identifier


class VersionNotGreater(Conflict):
    """Raised when a version of a template does not come after the latest; says which that is."""

    code = "version_not_greater"

    def __init__(self, version: str, latest: str) -> None:
        """Name both."""
        super().__init__(f"Version {version} is not greater than the latest, {latest}. "
                         "Leave the version out to get the next patch version.")
        self.latest = latest


class VersionTaken(Conflict):
    """Raised when a version of a template is stored already, with another content; versions never change."""

    code = "version_taken"

    def __init__(self, version: str) -> None:
        """Name the version."""
        super().__init__(f"Version {version} is stored already, with another content. Name a greater one, or none.")


class ConcurrentUpdate(Conflict):
    """Raised when somebody else stored a new version of a template in the same moment."""

    code = "concurrent_update"

    def __init__(self, latest: str) -> None:
        """Name the version that was stored."""
        super().__init__(f"Somebody else has just stored version {latest}. Look at it and try again.")
        self.latest = latest


class StaleVersion(Conflict):
    """Raised when the latest version of a template is not the one that an update was made from; says which it is."""

    code = "stale_version"

    def __init__(self, expected: str, latest: str) -> None:
        """Name both versions."""
        super().__init__(f"The latest version is {latest}, not {expected}.")
        self.latest = latest


class TemplateIsDraft(Conflict):
    """Raised when a version of a template that was not published is to be started."""

    code = "template_is_draft"

    def __init__(self, template_id: str, version: str) -> None:
        """Name the version."""
        super().__init__(f"Version {version} of the template '{template_id}' is a draft; publish it first.")


class TemplateIsArchived(Conflict):
    """Raised when a template that was archived is to be started or changed."""

    code = "template_is_archived"

    def __init__(self, template_id: str) -> None:
        """Name the template."""
        super().__init__(f"The template '{template_id}' is archived; publish it first.")


class TemplateInUse(Conflict):
    """Raised when a template is to be deleted that executions still run with; says how many, and some of them."""

    code = "template_in_use"

    def __init__(self, template_id: str, total: int, some: Sequence[str]) -> None:
        """Name the template and the executions.

        Args:
            total: how many there are.
            some: the ids of the latest of them.
        """
        names = ", ".join(some) + (", ..." if total > len(some) else "")
        count = "1 execution has" if total == 1 else f"{total} executions have"
        super().__init__(f"{count} not ended with the template '{template_id}': {names}. Cancel them, or let them end.")
        self.executions = tuple(some)


class AlreadyDecided(Conflict):
    """Raised when an approval was decided before; says by whom."""

    code = "already_decided"

    def __init__(self, approval_id: str, status: str, decided_by: str | None) -> None:
        """Keep who was first."""
        by = f" by {decided_by}" if decided_by else ""
        super().__init__(f"Approval '{approval_id}' is {status}{by} already.")
        self.approval_id = approval_id


class IllegalTransition(Conflict):
    """Raised when a status change is not in its transition table."""

    code = "illegal_transition"

    def __init__(self, kind: str, identifier: str, current: str, target: str) -> None:
        """Name the change that was refused."""
        super().__init__(f"The {kind} '{identifier}' is {current}; it can't become {target}.")


class Forbidden(WorkflowServiceError):
    """Raised when the user may not do this."""

    code = "forbidden"


class Unavailable(WorkflowServiceError):
    """Raised when a service or store that is needed does not answer in time."""

    code = "unavailable"

    def __init__(self, dependency: str) -> None:
        """Name the dependency, without its address (addresses may hold secrets)."""
        super().__init__(f"{dependency} is not available at the moment.")
        self.dependency = dependency


class ExpressionError(WorkflowServiceError):
    """Raised when an expression can't be compiled or evaluated."""

    code = "expression_error"
