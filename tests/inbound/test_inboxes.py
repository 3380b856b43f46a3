"""The queue on real brokers: each message is delivered until it is let go, and one that is set aside is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery
from kombu.entity import Queue
from redis import Redis

from inbound.connection import connected
from inbound.inbox import INBOUND, REJECTED, BrokerAway, BrokerUnfit, Delivery, Inbox
from inbound.redis_inbox import FIELD, GROUP, RedisInbox
from sandbox.servers.process import RunningServer
from tasks.settings import celery_settings
from tests.inbound.brokers import Post, a_post
from tests.support.driver import eventually
from tests.support.rabbitmq import require_rabbitmq, running_rabbitmq
from tests.support.services import running_valkey
from tests.tasks.nowhere import NOWHERE
from workflow_service.config import load_settings

pytestmark = pytest.mark.acceptance

PATIENCE = timedelta(seconds=60)
A_MOMENT = timedelta(milliseconds=200)


@dataclass(frozen=True, kw_only=True)
class Broker:
    """A broker with an app that is set to it."""

    server: RunningServer
    app: Celery
    post: Post


@pytest.fixture(scope="module", params=["valkey", "rabbitmq"])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One of the brokers."""
    directory = tmp_path_factory.mktemp("broker")
    with ExitStack() as stack:
        if request.param == "valkey":
            server = stack.enter_context(running_valkey(directory))
        else:
            require_rabbitmq()
            server = stack.enter_context(running_rabbitmq(directory))
        app = stack.enter_context(Celery(set_as_current=False))
        app.conf.update(celery_settings(load_settings({**NOWHERE, "CELERY_BROKER_URL": server.url})))
        yield Broker(server=server, app=app, post=a_post(server.url))


@pytest.fixture(autouse=True)
def emptied(broker: Broker) -> None:
    """Both queues are there, and empty."""
    with connected(broker.app) as inbox:
        while (left := inbox.take(A_MOMENT)) is not None:
            inbox.accept(left)
    while broker.post.rejected() is not None:
        pass


def taken(inbox: Inbox) -> Delivery:
    """Return the next message."""
    return eventually(lambda: inbox.take(A_MOMENT), PATIENCE)


def test_messages_come_one_by_one_and_in_order(broker: Broker) -> None:
    sent = [json.dumps({"number": number, "name": "Zoë"}).encode() for number in range(5)]
    for raw in sent:
        broker.post.send(raw)
    with connected(broker.app) as inbox:
        for raw in sent:
            delivery = taken(inbox)
            assert (delivery.raw, delivery.deliveries) == (raw, 1)
            inbox.keep(delivery)
            inbox.accept(delivery)
        assert inbox.take(A_MOMENT) is None


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe", b"x" * 1_000_000])
def test_bytes_are_taken_as_they_are_and_set_aside(broker: Broker, raw: bytes) -> None:
    broker.post.send(raw)
    broker.post.send(b"next")
    with connected(broker.app) as inbox:
        delivery = taken(inbox)
        assert delivery.raw == raw
        inbox.reject(delivery, b'{"why": 1}')
        delivery = taken(inbox)
        assert delivery.raw == b"next"
        inbox.accept(delivery)
    assert broker.post.rejected() == b'{"why": 1}'
    assert broker.post.rejected() is None


def test_what_was_not_let_go_comes_again(broker: Broker) -> None:
    broker.post.send(b"again")
    for number in (1, 2, 3):
        with connected(broker.app) as inbox:
            inbox = _impatient(inbox)
            delivery = taken(inbox)
            assert (delivery.raw, delivery.deliveries) == (b"again", number)
    with connected(broker.app) as inbox:
        inbox = _impatient(inbox)
        inbox.accept(taken(inbox))
        assert inbox.take(A_MOMENT) is None


def test_a_broker_that_dies_is_told_from_a_bug_and_keeps_its_messages(broker: Broker) -> None:
    broker.post.send(b"kept")
    with pytest.raises(BrokerAway), connected(broker.app) as inbox:
        broker.server.process.kill()
        while True:
            inbox.take(A_MOMENT)
    with pytest.raises(BrokerAway), connected(broker.app):
        pass
    broker.server.process.start()
    with connected(broker.app) as inbox:
        inbox = _impatient(inbox)
        delivery = taken(inbox)
        assert delivery.raw == b"kept"
        inbox.accept(delivery)


def test_a_queue_of_another_kind_is_refused_by_name(broker: Broker) -> None:
    if broker.server.url.startswith("redis"):
        with Redis.from_url(broker.server.url) as client:
            client.delete(INBOUND)
            client.rpush(INBOUND, "a list")
            with pytest.raises(BrokerUnfit, match="inbound"), connected(broker.app):
                pass
            client.delete(INBOUND)
        return
    with broker.app.connection_for_write() as connection:
        channel: Any = connection.default_channel
        channel.queue_delete(INBOUND)
        Queue(INBOUND, channel=channel).declare()
        with pytest.raises(BrokerUnfit, match="inbound"), connected(broker.app):
            pass
        channel.queue_delete(INBOUND)


def test_a_header_of_somebody_elses_making_does_no_harm(broker: Broker) -> None:
    if broker.server.url.startswith("redis"):
        pytest.skip("entries of a stream have no headers")
    with broker.app.connection_for_write() as connection:
        connection.Producer().publish(b"{}", routing_key=INBOUND, headers={"compression": "none-such"},
                                      content_type="application/x-python-serialize", content_encoding="no-such")
    with connected(broker.app) as inbox:
        delivery = taken(inbox)
        assert delivery.raw == b"{}"
        inbox.accept(delivery)


def test_on_redis_nobody_takes_what_another_still_works_on(broker: Broker) -> None:
    if not broker.server.url.startswith("redis"):
        pytest.skip("RabbitMQ sees to that by itself")
    now = [0.0]
    with Redis.from_url(broker.server.url) as client:
        first = RedisInbox(client, "first", timedelta(seconds=2), lambda: now[0])
        second = RedisInbox(client, "second", timedelta(seconds=2), lambda: now[0])
        broker.post.send(b"long")
        delivery = taken(first)
        for _ in range(12):
            first.keep(delivery)
            now[0] += 10
            assert second.take(A_MOMENT) is None
        now[0] += 10

        def left_behind() -> Delivery | None:
            now[0] += 10
            return second.take(A_MOMENT)

        found = eventually(left_behind, PATIENCE)
        assert (found.raw, found.deliveries) == (b"long", 2)
        second.accept(found)
        assert client.xlen(INBOUND) == 0


def test_on_redis_an_entry_without_the_field_is_an_empty_message(broker: Broker) -> None:
    if not broker.server.url.startswith("redis"):
        pytest.skip("only entries of a stream have fields")
    with Redis.from_url(broker.server.url) as client:
        client.xadd(INBOUND, {"other": "x"})
        assert FIELD != "other"
        with connected(broker.app) as inbox:
            delivery = taken(inbox)
            assert delivery.raw == b""
            inbox.reject(delivery, b"{}")
        assert client.xlen(REJECTED) == 1
        assert client.xinfo_groups(INBOUND)[0]["name"] == GROUP.encode()


def _impatient(inbox: Inbox) -> Inbox:
    """Let what others took on Redis be left behind at once."""
    if isinstance(inbox, RedisInbox):
        inbox._left_behind_ms = 0
    return inbox
