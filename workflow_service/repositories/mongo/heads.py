"""The highest number that each execution has in the history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pymongo.collection import Collection
from pymongo.read_concern import ReadConcern

from workflow_service.repositories.mongo.connection import Raw
from workflow_service.services.recent import Recent

_KEPT = 10_000
_PROBES = 16
"""Numbers asked for at once while the highest one is looked for."""


class Heads:
    """Remembers highest numbers; they may be too low, as others append as well, but never too high."""

    def __init__(self, collection: Callable[[], Collection[Raw]]) -> None:
        """Start without any.

        Args:
            collection: gives the history.
        """
        self._collection = collection
        self._known: Recent[int] = Recent(_KEPT)

    def get(self, execution_id: str) -> int:
        """Return the highest number that is known, or else stored; 0 if there is none."""
        known = self._known.get(execution_id)
        return self.look_again(execution_id) if known is None else known

    def set(self, execution_id: str, number: int) -> None:
        """Remember that this number is stored."""
        self._known.set(execution_id, number)

    def look_again(self, execution_id: str) -> int:
        """Return the highest number that is stored, and remember it."""
        floor = self._known.get(execution_id) or 0
        highest = find_highest(lambda numbers: self._present(execution_id, numbers), floor)
        self._known.set(execution_id, highest)
        return highest

    def _present(self, execution_id: str, numbers: Sequence[int]) -> list[int]:
        # what a new primary could still take back must not be built upon
        history = self._collection().with_options(read_concern=ReadConcern("majority"))
        query = {"executionId": execution_id, "sequence": {"$in": numbers}}
        return [raw["sequence"] for raw in history.find(query, {"_id": 0, "sequence": 1})]


def find_highest(present: Callable[[Sequence[int]], Iterable[int]], floor: int) -> int:
    """Return the highest number of a row without gaps.

    Asking which of some numbers are there narrows it down quickly. Asking for the highest one itself would read the
    whole history on the embedded server.

    Args:
        present: says which of the given numbers are there.
        floor: a number that is there, or 0.
    """
    ceiling: int | None = None
    while ceiling is None or ceiling - floor > 1:
        probes = _probes(floor, ceiling)
        floor = max(present(probes), default=floor)
        ceiling = next((probe for probe in probes if probe > floor), ceiling)
    return floor


def _probes(floor: int, ceiling: int | None) -> list[int]:
    """Return numbers above the floor: ever further apart, or evenly below the ceiling if one is known."""
    if ceiling is None:
        return [floor + 2**power for power in range(_PROBES)]
    step = max(1, (ceiling - floor) // _PROBES)
    return list(range(floor + step, ceiling, step))
