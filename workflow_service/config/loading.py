"""Turns files and environment into ``Settings``, or says everything that is wrong with them at once."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workflow_service.config.catalogue import Entry, build, entries
from workflow_service.config.rules import broken_rules
from workflow_service.config.settings import Settings
from workflow_service.config.sources import UnreadableFile, default_values, file_values
from workflow_service.domain.errors import Invalid, Issue

OVERLAY_VARIABLE = "WORKFLOW_CONFIG"
"""Names the file that is laid over the defaults."""


class ConfigurationError(Invalid):
    """Raised when settings are wrong; names each of them, what was given (never a secret) and what is allowed."""

    code = "invalid_configuration"


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read and check all settings.

    Args:
        environ: the environment variables.

    Raises:
        ConfigurationError: at least one setting is wrong.
    """
    laid_over, file_issues = _laid_over(environ)
    values, issues = _values({**default_values(environ), **laid_over, **_set_in(environ)})
    issues = [*file_issues, *issues, *broken_rules(values)]
    if issues:
        raise ConfigurationError("The service can't start with these settings.", issues)
    return build(values)


def _laid_over(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[Issue]]:
    """Return the values of the user's file, and what is wrong with the file."""
    name = environ.get(OVERLAY_VARIABLE)
    if not name:
        return {}, []
    try:
        values = file_values(Path(name), environ)
    except UnreadableFile as error:
        return {}, [Issue(path=OVERLAY_VARIABLE, code="unreadable_file", message=f"the file '{name}' {error}.")]
    known = [entry.path for entry in entries()]
    # a section whose lines are all commented out is a path without a value
    return values, [_unknown(path, known) for path, value in values.items() if path not in known
                    and not (value is None and any(other.startswith(f"{path}.") for other in known))]


def _set_in(environ: Mapping[str, str]) -> dict[str, str]:
    return {entry.path: environ[entry.variable] for entry in entries() if environ.get(entry.variable)}


def _values(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Issue]]:
    """Return the values that could be read, and an issue for each of the others."""
    values: dict[str, Any] = {}
    issues: list[Issue] = []
    for entry in entries():
        raw = given.get(entry.path)
        if raw is None and entry.fallback:
            if entry.fallback not in values:
                continue  # the setting that it falls back on is named as wrong already
            raw = values[entry.fallback]
        if raw is None and entry.is_optional:
            values[entry.path] = None
            continue
        try:
            values[entry.path] = entry.kind.read(raw)
        except ValueError:
            issues.append(_wrong(entry, raw))
    return values, issues


def _wrong(entry: Entry, raw: object) -> Issue:
    fault = "is missing" if raw is None else f"was given {entry.kind.show(raw)}"
    return Issue(path=f"{entry.variable} ({entry.path})", code="missing" if raw is None else "wrong_value",
                 message=f"{fault}; allowed: {entry.kind.allowed}.", allowed=(entry.kind.allowed,))


def _unknown(path: str, known: Sequence[str]) -> Issue:
    near = tuple(difflib.get_close_matches(path, known, n=1))
    hint = f"; did you mean {near[0]}?" if near else "."
    return Issue(path=path, code="unknown_setting", message=f"there is no such setting{hint}", allowed=near)
