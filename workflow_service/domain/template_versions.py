"""Versions of templates: which is greater, which comes next, and what counts as the same content."""

from __future__ import annotations

import json

from workflow_service.domain.template import Document


def precedence(version: str) -> tuple[int, ...]:
    """Return what versions (``major.minor.patch``) are compared by: their numbers, not their text."""
    return tuple(int(number) for number in version.split("."))


def next_patch(version: str) -> str:
    """Return the version after this one, with the patch number grown by one."""
    major, minor, patch = precedence(version)
    return f"{major}.{minor}.{patch + 1}"


def is_same_document(one: Document, other: Document) -> bool:
    """Say whether two documents are the same JSON, whatever the order of their keys.

    As text, because in Python ``1``, ``1.0`` and ``True`` are equal, and to a template they are not.
    """
    return _text(one) == _text(other)


def _text(document: Document) -> str:
    return json.dumps(document, sort_keys=True)
