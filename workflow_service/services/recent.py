"""A bounded memory of what was seen last."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Values by key; when it is full, what was set longest ago is forgotten. Threads may share it."""

    def __init__(self, size: int) -> None:
        """Start empty.

        Args:
            size: how many values are kept at most.
        """
        self._size = size
        self._values: OrderedDict[str, T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str) -> T | None:
        """Return the value; None if it is not known (any more)."""
        with self._lock:
            return self._values.get(key)

    def set(self, key: str, value: T) -> None:
        """Remember a value."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            if len(self._values) > self._size:
                self._values.popitem(last=False)
