"""The errors that the State Management Service answers with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus


class StateServiceError(Exception):
    """Root of the errors that are raised on purpose and shown to the client.

    Attributes:
        code: a stable word for the kind of error, part of the contract.
        status: the HTTP status of the answer.
    """

    code = "error"
    status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, message: str, faults: Mapping[str, Sequence[str]] | None = None) -> None:
        """Keep what the client is told.

        Args:
            message: a sentence for a person.
            faults: what is wrong with each field, if it is about fields.
        """
        super().__init__(message)
        self.message = message
        self.faults = faults


class InvalidRequest(StateServiceError):
    """Raised when a request does not follow the contract."""

    code = "invalid_request"
    status = HTTPStatus.BAD_REQUEST


class NotFound(StateServiceError):
    """Raised when a thing that was named does not exist in the workspace."""

    code = "not_found"
    status = HTTPStatus.NOT_FOUND

    def __init__(self, kind: str, identifier: str) -> None:
        """Name the missing thing.

        Args:
            kind: what it is, such as ``play``.
            identifier: the id that was asked for.
        """
        super().__init__(f"There is no {kind} '{identifier}' in this workspace.")


class VersionConflict(StateServiceError):
    """Raised when a conditional write names a version that is not the current one."""

    code = "version_conflict"
    status = HTTPStatus.CONFLICT

    def __init__(self, current: int, expected: int) -> None:
        """Name both versions."""
        super().__init__(f"The context has version {current}, not {expected}.",
                         {"ifVersion": [f"The current version is {current}."]})
