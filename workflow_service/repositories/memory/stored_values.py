"""Values as they come back from a store: instants and durations cut, JSON copied.

What is kept here passes through this on the way in and on the way out, so that nobody can change a stored value by
holding on to a dictionary of it, and a test in memory sees what it would see on MongoDB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, TypeVar

from workflow_service.repositories.instants import cut_duration, cut_instant

V = TypeVar("V")
_TEXT = frozenset({str})


def as_stored(value: V) -> V:
    """Return a copy of a domain value as a store would give it back."""
    stored: V = _copy(value)
    return stored


def _copy(value: Any) -> Any:
    kind: Any = type(value)
    return _copier(kind)(value)


@cache
def _copier(kind: type) -> Callable[[Any], Any]:
    """Return what copies values of a type; what can't change is not copied."""
    if issubclass(kind, datetime):
        return cut_instant
    if issubclass(kind, timedelta):
        return cut_duration
    if issubclass(kind, Mapping):
        return _copy_json
    if issubclass(kind, tuple):
        return _copy_tuple
    return partial(_copy_fields, tuple(field.name for field in fields(kind))) if is_dataclass(kind) else _same


def _copy_fields(names: tuple[str, ...], value: Any) -> Any:
    known = vars(value)
    copied = {name: _copy(known[name]) for name in names}
    differing = {name: new for name, new in copied.items() if new is not known[name]}
    if not differing:
        return value
    stored = copy(value)
    vars(stored).update(differing)
    return stored


def _copy_tuple(value: tuple[Any, ...]) -> tuple[Any, ...]:
    return value if _TEXT.issuperset(map(type, value)) else tuple(_copy(entry) for entry in value)


def _same(value: Any) -> Any:
    return value


def _copy_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy_json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_copy_json(entry) for entry in value]
    return value
