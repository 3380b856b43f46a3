"""All settings as a list: what the loader reads, and what the README shows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, get_type_hints

from workflow_service.config.kinds import Kind
from workflow_service.config.settings import DEVELOPMENT_JWT_SECRET, Leaf, Section, Settings, Values
from workflow_service.config.sources import default_values

_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LEFT_OUT = frozenset({"DATABASE", "CACHE", "INTEGRATIONS", "OPTIONS", "BASE", "SECURITY"})


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One setting."""

    group: str
    """The field of ``Settings`` that holds it."""
    name: str
    """Its field there."""
    path: str
    """Its place in the file."""
    variable: str
    """The environment variable that sets it."""
    kind: Kind
    meaning: str
    fallback: str | None
    """The path of the setting whose value it has if it has none itself."""
    is_optional: bool
    """True if the service works without it."""


@dataclass(frozen=True, kw_only=True)
class SettingDescription:
    """One setting, for people."""

    name: str
    """The environment variable that sets it."""
    path: str
    """Its place in the file."""
    meaning: str
    default: str


def variable_of(path: str) -> str:
    """Return the environment variable that the rule gives to a setting."""
    words = _CAMEL_CASE.sub("_", path).replace(".", "_").upper().split("_")
    return "_".join(word for word in words if word not in _LEFT_OUT)


@cache
def entries() -> tuple[Entry, ...]:
    """Return all settings in the order of ``Settings``."""
    groups = get_type_hints(Settings)
    return tuple(_entry(group.name, group.metadata["section"], leaf.name, leaf.metadata["leaf"])
                 for group in fields(Settings) for leaf in fields(groups[group.name]))


def describe() -> Sequence[SettingDescription]:
    """Return name, meaning and default of every setting, and of ``WORKFLOW_CONFIG``."""
    defaults = default_values({})
    overlay = SettingDescription(name="WORKFLOW_CONFIG", path="", default="none",
                                 meaning="Path of a YAML file that is laid over the defaults.")
    return [overlay, *(SettingDescription(name=entry.variable, path=entry.path, meaning=entry.meaning,
                                          default=_shown_default(entry, defaults)) for entry in entries())]


def build(values: Values) -> Settings:
    """Return the settings with these values, one for each entry."""
    groups: dict[str, dict[str, Any]] = {}
    for entry in entries():
        groups.setdefault(entry.group, {})[entry.name] = values[entry.path]
    classes = get_type_hints(Settings)
    return Settings(**{name: classes[name](**leaves) for name, leaves in groups.items()})


def _entry(group: str, section: Section, name: str, leaf: Leaf) -> Entry:
    path = f"{section.path}.{leaf.path}"
    return Entry(group=group, name=name, path=path, variable=leaf.variable or variable_of(path), kind=leaf.kind,
                 meaning=leaf.meaning.format(title=section.title), fallback=leaf.fallback, is_optional=leaf.is_optional)


def _shown_default(entry: Entry, defaults: Mapping[str, object]) -> str:
    default = defaults.get(entry.path)
    if default is None:
        alone = "none" if entry.is_optional else "required"
        return f"that of {variable_of(entry.fallback)}" if entry.fallback else alone
    if default == DEVELOPMENT_JWT_SECRET:
        return "a public one, for development only"
    return ", ".join(default) if isinstance(default, list) else str(default)
