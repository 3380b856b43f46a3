"""``JsonClient`` against servers that misbehave in every way."""

import gzip
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.unit.integrations.rude_server import (
    Behaviour,
    RudeServer,
    closed_port,
    drip,
    flood,
    hang,
    hang_up,
    raw,
    reply,
    reset,
    reset_in_body,
)
from workflow_service.integrations.http import JsonClient, Retries
from workflow_service.integrations.http_errors import (
    BadAnswer,
    CallFailed,
    Refused,
    TimedOut,
    TruncatedAnswer,
    Unreachable,
    Unsendable,
)

HALF = b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"half"'
GOOD = reply(200, {"a": 1})


@pytest.fixture
def slept() -> list[float]:
    """Give the list in which the seconds between attempts are noted instead of being waited for."""
    return []


@pytest.fixture
def connect(slept: list[float]) -> Iterator[Callable[..., JsonClient]]:
    """Give a function that makes clients; they are closed in the end."""
    made: list[JsonClient] = []

    def make(url: str, **changes: Any) -> JsonClient:
        usual = {"service": "Test Service", "timeout": timedelta(seconds=5), "retries": Retries(sleep=slept.append)}
        made.append(JsonClient(url, **{**usual, **changes}))
        return made[-1]

    yield make
    for client in made:
        client.close()


Connect = Callable[..., JsonClient]


def test_a_call_is_what_it_says(server: RudeServer, connect: Connect) -> None:
    server.will(reply(200, {"a": [1, None, "é"]}))
    answer = connect(f"{server.url}/base/").call(
        "PUT", "/things/a%3Ab", content=b"{}", query={"q": "x y", "n": 1}, idempotency_key="k:1", correlation_id="c")
    assert (answer.status, answer.body) == (200, {"a": [1, None, "é"]})
    (request,) = server.requests
    assert (request.method, request.target, request.body) == ("PUT", "/base/things/a%3Ab?q=x+y&n=1", b"{}")
    assert request.headers["idempotency-key"] == "k:1"
    assert request.headers["x-correlation-id"] == "c"
    assert request.headers["content-type"] == "application/json"


def test_headers_that_are_not_given_are_not_sent(server: RudeServer, connect: Connect) -> None:
    connect(server.will(reply(204)).url).call("GET", "/")
    assert not server.requests[0].headers.keys() & {"idempotency-key", "x-correlation-id", "content-type"}


def test_an_empty_answer_is_none(server: RudeServer, connect: Connect) -> None:
    assert connect(server.will(reply(204)).url).call("DELETE", "/").body is None


def test_connections_are_kept_and_cookies_are_not(server: RudeServer, connect: Connect) -> None:
    client = connect(server.will(reply(200, {}, Set_Cookie="a=b")).url)
    for _ in range(3):
        client.call("GET", "/")
    assert server.connections == 1
    assert all("cookie" not in request.headers for request in server.requests)


def test_many_threads_share_a_client(server: RudeServer, connect: Connect) -> None:
    client = connect(server.will(GOOD).url, connections=8)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: client.call("GET", f"/{number}").body, range(80)))
    assert answers == [{"a": 1}] * 80
    assert {request.target for request in server.requests} == {f"/{number}" for number in range(80)}
    assert server.connections <= 8


