"""What is no HTTP, or half of it, is refused by the web process in the one shape, and as the client's fault."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from email.parser import BytesParser
from urllib.parse import urlsplit

import pytest
from gunicorn.http.errors import InvalidResponseHeader

from tests.web.test_following import HEADERS, Server, running
from web.worker import refusal

TOKEN = f"Authorization: {HEADERS['Authorization']}\r\n"
TEMPLATE = b"""\
templateId: cut
name: Cut
version: 1.0.0
blocks:
  - {blockId: a, agentId: document-reader, toolType: use_case}
"""
GATE = b"  - {blockId: b, agentId: document-reader, toolType: use_case, humanInLoop: {required: true}}\n"
WHOLE = len(TEMPLATE + GATE)


def sending(headers: str) -> bytes:
    """Return the head of a request that stores a template."""
    first = f"POST /api/v1/templates HTTP/1.1\r\nHost: x\r\n{TOKEN}Content-Type: application/yaml\r\n"
    return f"{first}{headers}\r\n".encode()


def getting(headers: str, path: str = "/health") -> bytes:
    """Return a request that needs no body."""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode()


CHUNKS = sending("Transfer-Encoding: chunked\r\n")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a web process."""
    with running() as served:
        yield served


def answer_to(server: Server, raw: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes, say that no more will come, and return the status, the headers and the body of the answer."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        answered = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answered.partition(b"\r\n\r\n")
    first, _, headers = head.partition(b"\r\n")
    return int(first.split()[1]), dict(BytesParser().parsebytes(headers + b"\r\n\r\n").items()), body


@pytest.mark.parametrize(("raw", "status", "word"), [
    (b"\0\1\2\r\n\r\n", 400, "bad_request"),
    (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400, "bad_request"),
    (getting("no header\r\n"), 400, "bad_request"),
    (sending("Content-Length: -5\r\n"), 400, "bad_request"),
    (sending("Transfer-Encoding: rot13\r\n") + TEMPLATE, 400, "bad_request"),
    (getting("Expect: more\r\n"), 417, "expectation_failed"),
    (getting(f"X: {'a' * 9000}\r\n"), 431, "request_header_fields_too_large"),
    (getting("".join(f"X-{number}: a\r\n" for number in range(200))), 431, "request_header_fields_too_large"),
    (getting("", f"/api/v1/templates?search={'a' * 9000}"), 414, "uri_too_long"),
    (CHUNKS + b"no number\r\n" + TEMPLATE + b"\r\n0\r\n\r\n", 400, "bad_request"),
    (CHUNKS + b"3\r\n" + TEMPLATE + b"\r\n0\r\n\r\n", 400, "bad_request"),
    (CHUNKS + f"{WHOLE:x}\r\n".encode() + TEMPLATE, 400, "bad_request"),
    (CHUNKS + f"{len(TEMPLATE):x}\r\n".encode() + TEMPLATE + b"\r\n", 400, "bad_request"),
    (sending(f"Content-Length: {WHOLE}\r\n") + TEMPLATE, 400, "bad_request"),
])
def test_it_is_refused_in_the_one_shape(server: Server, raw: bytes, status: int, word: str) -> None:
    got, headers, body = answer_to(server, raw)
    told = json.loads(body)
    assert (got, told["code"], told["error"], headers["Content-Type"]) == (status, status, word, "application/json")
    assert told["requestId"] == headers["X-Request-ID"]
    assert int(headers["Content-Length"]) == len(body)


def test_a_template_whose_end_did_not_come_is_not_stored(server: Server) -> None:
    cut = TEMPLATE.replace(b"cut", b"half")
    assert answer_to(server, sending(f"Content-Length: {WHOLE + 1}\r\n") + cut)[0] == 400
    assert answer_to(server, getting(TOKEN, "/api/v1/templates/half"))[0] == 404
    assert answer_to(server, sending(f"Content-Length: {len(cut)}\r\n") + cut)[0] == 201


def test_an_address_may_have_many_filters(server: Server) -> None:
    filters = "&".join(f"attribute=name{number}:{'a' * 200}" for number in range(20))
    assert answer_to(server, getting(TOKEN, f"/api/v1/executions?{filters}"))[0] == 200


def test_a_fault_of_ours_is_called_one() -> None:
    head, _, body = refusal(InvalidResponseHeader("X"), "r1").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500 ") and json.loads(body)["error"] == "internal_error"
