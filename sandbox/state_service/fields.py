"""The kinds of values in request bodies: texts, ids, whole numbers, instants and JSON objects.

Each checks all of its value in one step, without validator objects: a batch of checkpoints has thousands of
values.
"""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError, fields

from sandbox.state_service import documents, instants

WORKSPACE_OR_PLAY_ID = r"^[A-Za-z0-9_-]{1,128}\Z"
"""Ids that people and the engine choose."""
BLOCK_OR_POINT_ID = r"^[A-Za-z0-9_:~-]{1,256}\Z"
"""Ids that the engine composes: ``:`` joins a map's index to its block, ``~`` marks a compiler's join."""
DEEPEST = 100
"""How many objects and arrays may stand in each other."""
MAX_WHOLE = 2**53 - 1
"""The largest number that every JSON reader keeps exactly."""


class Text(fields.Field[str]):
    """A text of bounded length that can be stored."""

    def __init__(self, longest: int, **settings: Any) -> None:
        """Bound the length.

        Args:
            longest: how many characters it may have.
            settings: as for any marshmallow field.
        """
        super().__init__(**settings)
        self._longest = longest

    def _deserialize(self, value: Any, attr: str | None, data: Any, **settings: Any) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= self._longest:
            raise ValidationError(f"Not a text of 1 to {self._longest} characters.")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise ValidationError("Not a valid text: half of a surrogate pair.")
        return value


class Identifier(fields.Field[str]):
    """An id that matches its pattern."""

    def __init__(self, pattern: str, **settings: Any) -> None:
        """Take the pattern of the id."""
        super().__init__(**settings)
        self._pattern = re.compile(pattern)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **settings: Any) -> str:
        if not isinstance(value, str) or not self._pattern.match(value):
            raise ValidationError("Not a valid id.")
        return value


class Whole(fields.Field[int]):
    """A whole number in a JSON body: no text, no truth value, no fraction."""

    def __init__(self, least: int, **settings: Any) -> None:
        """Bound the number from below."""
        super().__init__(**settings)
        self._least = least

    def _deserialize(self, value: Any, attr: str | None, data: Any, **settings: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not self._least <= value <= MAX_WHOLE:
            raise ValidationError(f"Not a whole number from {self._least} to {MAX_WHOLE}.")
        return value


class Instant(fields.Field[str]):
    """An RFC 3339 instant, kept as its text in UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **settings: Any) -> str:
        try:
            return instants.normalise(value)
        except (TypeError, ValueError) as error:
            raise ValidationError("Not an RFC 3339 instant.") from error


class JsonObject(fields.Field[dict[str, Any]]):
    """Any JSON object, unless it is nested so deep that not every reader takes it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **settings: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("Not a JSON object.")
        if documents.is_deeper_than(DEEPEST, value):
            raise ValidationError(f"Nested deeper than {DEEPEST}.")
        return value
