"""Rates of calls in Redis: for each agent the latest starts, and the latest instant that was promised.

One script looks and writes, so that all workers see one order; it is ``domain.rates.ask`` in the server's language.
Redis may be emptied or away: then what is known begins anew, or calls start at once, and the agent is called more often
for a while. That is better than to stop all work for want of a count.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from workflow_service.domain.rates import WINDOW
from workflow_service.integrations.breaker import Breaker

PATIENCE = timedelta(milliseconds=200)
"""For connecting, and for each answer."""
PREFIX = "workflow:rate:"
"""Begins the keys of all agents; the braces keep the two keys of one agent on one node of a cluster."""
_MILLISECOND = timedelta(milliseconds=1)
_ZERO = datetime(1970, 1, 1, tzinfo=UTC)
_ASK = """
local starts, promise = KEYS[1], KEYS[2]
local at, rate, promised, window = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1', tonumber(ARGV[4])
local oldest, last = redis.call('LINDEX', starts, -rate), redis.call('GET', promise)
local free = oldest and oldest + window or at
if free <= at and (promised or not last or tonumber(last) <= at) then
  redis.call('RPUSH', starts, at)
  redis.call('LTRIM', starts, -rate, -1)
  redis.call('PEXPIRE', starts, 2 * window)
  return at
end
local later = math.max(free, at + 1)
local latest = later
if last and promised then latest = math.max(later, tonumber(last)) end
if last and not promised then later = math.max(later, tonumber(last) + math.floor(window / rate)); latest = later end
redis.call('SET', promise, latest, 'PX', latest - at + window)
return later
"""


class CallRatesInRedis:
    """The port ``CallRates``. Nothing is connected before it is used."""

    def __init__(self, url: str, breaker: Breaker) -> None:
        """Take the address of Redis and what leaves it alone when it is away."""
        self._redis: Any = Redis.from_url(
            url, socket_timeout=PATIENCE.total_seconds(), socket_connect_timeout=PATIENCE.total_seconds(),
            retry=Retry(NoBackoff(), 0))
        self._ask = self._redis.register_script(_ASK)
        self._breaker = breaker

    def ask(self, agent_id: str, per_minute: int, at: datetime, *, is_promised: bool) -> datetime:
        """Return when one more call may start; now if Redis does not say."""
        if self._breaker.is_open:
            return at
        keys = [f"{PREFIX}{{{agent_id}}}:{what}" for what in ("starts", "promised")]
        now_ms = (at - _ZERO) // _MILLISECOND
        try:
            later_ms: int = self._ask(keys=keys, args=[now_ms, per_minute, int(is_promised), WINDOW // _MILLISECOND])
        except ResponseError:  # it answers: that a key has another type, that its memory is full
            return at
        except (RedisError, OSError):
            self._breaker.trip()
            return at
        return max(at, _ZERO + later_ms * _MILLISECOND)

    def close(self) -> None:
        """Close all connections."""
        self._redis.close()
