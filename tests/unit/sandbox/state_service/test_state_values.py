"""JSON texts, instants, settings and merge patches of the reference State Management Service."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.state_service import context, documents, instants
from sandbox.state_service.config import StateServiceConfig


def test_equal_contents_are_equal_texts() -> None:
    assert documents.dump({"b": [1, None], "a": "é"}) == documents.dump({"a": "é", "b": [1, None]})


@pytest.mark.parametrize("content", [None, {"a": {"b": [1, 2.5, "x", None, True]}}, []])
def test_an_optional_content_comes_back(content: Any) -> None:
    assert documents.load_optional(documents.dump_optional(content)) == content


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b"1e999", b"[Infinity]", b"[-Infinity]", b"\xff",
                                  b"[" * 100_000])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        documents.parse(body)


@pytest.mark.parametrize(("content", "depth"), [
    ({}, 1), ([{}, 1], 2), ({"a": [1, {"b": []}], "c": 1}, 4)])
def test_depth_counts_objects_and_arrays(content: Any, depth: int) -> None:
    assert documents.is_deeper_than(depth - 1, content)
    assert not documents.is_deeper_than(depth, content)


@pytest.mark.parametrize(("given", "normalised"), [
    ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
    ("2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.100000Z"),
    ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456Z"),
    ("2026-01-02T03:04:05+05:30", "2026-01-01T21:34:05.000000Z"),
])
def test_instants_are_normalised(given: str, normalised: str) -> None:
    assert instants.normalise(given) == normalised


@pytest.mark.parametrize("text", [
    "", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "20260102T030405Z",
    "2026-13-02T03:04:05Z", "2026-01-02T03:04:05Z\n", "0001-01-01T00:00:00+01:00"])
def test_what_is_no_instant_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        instants.normalise(text)


def test_texts_of_instants_sort_as_they_do() -> None:
    texts = [instants.to_text(datetime(2026, 1, 1, 0, 0, 0, micros, tzinfo=UTC))
             for micros in (0, 1, 10, 999_999)]

    assert sorted(texts) == texts


def test_the_directory_comes_from_the_environment() -> None:
    assert StateServiceConfig.from_environment({"STATE_SERVICE_DATA": "/x/y"}).directory == Path("/x/y")


@pytest.mark.parametrize("environment", [{}, {"STATE_SERVICE_DATA": ""}])
def test_a_missing_directory_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="STATE_SERVICE_DATA"):
        StateServiceConfig.from_environment(environment)


# the cases of RFC 7396, appendix A, whose patch is an object
@pytest.mark.parametrize(("target", "patch", "merged"), [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}), ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}), ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}), ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}), ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}), ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
])
def test_merge_patches_follow_the_standard(target: Any, patch: dict[str, Any],
                                           merged: dict[str, Any]) -> None:
    assert context.merge(target, patch) == merged


def test_a_merge_leaves_its_target_alone() -> None:
    target = {"a": {"b": 1}}

    context.merge(target, {"a": {"b": 2}})

    assert target == {"a": {"b": 1}}
