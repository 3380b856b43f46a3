"""Queues and priorities on a real Valkey: what is higher goes first, what is usual is where it always was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from kombu.connection import Connection
from kombu.entity import Exchange, Queue
from kombu.message import Message
from kombu.messaging import Consumer
from redis import Redis

from sandbox.servers.process import RunningServer
from tasks import canvas, names
from tasks.app import app
from tasks.priorities import HIGHEST_FIRST, message_priority
from tests.support.builders import a_block, a_plan
from tests.support.dispatches import a_dispatch
from tests.support.services import running_valkey
from workflow_service.domain.compiler import segments
from workflow_service.domain.routing import USUAL_PRIORITY

SEP = "\x06\x16"


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A broker of this module."""
    with running_valkey(tmp_path_factory.mktemp("broker")) as server:
        yield server


@pytest.fixture
def connection(valkey: RunningServer) -> Iterator[Connection]:
    """A connection to it as our processes make it, and nothing in it."""
    with Redis.from_url(valkey.url) as client:
        client.flushall()
    with Connection(valkey.url, transport_options=app.conf.broker_transport_options) as made:
        yield made


def send(connection: Connection, *routes: dict[str, Any]) -> list[str]:
    """Send a block for each route, as the dispatcher does; return their ids."""
    blocks = [f"b{number}" for number in range(len(routes))]
    plan = a_plan(*(a_block(name, **route) for name, route in zip(blocks, routes, strict=True)))
    for name in blocks:
        (segment,) = segments(plan, [name])
        canvas.build(a_dispatch(segment)).apply_async(connection=connection)
    return blocks


def received(connection: Connection, count: int, *queues: str) -> Sequence[str]:
    """Return the blocks of messages in the order in which a worker of these queues gets them."""
    found: list[str] = []

    def take(body: list[list[str]], message: Message) -> None:
        found.append(body[0][2])
        message.ack()

    served = [Queue(name, Exchange(name), routing_key=name) for name in queues]
    with Consumer(connection.channel(), served, callbacks=[take], prefetch_count=1, accept=["json"]):
        while len(found) < count:
            connection.drain_events(timeout=10)
    return found


def test_what_says_nothing_has_the_usual_priority_and_no_two_have_one() -> None:
    assert message_priority(USUAL_PRIORITY) == 0
    assert [message_priority(priority) > 4 for priority in range(10)] == [priority > USUAL_PRIORITY
                                                                          for priority in range(10)]
    assert sorted(HIGHEST_FIRST) == list(range(10))


def test_what_has_the_higher_priority_goes_first_and_equals_in_turn(connection: Connection) -> None:
    priorities = [None, 0, 9, 4, 5, 9, 3, None, 8]
    blocks = send(connection, *({"priority": priority} for priority in priorities))
    expected = sorted(zip(blocks, priorities, strict=True), key=lambda one: -(4 if one[1] is None else one[1]))
    assert received(connection, len(blocks), "blocks") == [name for name, _ in expected]


def test_a_queue_is_served_by_its_workers_alone(connection: Connection) -> None:
    b0, b1, b2 = send(connection, {}, {"queue": "gpu"}, {"queue": "gpu", "priority": 9})
    assert received(connection, 2, "gpu") == [b2, b1]
    assert received(connection, 1, "blocks") == [b0]


def test_priority_comes_before_the_order_of_queues(connection: Connection) -> None:
    b0, b1, b2 = send(connection, {}, {"queue": "gpu", "priority": 9}, {"priority": 5})
    assert received(connection, 3, "blocks", "gpu") == [b1, b2, b0]


def test_what_is_usual_is_in_the_list_that_has_the_name_of_the_queue(connection: Connection,
                                                                     valkey: RunningServer) -> None:
    send(connection, {}, {"priority": 4}, {"priority": 9}, {"priority": 0})
    app.send_task(names.SWEEP_BLOCKS, connection=connection)
    with Redis.from_url(valkey.url) as client:
        lists = {key.decode(): client.llen(key) for key in client.scan_iter() if client.type(key) == b"list"}
    assert lists == {"blocks": 2, f"blocks{SEP}9": 1, f"blocks{SEP}1": 1, "control": 1}


def test_a_message_that_is_given_back_keeps_its_place(connection: Connection) -> None:
    blocks = send(connection, {"priority": 1}, {"priority": 7})
    channel = connection.channel()
    for _ in blocks:
        channel.basic_get("blocks")
    channel.close()  # whoever had them is gone
    assert received(connection, 2, "blocks") == [blocks[1], blocks[0]]
