"""Odd JSON is refused with a reason and never crashes anything."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from tests.web.checked_client import CheckedClient
from tests.web.conftest import Headers
from web.errors import MalformedJSON
from web.json_body import MAX_BYTES, parse_json

URL = "/api/v1/templates"
DEEP_ENOUGH = 64


def nested(depth: int) -> bytes:
    """Return lists within an object."""
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize(("raw", "reason"), [
    (b"", "line 1, column 1"),
    (b"{", "line 1, column 2"),
    (b"{'a': 1}", "line 1, column 2"),
    (b'{"a": 1,}', "line 1"),
    (b'{"a": 1} x', "line 1, column 10"),
    (b'{"a": "\n"}', "control character"),
    (b"\xff\xfe{\x00}\x00", "not UTF-8"),
    (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
    (b"\xef\xbb\xbf{}", "BOM"),
    (b'{"a": NaN}', "NaN"),
    (b'{"a": Infinity}', "Infinity"),
    (b'{"a": -Infinity}', "-Infinity"),
    (b'{"a": 1e400}', "too large"),
    (b'{"a": -1e400}', "too large"),
    (b'{"a": 9223372036854775808}', "64 bits"),
    (b'{"a": -9223372036854775809}', "64 bits"),
    (b'{"a": ' + b"9" * 10_000 + b"}", ""),
    (b'{"\\u0000": 1}', "NUL"),
    (b'{"templateId": "a", "blocks": [{"blockId": "b", "blockId": "c"}]}', "the name 'blockId' stands twice"),
    (b'{"a": ["\\ud800"]}', "surrogate"),
    (b'{"a": "\\udc00\\ud800"}', "surrogate"),
    (b'{"\\udfff": 1}', "surrogate"),
    (nested(DEEP_ENOUGH + 2), "nested too deeply"),
    (nested(100_000), "nested too deeply"),
    (b'{"a":' * 50_000, "nested too deeply"),
])
def test_what_is_refused(client: CheckedClient, admin: Headers, raw: bytes, reason: str) -> None:
    answer = client.post(URL, data=raw, content_type="application/json", headers=admin)
    assert (answer.status_code, answer.json["error"]) == (400, "malformed_json")
    assert reason in answer.json["message"]


@pytest.mark.parametrize(("raw", "parsed"), [
    (b'{"a": 9223372036854775807, "b": -9223372036854775808}', {"a": 2**63 - 1, "b": -(2**63)}),
    (b'{"a": 1e308, "b": -0.0, "c": 1E-400}', {"a": 1e308, "b": -0.0, "c": 0.0}),
    ('{"ü": "😀 \\ud83d\\ude00"}'.encode(), {"ü": "😀 😀"}),
    (b'{"": null, "a.b": {"$c": []}}', {"": None, "a.b": {"$c": []}}),
    (b' [1, true, "x"]\n', [1, True, "x"]),
])
def test_what_is_taken(raw: bytes, parsed: Any) -> None:
    assert parse_json(raw) == parsed


def test_64_levels_are_taken() -> None:
    parse_json(nested(DEEP_ENOUGH))
    with pytest.raises(MalformedJSON):
        parse_json(nested(DEEP_ENOUGH + 2))


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded",
                                          "multipart/form-data", "application/jsonp", "json"])
def test_a_body_has_to_be_declared_as_json(client: CheckedClient, admin: Headers, content_type: str | None) -> None:
    answer = client.post(URL, data=b"{}", content_type=content_type, headers=admin)
    assert (answer.status_code, answer.json["error"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/merge-patch+json"])
def test_other_ways_to_declare_json(client: CheckedClient, admin: Headers, content_type: str) -> None:
    assert client.post(URL, data=b"{}", content_type=content_type, headers=admin).status_code == 422


def test_too_large_a_body(client: CheckedClient, admin: Headers) -> None:
    answer = client.post(URL, data=b'"' + b"x" * MAX_BYTES + b'"', content_type="application/json", headers=admin)
    assert (answer.status_code, answer.json["error"]) == (413, "request_entity_too_large")
    assert "16 MB" in answer.json["message"]


def test_too_large_a_body_in_chunks_is_not_cut_off(client: CheckedClient, admin: Headers) -> None:
    body = BytesIO(b"{}" + b" " * MAX_BYTES)
    answer = client.post(URL, input_stream=body, environ_overrides={"wsgi.input_terminated": True},
                         content_type="application/json", headers=admin)
    assert answer.status_code == 413


def test_a_body_in_chunks(client: CheckedClient, admin: Headers) -> None:
    answer = client.post(URL, input_stream=BytesIO(b'{"name": 7}'), content_type="application/json", headers=admin,
                         environ_overrides={"wsgi.input_terminated": True})
    assert answer.status_code == 422 and "name" in answer.json["errors"]


@pytest.mark.parametrize("value", [
    "${input.x}", "'; DROP TABLE templates; --", "{{7*7}}", "<script>", "../../etc/passwd", "a\0b", "\u202e"])
def test_texts_are_only_texts(client: CheckedClient, admin: Headers, value: str) -> None:
    template = {"templateId": "t", "name": value, "version": "1.0.0",
                "blocks": [{"blockId": "a", "agentId": "x", "toolType": "api"}]}
    answer = client.post(URL, json=template, headers=admin)
    assert (answer.status_code, answer.json["name"], answer.mimetype) == (201, value, "application/json")
