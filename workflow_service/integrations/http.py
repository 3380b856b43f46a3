"""Calls of other services: JSON over HTTP, bounded in time and size, repeated only where that can help.

This is the one user of tenacity. It bridges the seconds in which a service restarts or a kept connection turns out to
be dead; whatever lasts longer is for the block's retry policy.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self

import requests
from requests.exceptions import ChunkedEncodingError, ContentDecodingError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)
from urllib3.exceptions import HTTPError, InvalidHeader, ReadTimeoutError

from workflow_service.integrations import json_text
from workflow_service.integrations.bounded_answers import BoundedAdapter
from workflow_service.integrations.http_errors import (
    BadAnswer,
    CallFailed,
    Refused,
    TimedOut,
    TruncatedAnswer,
    Unreachable,
    Unsendable,
)

_LOG = logging.getLogger(__name__)
_CHUNK = 64 * 1024
_LONGEST_RETRY_AFTER = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How often and how fast a call is repeated."""

    attempts: int = 3
    """The first one is one of them."""
    total: timedelta = timedelta(seconds=10)
    """No attempt begins later than this after the first one."""
    first_delay: timedelta = timedelta(milliseconds=100)
    """The delay before the second attempt is drawn from zero to this; from twice as much before the third ..."""
    longest_delay: timedelta = timedelta(seconds=2)
    sleep: Callable[[float], None] = time.sleep
    """Waits that many seconds."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A good answer."""

    status: int
    body: Any
    """The JSON value; None if the answer is empty."""


@dataclass(frozen=True, kw_only=True)
class _Request:
    """One call; it is the same in each attempt."""

    method: str
    path: str
    content: bytes | None
    query: Mapping[str, str | int]
    headers: Mapping[str, str]
    deadline: float
    """When it must be over, by the monotonic clock."""


