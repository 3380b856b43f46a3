"""Reads the files of settings: YAML documents laid over each other, with ``${NAME}`` filled in from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
Tree = Mapping[str, Any]


class UnreadableFile(Exception):
    """Raised when a file of settings is not there, or is no YAML mapping."""


def default_document(environ: Mapping[str, str]) -> Tree:
    """Return the settings of ``default.yml``."""
    return _parse(resources.files(__package__).joinpath("default.yml").read_text(encoding="utf-8"), environ)


def file_document(path: Path, environ: Mapping[str, str]) -> Tree:
    """Return the settings of a file.

    Raises:
        UnreadableFile: it can't be used; the message says why.
    """
    try:
        return _parse(path.read_text(encoding="utf-8"), environ)
    except OSError as error:
        raise UnreadableFile(f"can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UnreadableFile("is not UTF-8") from error
    except yaml.YAMLError as error:
        raise UnreadableFile(f"is not YAML{_place(error)}") from error


def overlay(lower: Tree, upper: Tree) -> Tree:
    """Return both trees in one; where both have a value that of the upper one counts."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        merged[key] = overlay(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def leaves_of(tree: Tree, prefix: str = "") -> dict[str, Any]:
    """Return the values of a tree by their paths, such as ``workflow.lease_ms``; a list is one value."""
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        path = f"{prefix}{key}"
        leaves.update(leaves_of(value, f"{path}.") if isinstance(value, dict) and value else {path: value})
    return leaves


def _parse(text: str, environ: Mapping[str, str]) -> Tree:
    documents = [document for document in yaml.safe_load_all(text) if document is not None]
    if not all(isinstance(document, dict) for document in documents):
        raise UnreadableFile("is not a mapping of sections")
    return reduce(overlay, (_filled(document, environ) for document in documents), {})


def _filled(value: Any, environ: Mapping[str, str]) -> Any:
    """Return a value with its placeholders filled in; None in place of a text that names a variable which is not set."""
    if isinstance(value, dict):
        return {key: _filled(child, environ) for key, child in value.items()}
    if not isinstance(value, str):
        return value
    if not all(environ.get(name) for name in _PLACEHOLDER.findall(value)):
        return None
    return _PLACEHOLDER.sub(lambda found: environ[found[1]], value)


def _place(error: yaml.YAMLError) -> str:
    """Say where the fault is, without the text around it, which may be a secret."""
    mark = getattr(error, "problem_mark", None)
    return f" (line {mark.line + 1})" if mark else ""