class TestRepetition:
    """What is tried again."""

    @pytest.mark.parametrize("first", [
        hang_up, reset, reset_in_body, raw(HALF), raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
        reply(502, b"<html>"), reply(503), reply(504, {"message": "no code"})])
    def test_what_passes_is_tried_again(self, server: RudeServer, connect: Connect, slept: list[float],
                                        first: Behaviour) -> None:
        server.will(first, GOOD)
        assert connect(server.url).call("POST", "/", content=b'{"k":1}', idempotency_key="k").body == {"a": 1}
        assert [request.json for request in server.requests] == [{"k": 1}] * 2
        assert {request.headers["idempotency-key"] for request in server.requests} == {"k"}
        assert len(slept) == 1

    @pytest.mark.parametrize("only", [
        reply(500), reply(501, b"<html>"), reply(503, {"code": "busy"}), reply(429), reply(400),
        reply(302, Location="/"), reply(200, b"not json"), raw(b"what?\r\n\r\n")])
    def test_what_is_definite_is_not(self, server: RudeServer, connect: Connect, only: Behaviour) -> None:
        with pytest.raises(CallFailed):
            connect(server.will(only).url).call("GET", "/")
        assert len(server.requests) == 1

    def test_a_time_out_is_not(self, server: RudeServer, connect: Connect) -> None:
        with pytest.raises(TimedOut):
            connect(server.will(hang).url, timeout=timedelta(seconds=0.2)).call("GET", "/")
        assert len(server.requests) == 1

    def test_a_call_that_is_not_repeatable_is_made_once(self, server: RudeServer, connect: Connect) -> None:
        with pytest.raises(Unreachable):
            connect(server.will(hang_up).url).call("POST", "/", content=b"{}", is_repeatable=False)
        assert len(server.requests) == 1

    def test_attempts_are_bounded(self, server: RudeServer, connect: Connect, slept: list[float]) -> None:
        rule = Retries(attempts=4, first_delay=timedelta(seconds=1), longest_delay=timedelta(seconds=3),
                       sleep=slept.append)
        with pytest.raises(Unreachable):
            connect(server.will(hang_up).url, retries=rule).call("GET", "/")
        assert len(server.requests) == 4
        assert all(0 <= seconds <= limit for seconds, limit in zip(slept, (1, 2, 3), strict=True))

    def test_the_delays_are_drawn(self, server: RudeServer, connect: Connect, slept: list[float]) -> None:
        client = connect(server.will(hang_up).url)
        for _ in range(5):
            with pytest.raises(Unreachable):
                client.call("GET", "/")
        assert len(set(slept)) == len(slept) == 10

    def test_seconds_are_bounded(self, server: RudeServer, connect: Connect) -> None:
        began = time.monotonic()
        rule = Retries(attempts=1000, total=timedelta(seconds=0.3), first_delay=timedelta(milliseconds=20),
                       longest_delay=timedelta(milliseconds=20))
        with pytest.raises(Unreachable):
            connect(server.will(hang_up).url, retries=rule).call("GET", "/")
        assert time.monotonic() - began < 2
        assert 2 < len(server.requests) < 1000

    def test_the_time_out_bounds_all_attempts_together(self, server: RudeServer, connect: Connect) -> None:
        began = time.monotonic()
        server.will(hang_up, hang)
        with pytest.raises(TimedOut):
            connect(server.url, timeout=timedelta(seconds=0.3)).call("GET", "/")
        assert 0.2 < time.monotonic() - began < 2

    def test_a_kept_connection_that_died_is_replaced(self, server: RudeServer, connect: Connect) -> None:
        client = connect(server.will(GOOD, lambda connection: False, GOOD).url)
        client.call("GET", "/first")
        assert client.call("GET", "/second").body == {"a": 1}
        assert server.connections == 2


