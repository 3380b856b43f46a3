"""Following an execution: server-sent events out of a real web process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from cli.event_stream import StreamEvent, read_events
from sandbox.servers.ports import free_port
from tests.web.served import SECRET
from tests.web.test_gunicorn import ADDRESSES
from web.api.schemas.examples import START, TEMPLATE
from web.tokens import issue_token

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0
THREADS = 6
"""Of the web process; half of them may follow."""
HEADERS = {"Authorization": f"Bearer {issue_token(SECRET, 'ada', 'admin', 'acme', timedelta(minutes=30))}"}


class Server:
    """A running web process."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        """Take the process."""
        self.process = process
        self.url = f"{url}/api/v1"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request and return what was answered."""
        answer = requests.request(method, f"{self.url}/{path}", json=body, headers=HEADERS, timeout=PATIENCE_S)
        assert answer.ok, answer.text
        return answer.json()

    def follow(self, path: str, after: str | None = None) -> requests.Response:
        """Open a stream."""
        return requests.get(f"{self.url}/{path}", headers={**HEADERS, "Last-Event-ID": after}, stream=True,
                            timeout=PATIENCE_S)

    def a_run(self) -> str:
        """Start an execution, and return its id once it waits for a person."""
        run = str(self.ask("POST", "executions", START)["executionId"])
        deadline = time.monotonic() + PATIENCE_S
        while self.ask("GET", f"executions/{run}")["status"] != "waiting":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return run

    def answer(self, run: str) -> None:
        """Let the person that the execution waits for agree."""
        [asked] = self.ask("GET", f"approvals/pending?executionId={run}")["approvals"]
        self.ask("POST", f"approvals/{asked['approvalId']}/respond", {"approved": True})


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a web process with one template."""
    with running() as served:
        yield served


@contextmanager
def running() -> Iterator[Server]:
    """Run a web process with one template, and end it."""
    port = free_port()
    environ = {**os.environ, **ADDRESSES, "PYTHONPATH": str(ROOT), "SERVER_HOST": "127.0.0.1", "PORT": str(port),
               "WEB_CONCURRENCY": "1", "WEB_THREADS": str(THREADS)}
    process = subprocess.Popen([sys.executable, "-m", "gunicorn", "-c", "web/gunicorn.py", "tests.web.served:start()"],
                               cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        served = Server(process, f"http://127.0.0.1:{port}")
        deadline = time.monotonic() + PATIENCE_S
        while not is_up(port):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        served.ask("POST", "templates", TEMPLATE)
        yield served
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def is_up(port: int) -> bool:
    """Say whether the process answers."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/health", timeout=PATIENCE_S).ok
    except requests.ConnectionError:
        return False


def lines_of(stream: requests.Response) -> Iterator[str]:
    """Yield the lines of a stream as they come."""
    stream.encoding = "utf-8"
    yield from stream.iter_lines(chunk_size=1, decode_unicode=True)


def events_of(stream: requests.Response) -> Iterator[StreamEvent]:
    """Yield the events of a stream as they come."""
    return read_events(lines_of(stream))


def test_a_log_is_told_as_it_grows_and_ends_with_the_execution(server: Server) -> None:
    run = server.a_run()
    with server.follow(f"executions/{run}/logs?follow=true") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert stream.headers["Cache-Control"] == "no-cache"
        events = events_of(stream)
        told = [next(events)]
        while told[-1].content["eventType"] != "execution_waiting":
            told.append(next(events))
        server.answer(run)
        told += events
    *entries, end = told
    whole = server.ask("GET", f"executions/{run}/logs?limit=1000")["logs"]
    assert [event.content for event in entries] == whole
    assert [event.identifier for event in entries] == [str(entry["sequence"]) for entry in whole]
    assert (end.name, end.content) == ("end", {"status": "completed"})


def test_a_client_goes_on_where_it_was(server: Server) -> None:
    run = server.a_run()
    with server.follow(f"executions/{run}/events?follow=true&after=1") as stream:
        events = events_of(stream)
        first = [next(events), next(events)]
    server.answer(run)
    with server.follow(f"executions/{run}/events?follow=true", first[-1].identifier) as stream:
        *rest, end = events_of(stream)
    assert [int(event.identifier or 0) for event in [*first, *rest]] == list(range(2, len(rest) + 4))
    assert [event.content for event in [*first, *rest]] == server.ask("GET", f"executions/{run}/events")["events"][1:]
    assert end.name == "end"


def test_what_is_not_wanted_is_not_told(server: Server) -> None:
    run = server.a_run()
    server.answer(run)
    with server.follow(f"executions/{run}/logs?follow=true&blockId=extract") as stream:
        *entries, _ = events_of(stream)
    assert entries and {event.content["blockId"] for event in entries} == {"extract"}


def test_signs_of_life_come_while_nothing_happens(server: Server) -> None:
    run = server.a_run()
    with server.follow(f"executions/{run}/logs?follow=true&level=error") as stream:
        lines = [line for line, _ in zip(lines_of(stream), range(8), strict=False) if line]
    assert lines[0] == "retry: 2000" and lines[1:] and set(lines[1:]) == {": still here"}


def test_who_comes_when_all_places_are_taken_is_asked_to_come_again(server: Server) -> None:
    run = server.a_run()
    path = f"executions/{run}/logs?follow=true"
    deadline = time.monotonic() + PATIENCE_S
    streams: list[requests.Response] = []
    while len(streams) < THREADS // 2:  # places of earlier tests become free when their clients are missed
        streams.append(server.follow(path))
        if streams[-1].status_code != 200:
            streams.pop().close()
            assert time.monotonic() < deadline
            time.sleep(0.05)
    with server.follow(path) as refused:
        assert (refused.status_code, refused.json()["error"]) == (429, "too_many_followers")
        assert int(refused.headers["Retry-After"]) > 0
    assert server.ask("GET", f"executions/{run}")["status"] == "waiting"  # the other threads still serve
    for stream in streams:
        stream.close()
    while True:
        with server.follow(path) as again:
            if again.status_code == 200:
                break
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(("path", "after", "status"), [
    ("executions/nobody/logs?follow=true", None, 404), ("executions/nobody/events?follow=true", None, 404),
    ("executions/{run}/logs?follow=true", "x", 422), ("executions/{run}/logs?follow=true", "-1", 422),
    ("executions/{run}/logs?follow=yes", None, 422)])
def test_what_can_not_be_followed(server: Server, path: str, after: str | None, status: int) -> None:
    with server.follow(path.format(run=server.a_run()) if "{" in path else path, after) as answer:
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json")
        assert json.loads(answer.content)["error"]


def test_a_process_that_is_told_to_end_does_not_wait_for_those_who_follow() -> None:
    with running() as server, server.follow(f"executions/{server.a_run()}/logs?follow=true") as stream:
        events = events_of(stream)
        next(events)
        server.process.send_signal(signal.SIGTERM)
        assert all(event.name != "end" for event in events)  # the stream is cut, not the log
        assert server.process.wait(PATIENCE_S) == 0
