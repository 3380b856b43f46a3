"""Reads the files of settings: YAML documents, each laid over the one before, with ``${NAME}`` from the environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

MAPPINGS = frozenset({"limits.agents", "limits.default"})
"""The settings whose value is a mapping, not a section of further settings."""
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class UnreadableFile(Exception):
    """Raised when a file of settings is not there, or is no YAML mapping."""


def default_values(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of ``default.yml`` by their paths, such as ``workflow.lease_ms``; a list is one value."""
    return _parse(resources.files(__package__).joinpath("default.yml").read_text(encoding="utf-8"), environ)


def file_values(path: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of a file by their paths.

    Raises:
        UnreadableFile: it can't be used; the message says why.
    """
    try:
        return _parse(path.read_text(encoding="utf-8"), environ)
    except OSError as error:
        raise UnreadableFile(f"can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UnreadableFile("is not UTF-8") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UnreadableFile(f"is not YAML{_place(error)}") from error


def _parse(text: str, environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for document in yaml.safe_load_all(text):
        if not isinstance(document, dict | None):
            raise UnreadableFile("is not a mapping of sections")
        values.update(_leaves(document or {}, ""))
    return {path: _filled(value, environ) for path, value in values.items()}


def _leaves(section: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in section.items():
        if isinstance(value, dict) and f"{prefix}{key}" not in MAPPINGS:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _filled(value: Any, environ: Mapping[str, str]) -> Any:
    """Return a value with its placeholders filled in; None for a text that names a variable which is not set."""
    if not isinstance(value, str):
        return value
    if not all(environ.get(name) for name in _PLACEHOLDER.findall(value)):
        return None
    return _PLACEHOLDER.sub(lambda found: environ[found[1]], value)


def _place(error: Exception) -> str:
    """Say where the fault is, without the text around it, which may be a secret."""
    mark = getattr(error, "problem_mark", None)
    return f" (line {mark.line + 1})" if mark else ""
