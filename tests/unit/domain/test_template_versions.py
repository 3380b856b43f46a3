"""Versions of templates are numbers, and content is JSON."""

from __future__ import annotations

from typing import Any

import pytest

from workflow_service.domain.template_versions import is_same_document, next_patch, precedence


def test_versions_are_compared_as_numbers() -> None:
    versions = ["0.9.0", "1.0.0", "1.0.9", "1.0.10", "1.9.0", "1.10.0", "2.0.0", "10.0.0"]
    assert sorted(reversed(versions), key=precedence) == versions


@pytest.mark.parametrize(("version", "following"), [("1.0.0", "1.0.1"), ("1.4.9", "1.4.10"), ("0.0.99", "0.0.100")])
def test_next_patch(version: str, following: str) -> None:
    assert next_patch(version) == following


@pytest.mark.parametrize(("one", "other", "same"), [
    ({"a": 1, "b": [1, 2]}, {"b": [1, 2], "a": 1}, True),
    ({"a": [1, 2]}, {"a": [2, 1]}, False),
    ({"a": (1, 2)}, {"a": [1, 2]}, True),
    ({"a": 1}, {"a": True}, False),
    ({"a": 1}, {"a": 1.0}, False),
    ({"a": None}, {}, False),
    ({"a": {"b": "ü"}}, {"a": {"b": "ü"}}, True),
])
def test_documents_are_the_same_if_their_json_is(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    assert is_same_document(one, other) is same
