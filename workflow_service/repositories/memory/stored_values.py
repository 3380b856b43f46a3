"""Values as they come back from a store: instants and durations cut, JSON copied.

What is kept here passes through this on the way in and on the way out, so that nobody can change a stored value by
holding on to a dictionary of it, and a test in memory sees what it would see on MongoDB.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from workflow_service.repositories.instants import cut_duration, cut_instant

V = TypeVar("V")


def as_stored(value: V) -> V:
    """Return a copy of a domain value as a store would give it back."""
    copy: V = _copy(value)
    return copy


def _copy(value: Any) -> Any:
    if isinstance(value, datetime):
        return cut_instant(value)
    if isinstance(value, timedelta):
        return cut_duration(value)
    if isinstance(value, Mapping):
        return _copy_json(value)
    if isinstance(value, tuple):
        return tuple(_copy(entry) for entry in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _copy(getattr(value, field.name)) for field in fields(value)})
    return value


def _copy_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy_json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_copy_json(entry) for entry in value]
    return value
