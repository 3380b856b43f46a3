"""How processes end while others go on: within their grace period, and nothing waits for a lease to run out.

Leases are longer than any test, so what a process would leave behind stays where it is, whatever sweeps there are.
"""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from signal import SIGTERM

import psutil
import pytest
from pytest import MonkeyPatch

from sandbox.servers.process import ServerProcess
from tests.support.cluster import SECRET, Cluster, running_cluster
from tests.support.driver import Driver, effects_of, eventually
from tests.support.records import Records, reading_records
from tests.support.scenarios import echo, template
from web.tokens import issue_token
from workflow_service.domain.events import Event
from workflow_service.domain.invariants import violations

pytestmark = pytest.mark.acceptance

PATIENCE = timedelta(seconds=30)
LEASE = timedelta(seconds=60)
GRACE = timedelta(seconds=4)
SOON = timedelta(seconds=2)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: MonkeyPatch) -> Iterator[Cluster]:
    """The stores and the reference services, and the API."""
    monkeypatch.setenv("WORKFLOW_STOP_GRACE_MS", str(GRACE // timedelta(milliseconds=1)))
    with running_cluster(tmp_path, lease=LEASE) as running:
        running.start_web()
        yield running


@pytest.fixture
def driver(cluster: Cluster) -> Driver:
    """A user with all rights."""
    return Driver(cluster.url, SECRET)


@pytest.fixture
def records(cluster: Cluster) -> Iterator[Records]:
    """What is stored."""
    with reading_records(cluster) as reading:
        yield reading


def test_a_worker_ends_what_is_short_and_hands_back_what_is_long(cluster: Cluster, driver: Driver,
                                                                 records: Records) -> None:
    # Given: two workers, the first of which does a long block and a short one
    driver.store(template("long", [echo("a", configuration={"delayMs": 12_000}), echo("b", ["a"])]))
    driver.store(template("short", [echo("a", configuration={"delayMs": 1500}),
                                    echo("b", ["a"], configuration={"delayMs": 1000})]))
    first = cluster.start_worker("blocks", "blocks", concurrency=4)
    second = cluster.start_worker("blocks2", "blocks", concurrency=4)
    cluster.start_control()  # the agent says that it is at work on this key, and is asked again
    long, short = (started_at(first, name, driver, records) for name in ("long", "short"))
    # When
    told = time.monotonic()
    first.kill(SIGTERM)
    # Then: the short block's successor is not done in place
    eventually(lambda: owner(records, short, "b") == second.pid or None, PATIENCE)
    # And: it ends in time, and well
    assert psutil.Process(first.pid).wait(timeout=PATIENCE.total_seconds()) == 0
    assert time.monotonic() - told < (GRACE + SOON / 2).total_seconds()
    # And: the other one has the long block
    given, taken = eventually(lambda: handed_back(records, long), SOON)
    assert (taken.type, taken.payload["cause"]) == ("block_started", "claimed")
    assert taken.at - given.at < SOON
    # And: all comes to its end, with one call of the agent for each block
    assert {driver.ended(one, PATIENCE)["status"] for one in (long, short)} == {"completed"}
    for one in (long, short):
        record = records.of(one)
        assert not violations(record)
        assert [(block.retry_count, block.lost_leases) for block in record.blocks] == [(0, 0), (0, 0)]
        assert Counter(effect["key"] for effect in effects_of(cluster.agents.url, one)) == {
            f"{one}:a:1": 1, f"{one}:b:1": 1}


def test_slots_of_what_was_handed_back_are_free(cluster: Cluster, driver: Driver, records: Records) -> None:
    # Given: an execution that may do one block at a time, and does a long one
    parts = [echo(name, configuration={"delayMs": 6000 if name == "a" else 0}) for name in "abc"]
    driver.store(template("narrow", parts, maxParallelBlocks=1))
    first = cluster.start_worker("blocks", "blocks", concurrency=2)
    execution_id = driver.start("narrow")
    eventually(lambda: owner(records, execution_id, "a"), PATIENCE)
    # When
    cluster.start_worker("blocks2", "blocks", concurrency=2)
    cluster.start_control()
    first.kill(SIGTERM)
    assert psutil.Process(first.pid).wait(timeout=PATIENCE.total_seconds()) == 0
    # Then
    assert driver.ended(execution_id, PATIENCE)["status"] == "completed"
    record = records.of(execution_id)
    assert not violations(record)
    assert {block.lost_leases for block in record.blocks} == {0}


@pytest.mark.parametrize("queue", ["blocks", "control"])
def test_a_worker_with_nothing_to_end_does_not_wait(cluster: Cluster, driver: Driver, queue: str,
                                                    monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setenv("WORKFLOW_STOP_GRACE_MS", "60000")
    worker = cluster.start_worker(queue, queue, concurrency=2)
    if queue == "blocks":
        driver.store(template("one", [echo("a")]))
        assert driver.ended(driver.start("one"), PATIENCE)["status"] == "completed"
    worker.kill(SIGTERM)
    assert psutil.Process(worker.pid).wait(timeout=PATIENCE.total_seconds()) == 0


def test_the_api_ends_the_request_at_hand_and_tells_everybody_of_it(
        cluster: Cluster, driver: Driver, records: Records, monkeypatch: MonkeyPatch) -> None:
    # Given: a request that is half sent, to a process that lets what follows gather for long
    monkeypatch.setenv("WORKFLOW_BATCH_INTERVAL_MS", "20000")
    web = cluster.processes["web"]
    web.restart()
    driver.store(template("one", [echo("a")]))
    body = json.dumps({"templateId": "one", "workspaceId": "default", "input": {}}).encode()
    token = issue_token(SECRET, "olga", "admin", "default", timedelta(hours=1))
    with socket.create_connection(("127.0.0.1", cluster.web_port), timeout=PATIENCE.total_seconds()) as connection:
        head = ("POST /api/v1/executions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                f"Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        connection.sendall(head.encode() + body[:10])
        driver.get("/templates/one")  # the thread beside it has answered, so it is being read
        # When
        web.kill(SIGTERM)
        eventually(lambda: "Handling signal: term" in web.logs() or None, PATIENCE)
        connection.sendall(body[10:])
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    # Then
    assert answer.startswith(b"HTTP/1.1 201"), answer[:500]
    assert psutil.Process(web.pid).wait(timeout=PATIENCE.total_seconds()) == 0
    record = records.of(json.loads(answer.partition(b"\r\n\r\n")[2])["executionId"])
    assert [event.type for event in record.events[record.execution.execution_id]] == ["execution_started"]
    assert record.execution.outbox == () and len(record.history) >= 1
    assert not violations(record)


def owner(records: Records, execution_id: str, block_id: str) -> int | None:
    """Return the id of the process that works on a block; None if nobody does."""
    named = records.of(execution_id).by_name[block_id].lease_owner
    return int(named.split(":")[-2]) if named else None


def started_at(worker: ServerProcess, template_id: str, driver: Driver, records: Records) -> str:
    """Start executions until one is at this worker, and return that one."""
    def start() -> str | None:
        execution_id = driver.start(template_id)
        at = eventually(lambda: owner(records, execution_id, "a"), PATIENCE)
        return execution_id if at == worker.pid else None
    return eventually(start, PATIENCE)


def handed_back(records: Records, execution_id: str) -> tuple[Event, Event] | None:
    """Return the event by which block ``a`` was handed back, and the next one; None until both are there."""
    events = records.of(execution_id).events[f"{execution_id}:a"]
    return next((pair for pair in pairwise(events) if pair[0].payload["cause"] == "worker_stopping"), None)