class TestFailures:
    """What each misbehaviour is called."""

    @pytest.mark.parametrize("only", [
        hang, drip(b""), drip(b"HTTP/1.1 200 OK\r\nX: "), drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n")])
    def test_too_slow(self, server: RudeServer, connect: Connect, only: Behaviour) -> None:
        began = time.monotonic()
        with pytest.raises(TimedOut):
            connect(server.will(only).url).call("GET", "/", timeout=timedelta(seconds=0.3))
        assert 0.2 < time.monotonic() - began < 2

    def test_nobody_listens(self, connect: Connect, slept: list[float]) -> None:
        with pytest.raises(Unreachable):
            connect(f"http://127.0.0.1:{closed_port()}").call("GET", "/")
        assert len(slept) == 2

    def test_no_such_host(self, connect: Connect) -> None:
        with pytest.raises(Unreachable):
            connect("http://host.invalid").call("GET", "/")

    @pytest.mark.parametrize("only", [hang_up, reset, reset_in_body])
    def test_broken(self, server: RudeServer, connect: Connect, only: Behaviour) -> None:
        with pytest.raises(Unreachable):
            connect(server.will(only).url).call("GET", "/")

    @pytest.mark.parametrize("only", [
        raw(HALF), raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")])
    def test_truncated(self, server: RudeServer, connect: Connect, only: Behaviour) -> None:
        with pytest.raises(TruncatedAnswer):
            connect(server.will(only).url).call("GET", "/")

    @pytest.mark.parametrize("only", [
        raw(b"SSH-2.0-OpenSSH\r\n"), raw(b"HTTP/1.1 two hundred\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200),
        raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"),
        reply(200, b"<html>"), reply(200, b'{"a":'), reply(200, b"\xff"), reply(200, b'{"a":NaN}'),
        reply(200, b"[" * 100_000), reply(200, b"{}", Content_Encoding="gzip"), flood])
    def test_garbage(self, server: RudeServer, connect: Connect, only: Behaviour) -> None:
        with pytest.raises(BadAnswer):
            connect(server.will(only).url, largest_answer=1_000_000).call("GET", "/")

    def test_too_large(self, server: RudeServer, connect: Connect) -> None:
        client = connect(server.will(reply(200, b'"123456789"')).url, largest_answer=10)
        with pytest.raises(BadAnswer):
            client.call("GET", "/")
        server.will(reply(200, b'"12345678"'))
        assert client.call("GET", "/").body == "12345678"

    def test_a_small_answer_that_grows(self, server: RudeServer, connect: Connect) -> None:
        bomb = gzip.compress(b'"' + b"0" * 5_000_000 + b'"')
        client = connect(server.will(reply(200, bomb, Content_Encoding="gzip")).url, largest_answer=1_000_000)
        with pytest.raises(BadAnswer):
            client.call("GET", "/")

    def test_compression_is_understood(self, server: RudeServer, connect: Connect) -> None:
        server.will(reply(200, gzip.compress(b'{"a":1}'), Content_Encoding="gzip"))
        assert connect(server.url).call("GET", "/").body == {"a": 1}

    @pytest.mark.parametrize("key", ["a\r\nX: y", "ключ"])
    def test_a_header_that_is_none(self, server: RudeServer, connect: Connect, key: str) -> None:
        with pytest.raises(Unsendable):
            connect(server.will(GOOD).url).call("GET", "/", idempotency_key=key)
        assert not server.requests

    def test_no_message_names_the_address(self, connect: Connect) -> None:
        with pytest.raises(Unreachable) as raised:
            connect(f"http://user:hunter2@127.0.0.1:{closed_port()}").call("GET", "/secret")
        assert "127.0.0.1" not in str(raised.value) and "hunter2" not in str(raised.value)

    def test_a_failure_while_another_is_handled_keeps_its_own_name(self, server: RudeServer, connect: Connect) -> None:
        client = connect(server.will(hang).url)
        try:
            client.call("GET", "/", timeout=timedelta(seconds=0.1))
        except TimedOut:
            with pytest.raises(Unreachable):
                connect(f"http://127.0.0.1:{closed_port()}").call("GET", "/")


class TestRefusals:
    """Other statuses than good ones."""

    def refusal(self, client: JsonClient) -> Refused:
        """Call, and return how it is refused."""
        with pytest.raises(Refused) as raised:
            client.call("GET", "/")
        return raised.value

    def test_the_body_of_an_error_is_kept(self, server: RudeServer, connect: Connect) -> None:
        error = self.refusal(connect(server.will(reply(422, {"code": "c", "more": 1})).url))
        assert (error.status, error.error) == (422, {"code": "c", "more": 1})

    @pytest.mark.parametrize("body", [None, b"<html>", [1], {"message": "m"}, {"code": 7}, {"code": ""}])
    def test_a_body_without_a_code_is_none(self, server: RudeServer, connect: Connect, body: Any) -> None:
        assert self.refusal(connect(server.will(reply(400, body)).url)).error is None

    @pytest.mark.parametrize(("header", "seconds"), [
        ("7", 7), (" 0 ", 0), ("soon", None), ("-1", None), ("1.5", None), ("999999999", 86400), ("", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0)])
    def test_retry_after(self, server: RudeServer, connect: Connect, header: str, seconds: int | None) -> None:
        error = self.refusal(connect(server.will(reply(429, Retry_After=header)).url))
        assert error.retry_after == (None if seconds is None else timedelta(seconds=seconds))

    def test_retry_after_a_date(self, server: RudeServer, connect: Connect) -> None:
        at = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
        wait = self.refusal(connect(server.will(reply(429, Retry_After=at)).url)).retry_after
        assert wait is not None and timedelta(seconds=50) < wait <= timedelta(seconds=60)

    def test_redirects_are_not_followed(self, server: RudeServer, connect: Connect) -> None:
        assert self.refusal(connect(server.will(reply(307, Location="/other")).url)).status == 307
        assert len(server.requests) == 1


def test_a_closed_client_can_be_used_again(server: RudeServer) -> None:
    with JsonClient(server.will(GOOD).url, service="S", timeout=timedelta(seconds=5)) as client:
        client.call("GET", "/")
    assert client.call("GET", "/").body == {"a": 1}
    client.close()
    assert server.connections == 2