class JsonClient:
    """Calls one service. May be used by many threads at once."""

    def __init__(self, base_url: str, *, service: str, timeout: timedelta, connections: int = 32,
                 connect_timeout: timedelta = timedelta(seconds=3), retries: Retries = Retries(),
                 largest_answer: int = 32 * 1024 * 1024) -> None:
        """Make the client; nothing is connected yet.

        Args:
            base_url: what all paths are appended to.
            service: the name of the service, for messages.
            timeout: of a call as a whole, with all its attempts, unless the call says otherwise.
            connections: how many are kept; at least the number of threads that call.
            connect_timeout: of connecting, and of sending the request.
            retries: how calls are repeated.
            largest_answer: in bytes, after decompression.
        """
        self.service = service
        self._base_url = base_url.rstrip("/")
        self.timeout = timeout
        self._connect_timeout = connect_timeout.total_seconds()
        self._retries = retries
        self._largest_answer = largest_answer
        self._session = _session(connections)

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections; the client can still be used."""
        self._session.close()

    def call(self, method: str, path: str, *, content: bytes | None = None,
             query: Mapping[str, str | int] | None = None, idempotency_key: str | None = None,
             correlation_id: str | None = None, timeout: timedelta | None = None,
             is_repeatable: bool = True) -> Answer:
        """Call the service.

        Args:
            path: begins with a slash; what is variable in it is percent-encoded.
            content: the JSON text of the body.
            query: what stands after the question mark, not yet encoded.
            idempotency_key: lets the service know a call that it has had before.
            correlation_id: leads from the service's log to ours.
            timeout: of this call as a whole; None for the client's.
            is_repeatable: False if the service would do its work twice when it is called twice.

        Raises:
            CallFailed: there is no good answer.
        """
        patience = self.timeout if timeout is None else timeout
        headers = {"Idempotency-Key": idempotency_key, "X-Correlation-ID": correlation_id,
                   "Content-Type": "application/json" if content is not None else None}
        request = _Request(
            method=method, path=path, content=content, query=query or {},
            headers={name: value for name, value in headers.items() if value is not None},
            deadline=time.monotonic() + patience.total_seconds())
        if not is_repeatable:
            return self._attempt(request)
        return self._retrying(min(patience, self._retries.total))(self._attempt, request)

    def _retrying(self, total: timedelta) -> Retrying:
        rule = self._retries
        return Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, CallFailed) and error.is_worth_repeating),
            stop=stop_after_attempt(rule.attempts) | stop_before_delay(total.total_seconds()),
            wait=wait_random_exponential(rule.first_delay.total_seconds(), rule.longest_delay.total_seconds()),
            sleep=rule.sleep, before_sleep=_log_repetition, reraise=True)

    def _attempt(self, request: _Request) -> Answer:
        left = request.deadline - time.monotonic()
        if left <= 0:
            raise TimedOut(f"The {self.service} did not answer in time.")
        try:
            with self._session.request(
                    request.method, self._base_url + request.path, data=request.content, params=request.query,
                    headers=request.headers, timeout=(min(self._connect_timeout, left), left), stream=True,
                    allow_redirects=False) as response:
                content = self._content(response)
        except (requests.RequestException, HTTPError, ValueError) as error:
            raise self._failure(error) from error
        return self._answer(response, content)

    def _content(self, response: requests.Response) -> bytes:
        content = bytearray()
        for chunk in response.iter_content(_CHUNK):
            content += chunk
            if len(content) > self._largest_answer:
                raise BadAnswer(f"The {self.service} gave an answer of more than {self._largest_answer} bytes.")
        return bytes(content)

    def _answer(self, response: requests.Response, content: bytes) -> Answer:
        if not HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            raise Refused(f"The {self.service} answered with the HTTP status {response.status_code}.",
                          status=response.status_code, error=_error_of(content),
                          retry_after=_retry_after(response.headers.get("Retry-After")))
        try:
            return Answer(status=response.status_code, body=json_text.decode(content) if content else None)
        except ValueError as error:
            raise BadAnswer(f"The {self.service} gave an answer that can't be used: {error}.") from error

    def _failure(self, error: Exception) -> CallFailed:
        """Say what an error of the libraries means."""
        causes = list(_causes(error))
        if isinstance(error, requests.ReadTimeout) or any(isinstance(cause, ReadTimeoutError) for cause in causes):
            return TimedOut(f"The {self.service} did not answer in time.")
        if isinstance(error, ContentDecodingError):
            return BadAnswer(f"The {self.service} gave an answer that can't be decompressed.")
        if any(isinstance(cause, OSError) for cause in causes[1:]):
            return Unreachable(f"The connection to the {self.service} broke.")
        if isinstance(error, ChunkedEncodingError):
            return TruncatedAnswer(f"The answer of the {self.service} ended too early.")
        if any(isinstance(cause, HTTPException | InvalidHeader) for cause in causes):
            return BadAnswer(f"The {self.service} gave an answer that is not HTTP.")
        if isinstance(error, ValueError):
            return Unsendable(f"The request to the {self.service} can't be written: {type(error).__name__}.")
        return Unreachable(f"The {self.service} can't be reached.")


def _session(connections: int) -> requests.Session:
    session = requests.Session()
    session.headers["User-Agent"] = "agentic-workflow-service"
    session.headers["Accept"] = "application/json"
    # a cookie that one thread was given must not go out with the call of another
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("http://", "https://"):
        session.mount(scheme, BoundedAdapter(pool_connections=1, pool_maxsize=connections))
    return session


def _error_of(content: bytes) -> Mapping[str, Any] | None:
    """Return the body of an error if it is one that a service of ours writes."""
    try:
        body = json_text.decode(content)
    except ValueError:
        return None
    return body if isinstance(body, dict) and isinstance(body.get("code"), str) and body["code"] else None


def _retry_after(header: str | None) -> timedelta | None:
    """Return the wait of a ``Retry-After`` header: seconds, or a date."""
    if header is None:
        return None
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", header, re.ASCII):
        return min(timedelta(seconds=int(header)), _LONGEST_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)
    return min(max(wait, timedelta()), _LONGEST_RETRY_AFTER)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that its library wrapped in it."""
    yield error
    for part in (*error.args, getattr(error, "reason", None)):
        if isinstance(part, BaseException):
            yield from _causes(part)


def _log_repetition(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    _LOG.info("Attempt %d failed, trying again: %s", state.attempt_number, error)
