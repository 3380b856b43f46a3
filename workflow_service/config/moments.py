"""Failpoints as settings: a name, and which time that moment is reached."""

from __future__ import annotations

from workflow_service.config.kinds import shortened
from workflow_service.failpoints.catalogue import BY_NAME
from workflow_service.failpoints.failpoint import Moment

_MOST_DIGITS = 6


class MomentKind:
    """The name of a failpoint, or ``name:3`` for the third time it is reached."""

    @property
    def allowed(self) -> str:
        """The names."""
        return f"one of {', '.join(BY_NAME)}; with :3 at its end for the third time that moment is reached"

    def read(self, given: object) -> Moment:
        """Return the moment."""
        name, colon, number = given.partition(":") if isinstance(given, str) else ("", "", "")
        if name not in BY_NAME or not _is_occurrence(number if colon else "1"):
            raise ValueError("not a failpoint, or not a number")
        return Moment(name=name, occurrence=int(number or 1))

    def show(self, given: object) -> str:
        """Show it as it is."""
        return shortened(given)


def _is_occurrence(number: str) -> bool:
    return number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS and int(number) > 0
