"""Turns files and environment into ``Settings``, or says everything that is wrong with them at once."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from workflow_service.config.catalogue import Entry, build, entries
from workflow_service.config.rules import broken_rules
from workflow_service.config.settings import Settings
from workflow_service.config.sources import Tree, UnreadableFile, default_document, file_document, leaves_of, overlay
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
    tree, issues = _tree(environ)
    values, faults = _values({**leaves_of(tree), **_set_in(environ)})
    issues += [*faults, *broken_rules(values)]
    if issues:
        raise ConfigurationError("The service can't start with these settings.", issues)
    return build(values)


def _tree(environ: Mapping[str, str]) -> tuple[Tree, list[Issue]]:
    """Return the files laid over each other, and what is wrong with the one that the user gave."""
    default = default_document(environ)
    if not environ.get(OVERLAY_VARIABLE):
        return default, []
    try:
        upper = file_document(Path(environ[OVERLAY_VARIABLE]), environ)
    except UnreadableFile as error:
        return default, [Issue(path=OVERLAY_VARIABLE, code="unreadable_file",
                               message=f"the file '{environ[OVERLAY_VARIABLE]}' {error}.")]
    known, unknown = _split_known(leaves_of(upper))
    return overlay(default, _as_tree(known)), [_unknown(path) for path in unknown]


def _split_known(leaves: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    paths = {entry.path for entry in entries()}
    return {path: leaf for path, leaf in leaves.items() if path in paths}, [path for path in leaves if path not in paths]


def _as_tree(leaves: Mapping[str, Any]) -> Tree:
    """Return the tree that has these leaves."""
    tree: dict[str, Any] = {}
    for path, value in leaves.items():
        *sections, name = path.split(".")
        place = tree
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    return tree


def _set_in(environ: Mapping[str, str]) -> dict[str, str]:
    return {entry.path: environ[entry.variable] for entry in entries() if environ.get(entry.variable)}


def _values(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Issue]]:
    """Return the values that could be read, and an issue for each of the others."""
    values: dict[str, Any] = {}
    issues: list[Issue] = []
    for entry in entries():
        raw = given.get(entry.path)
        if raw is None and entry.fallback:
            raw = given.get(entry.fallback)
            if raw is None:
                continue  # what is missing is named once, by the setting that it comes from
        try:
            values[entry.path] = entry.kind.read(raw)
        except ValueError:
            issues.append(_wrong(entry, raw))
    return values, issues


def _wrong(entry: Entry, raw: object) -> Issue:
    fault = "is missing" if raw is None else f"was given {entry.kind.show(raw)}"
    return Issue(path=f"{entry.variable} ({entry.path})", code="missing" if raw is None else "wrong_value",
                 message=f"{fault}; allowed: {entry.kind.allowed}.", allowed=(entry.kind.allowed,))


def _unknown(path: str) -> Issue:
    near = tuple(_near(path, (entry.path for entry in entries())))
    hint = f"; did you mean {near[0]}?" if near else "."
    return Issue(path=path, code="unknown_setting", message=f"there is no such setting{hint}", allowed=near)


def _near(path: str, known: Iterable[str]) -> Iterator[str]:
    yield from difflib.get_close_matches(path, list(known), n=1)
