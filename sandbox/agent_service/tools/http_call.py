"""One HTTP call of an agent, bounded in time and size, with its failures classified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from sandbox.agent_service.errors import AgentServiceError, WorkFailed
from sandbox.agent_service.tools.base import ToolCall

_LARGEST_ANSWER = 5 * 1024 * 1024
_CHUNK = 64 * 1024
_CONNECT_SECONDS = 5.0
_MOST_REDIRECTS = 5
_RETRY_LATER = frozenset({408, 425, 429})


@dataclass(frozen=True, kw_only=True)
class HttpQuestion:
    """What to send."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    """Sent as JSON; None for no body."""
    follow_redirects: bool = False


def send(call: ToolCall, question: HttpQuestion) -> bytes:
    """Send a question once and return the body of the answer; retries are the caller's.

    Raises:
        AgentServiceError: no answer in time, a refusal, or a call that cannot be made.
    """
    call.cancellation.check()
    try:
        with requests.Session() as session:
            session.trust_env = False  # no password from ~/.netrc goes to an address that the input named
            session.max_redirects = _MOST_REDIRECTS
            with session.request(
                    question.method, question.url, headers=dict(question.headers), params=dict(question.query),
                    json=question.body, allow_redirects=question.follow_redirects, stream=True,
                    timeout=(min(_CONNECT_SECONDS, call.seconds_left()), call.seconds_left())) as answer:
                if answer.status_code >= 300:
                    raise _refusal(answer)
                return _body(call, answer)
    except (requests.RequestException, HTTPError) as error:
        raise _failure(call, question.url, error) from error


def place_of(url: str) -> str:
    """Name the server and path of a URL without its query and password, which may be secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _body(call: ToolCall, answer: requests.Response) -> bytes:
    """Read the answer within the deadline, also from a server that sends one byte at a time."""
    body = bytearray()
    while chunk := answer.raw.read1(_CHUNK, decode_content=True):
        body += chunk
        call.cancellation.check()
        call.seconds_left()
        if len(body) > _LARGEST_ANSWER:
            raise WorkFailed("invalid_answer", "agent", f"{place_of(answer.url)} answered more than 5 MB.")
    return bytes(body)


def _refusal(answer: requests.Response) -> WorkFailed:
    retry = answer.status_code >= 500 or answer.status_code in _RETRY_LATER
    return WorkFailed("http_error", "transient" if retry else "configuration",
                      f"{place_of(answer.url)} answered {answer.status_code}.",
                      retry_after_ms=_retry_after_ms(answer) if retry else None)


def _retry_after_ms(answer: requests.Response) -> int | None:
    seconds = answer.headers.get("Retry-After", "")
    return int(seconds) * 1000 if seconds.isdecimal() and len(seconds) < 7 else None


def _failure(call: ToolCall, url: str, error: Exception) -> AgentServiceError:
    if isinstance(error, (requests.ReadTimeout, ReadTimeoutError)):
        return call.timed_out()
    if isinstance(error, (ValueError, requests.TooManyRedirects)):  # what requests finds wrong in URL or header
        return WorkFailed("invalid_call", "configuration", f"{place_of(url)} cannot be called so.")
    return WorkFailed("connection_failed", "transient", f"{place_of(url)} cannot be reached.")
