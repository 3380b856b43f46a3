"""The queue on Redis or Valkey: a stream with one consumer group.

A stream, because any client can write to it with one command and it keeps who has taken what: a message of a process
that died is found by the others. A list, as Celery's queues are, would keep neither, and what stands in it has to be
wrapped as Celery wants it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

from inbound.inbox import INBOUND, MOST_REJECTED, REJECTED, BrokerUnfit, Delivery

FIELD = "message"
"""The field of an entry that holds the message."""
GROUP = "workflow-service"
"""The consumer group that all processes share."""
LEFT_BEHIND_AFTER = timedelta(seconds=60)
"""How long nothing is heard of a message before another process takes it."""
_LOOK_EVERY_S = 5.0
_FORGOTTEN_AFTER = timedelta(days=1)
_MS = timedelta(milliseconds=1)


class RedisInbox:
    """A consumer of the group."""

    def __init__(self, client: Redis, consumer: str, left_behind_after: timedelta = LEFT_BEHIND_AFTER,
                 monotonic: Callable[[], float] = time.monotonic) -> None:
        """Join the group, which is made if there is none.

        Args:
            client: has a time-out that is longer than whoever takes waits.
            consumer: a name that no other process has.
            left_behind_after: how long others may be silent about what they took.
            monotonic: in seconds.

        Raises:
            BrokerUnfit: what has the name of the queue is something else.
        """
        self._client: Any = client
        self._consumer = consumer
        self._left_behind_ms = left_behind_after // _MS
        self._monotonic = monotonic
        self._look_at_s = monotonic()
        self._join()

    def take(self, within: timedelta) -> Delivery | None:
        """Return what another process left behind, or else what is new."""
        entries = self._left_behind() or self._new(within)
        if not entries:
            return None
        tag, fields = entries[0]
        return Delivery(raw=bytes((fields or {}).get(FIELD.encode(), b"")), tag=tag.decode(),
                        deliveries=self._deliveries(tag))

    def keep(self, delivery: Delivery) -> None:
        """Let no other process take it for left behind."""
        self._client.xclaim(INBOUND, GROUP, self._consumer, 0, [delivery.tag], justid=True)

    def accept(self, delivery: Delivery) -> None:
        """Take it off the stream."""
        with self._client.pipeline(transaction=True) as pipeline:
            self._let_go(pipeline, delivery)
            pipeline.execute()

    def reject(self, delivery: Delivery, record: bytes) -> None:
        """Move it to the other stream, at once."""
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.xadd(REJECTED, {FIELD: record}, maxlen=MOST_REJECTED, approximate=True)
            self._let_go(pipeline, delivery)
            pipeline.execute()

    def _join(self) -> None:
        try:
            self._client.xgroup_create(INBOUND, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if str(error).startswith("WRONGTYPE"):
                raise BrokerUnfit(f"Redis has a key {INBOUND} that is no stream. Rename or delete it.") from error
            if not str(error).startswith("BUSYGROUP"):
                raise
        for consumer in self._client.xinfo_consumers(INBOUND, GROUP):
            if not consumer["pending"] and consumer["idle"] > _FORGOTTEN_AFTER // _MS:  # its process is long dead
                self._client.xgroup_delconsumer(INBOUND, GROUP, consumer["name"])

    def _left_behind(self) -> list[tuple[bytes, Mapping[bytes, bytes]]]:
        if self._monotonic() < self._look_at_s:
            return []
        found: list[tuple[bytes, Mapping[bytes, bytes]]] = self._client.xautoclaim(
            INBOUND, GROUP, self._consumer, self._left_behind_ms, count=1)[1]
        if not found:
            self._look_at_s = self._monotonic() + _LOOK_EVERY_S
        return found

    def _new(self, within: timedelta) -> list[tuple[bytes, Mapping[bytes, bytes]]]:
        streams = self._client.xreadgroup(GROUP, self._consumer, {INBOUND: ">"}, count=1, block=within // _MS)
        return list(streams[0][1]) if streams else []

    def _deliveries(self, tag: bytes) -> int:
        pending = self._client.xpending_range(INBOUND, GROUP, min=tag, max=tag, count=1)
        return int(pending[0]["times_delivered"]) if pending else 1

    def _let_go(self, pipeline: Any, delivery: Delivery) -> None:
        pipeline.xack(INBOUND, GROUP, delivery.tag)
        pipeline.xdel(INBOUND, delivery.tag)
