"""Rates of calls: the script of Redis keeps the rule of the domain, and what is away stops nobody."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from redis import Redis

from sandbox.servers.process import RunningServer
from workflow_service.integrations.breaker import Breaker
from workflow_service.integrations.call_rates import PATIENCE, PREFIX, CallRatesInRedis
from workflow_service.integrations.memory.rates import CallRatesInMemory
from workflow_service.services.ports import CallRates

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
Ask = Callable[..., datetime]


@pytest.fixture
def redis_rates(valkey: RunningServer) -> Iterator[CallRatesInRedis]:
    """Rates on the server."""
    rates = CallRatesInRedis(valkey.url, Breaker(timedelta(seconds=5)))
    yield rates
    rates.close()


@pytest.fixture(params=["memory", "redis"])
def rates(request: pytest.FixtureRequest) -> CallRates:
    """Each adapter."""
    found: CallRates = CallRatesInMemory() if request.param == "memory" else request.getfixturevalue("redis_rates")
    return found


@pytest.fixture
def agent() -> str:
    """An agent that nobody has called."""
    return f"agent-{uuid4().hex}"


def test_over_the_rate_each_is_promised_an_instant(rates: CallRates, agent: str) -> None:
    found = [rates.ask(agent, 2, NOW, is_promised=False) for _ in range(5)]
    assert found == [NOW, NOW, NOW + 60 * SECOND, NOW + 90 * SECOND, NOW + 120 * SECOND]
    assert rates.ask(agent, 2, NOW + 60 * SECOND, is_promised=True) == NOW + 60 * SECOND


def test_agents_have_nothing_to_do_with_each_other(rates: CallRates, agent: str) -> None:
    assert [rates.ask(name, 1, NOW, is_promised=False) for name in (agent, f"{agent}-2")] == [NOW, NOW]


@pytest.mark.parametrize("seed", range(10))
def test_both_keep_the_same_rule(redis_rates: CallRatesInRedis, agent: str, seed: int) -> None:
    draw, memory, at = random.Random(seed), CallRatesInMemory(), NOW
    per_minute = draw.randint(1, 9)
    for _ in range(200):
        at += timedelta(milliseconds=draw.randint(0, 12_000))
        is_promised = draw.random() < 0.5
        assert redis_rates.ask(agent, per_minute, at, is_promised=is_promised) == memory.ask(
            agent, per_minute, at, is_promised=is_promised)


def test_of_many_at_once_no_more_start_than_may(redis_rates: CallRatesInRedis, agent: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: redis_rates.ask(agent, 5, NOW, is_promised=False), range(20)))
    assert found.count(NOW) == 5
    assert len(set(found)) == 16


def test_what_is_known_does_not_stay_for_ever(redis_rates: CallRatesInRedis, agent: str, valkey: RunningServer) -> None:
    for _ in range(3):
        redis_rates.ask(agent, 2, NOW, is_promised=False)
    with Redis.from_url(valkey.url) as client:
        keys = sorted(client.scan_iter(f"{PREFIX}*{agent}*"))
        assert [client.llen(keys[1]), *(0 < client.pttl(key) <= 120_000 for key in keys)] == [2, True, True]


def test_an_emptied_server_begins_anew(redis_rates: CallRatesInRedis, agent: str, valkey: RunningServer) -> None:
    redis_rates.ask(agent, 1, NOW, is_promised=False)
    with Redis.from_url(valkey.url) as client:
        client.flushall()
        client.script_flush()
    assert redis_rates.ask(agent, 1, NOW, is_promised=False) == NOW


def test_a_key_of_another_type_stops_nobody(redis_rates: CallRatesInRedis, agent: str, valkey: RunningServer) -> None:
    with Redis.from_url(valkey.url) as client:
        client.set(f"{PREFIX}{{{agent}}}:starts", "text")
    assert redis_rates.ask(agent, 1, NOW, is_promised=False) == NOW


def test_a_frozen_server_is_left_alone_and_calls_go_on(redis_rates: CallRatesInRedis, agent: str,
                                                       valkey: RunningServer) -> None:
    redis_rates.ask(agent, 1, NOW, is_promised=False)
    assert valkey.process.pid is not None
    os.kill(valkey.process.pid, signal.SIGSTOP)
    try:
        since = time.monotonic()
        assert [redis_rates.ask(agent, 1, NOW, is_promised=False) for _ in range(50)] == [NOW] * 50
        assert time.monotonic() - since < 10 * PATIENCE.total_seconds()
    finally:
        os.kill(valkey.process.pid, signal.SIGCONT)
