"""The floor: Celery with a message for each step and one insert for each step, and no promise beyond that.

A step stores its result, counts itself at the steps that wait for several, and sends those that are ready. A message
that is delivered twice would count twice; there are no leases, no retries, no history and no API.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from typing import Any

import pymongo
import redis
from celery import Celery
from pymongo.collection import Collection

from benchmarks.engine import addresses, counting
from benchmarks.engine.workloads import Shape, shape_of, step_result

QUEUE = "floor"
STEP = "floor.step"

app = Celery("floor", broker=os.environ.get(addresses.BROKER), set_as_current=False)
app.conf.update(task_default_queue=QUEUE, task_acks_late=True, worker_prefetch_multiplier=1,
                broker_connection_retry_on_startup=True)
counting.count_database_operations()


class _Connections:
    """Those of one process, made when they are first used, after any fork."""

    def __init__(self) -> None:
        self._pid: int | None = None
        self._steps: Collection[dict[str, Any]]
        self._redis: redis.Redis

    def get(self) -> tuple[Collection[dict[str, Any]], redis.Redis]:
        """Return the collection of steps, and the broker's server."""
        if self._pid != os.getpid():
            client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(addresses.address(addresses.STORE))
            self._steps = client.get_default_database()["steps"]
            self._redis = redis.Redis.from_url(addresses.address(addresses.BROKER))
            self._pid = os.getpid()
        return self._steps, self._redis


_connections = _Connections()


@app.task(name=STEP, ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def step(run: str, name: str, number: int, parks: bool = False) -> None:
    """Do one step and send the next ones.

    Args:
        parks: whether the next one waits for somebody.
    """
    steps, server = _connections.get()
    shape = shape_of(name)
    if name == "told":
        server.lpush(addresses.BEGAN, repr(time.time()))
    result = step_result(number)
    steps.insert_one({"run": run, "step": number, "result": result})
    ready = _ready(server, shape, run, number, result)
    if parks:
        server.lpush(addresses.PARKED, run)
        return
    for following in ready:
        step.apply_async((run, name, following))
    if not shape.successors[number]:
        server.lpush(addresses.ENDED, run)


def _ready(server: redis.Redis, shape: Shape, run: str, number: int, result: dict[str, Any]) -> Sequence[int]:
    """Keep the result, count this step at its successors, and return those that wait for no other."""
    successors = shape.successors[number]
    joins = [one for one in successors if len(shape.predecessors[one]) > 1]
    pipeline = server.pipeline(transaction=False)
    pipeline.hset(f"result:{run}", str(number), json.dumps(result))
    for one in joins:
        pipeline.hincrby(f"count:{run}", str(one), 1)
    counts = dict(zip(joins, pipeline.execute()[1:], strict=True))
    return [one for one in successors if counts.get(one, 1) == len(shape.predecessors[one])]
