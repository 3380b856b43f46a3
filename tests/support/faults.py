"""What can go wrong with a running cluster: each function breaks one thing of it, and brings it back.

A fault returns when the thing serves again; what was broken by it has then yet to recover. Only processes that the
cluster started are touched, each by its id. Where several are alike, the cluster's own chance chooses. All faults work
with Valkey and with RabbitMQ as the broker; what differs is said at the function.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import psutil
import redis
from celery import Celery

from sandbox.servers.process import ServerProcess
from tasks import names
from tests.support.cluster import Cluster

Fault = Callable[[Cluster], None]

BROKER_SILENCE = timedelta(seconds=3)
DATABASE_SILENCE = timedelta(seconds=5)
_PATIENCE_S = 5
_RESULTS = ("celery-task-meta-*", "celery-taskset-meta-*", "chord-unlock-*")
"""The keys under which Celery keeps results, groups and the counters of chords."""


def kill_child(cluster: Cluster) -> None:
    """Kill one process of a worker's pool in the middle of its block; Celery replaces it.

    Raises:
        RuntimeError: no worker has a pool of processes; only ``prefork`` has one.
    """
    workers = [psutil.Process(cluster.processes[name].pid) for name in cluster.block_workers]
    children = [child for worker in workers for child in worker.children()]
    if not children:
        raise RuntimeError("There is no process of a pool to kill.")
    child = cluster.chance.choice(children)
    _note(cluster, child)
    child.kill()


def kill_worker(cluster: Cluster) -> None:
    """Kill a worker for blocks with its whole pool and all its work, and start it again."""
    _kill(cluster, cluster.processes[_any_worker(cluster)])


def kill_control(cluster: Cluster) -> None:
    """Kill the worker that repairs, in the middle of its sweeps, and start it again."""
    _kill(cluster, cluster.processes["control"])


def kill_beat(cluster: Cluster) -> None:
    """Kill what sends the sweeps, and start it again on the schedule that it left."""
    _kill(cluster, cluster.processes["beat"])


def kill_web(cluster: Cluster) -> None:
    """Kill the API in the middle of its requests, whose clients learn nothing, and start it again."""
    _kill(cluster, cluster.processes["web"])


def freeze_worker(cluster: Cluster) -> None:
    """Stop a worker for blocks until its leases are long over and others have its blocks, then let it go on.

    It comes back in the middle of what it did and knows nothing: the sleeper that fences and idempotency keys are for.
    """
    with _frozen(cluster, cluster.processes[_any_worker(cluster)]):
        _wait(2 * cluster.lease + 2 * cluster.sweep_interval)


def kill_broker(cluster: Cluster) -> None:
    """Kill the broker and start it again.

    Valkey comes back empty, as without persistence: messages, unacknowledged messages and the counters of chords are
    lost. RabbitMQ always keeps durable queues on its disk: it comes back with them and delivers again what was not
    acknowledged; ``flush_broker`` is what takes its messages.
    """
    process = cluster.broker.process
    _strike(cluster, process)
    process.kill()
    if cluster.rabbitmq is None:
        shutil.rmtree(cluster.directory / "valkey" / "appendonlydir", ignore_errors=True)
    process.start()


def flush_broker(cluster: Cluster) -> None:
    """Empty the broker while it runs: every message that waits is lost.

    Valkey loses everything else as well: unacknowledged messages, counters of chords, what is cached. RabbitMQ loses
    the messages of both queues; those that a worker holds already stay with it.
    """
    if cluster.rabbitmq is None:
        with redis.Redis.from_url(cluster.valkey.url, socket_timeout=_PATIENCE_S) as client:
            client.flushall()
        return
    with Celery(broker=cluster.broker_url, set_as_current=False) as client, client.connection_for_write() as connection:
        for queue in (names.BLOCKS, names.CONTROL):
            # an error closes its channel; it is that no worker has made the queue yet, so nothing is in it
            with suppress(*connection.channel_errors):
                connection.channel().queue_purge(queue)


def freeze_broker(cluster: Cluster) -> None:
    """Stop the broker for 3 s: connections stay open and connecting succeeds, but nothing is answered."""
    with _frozen(cluster, cluster.broker.process):
        _wait(BROKER_SILENCE)


def flush_results(cluster: Cluster) -> None:
    """Lose Celery's results: chords that count never come to their end. They are in Valkey with either broker."""
    with redis.Redis.from_url(cluster.valkey.url, socket_timeout=_PATIENCE_S) as client:
        for pattern in _RESULTS:
            for key in client.scan_iter(pattern, count=1000):
                client.delete(key)


def kill_database(cluster: Cluster) -> None:
    """Kill the database and start it again on its data: connections are reset and refused until it is back."""
    _kill(cluster, cluster.mongodb.process)


def cut_database(cluster: Cluster) -> None:
    """Make the database unreachable for 5 s, by stopping its process.

    A cut network drops packets: clients see silence, not a reset, and TCP sends again what was not acknowledged, so
    writes of before the cut may arrive after it, when their senders have given up. A stopped process shows exactly
    that. A proxy in between would show resets, which ``kill_database`` shows already, and would slow down and time
    every request of all the other experiments.
    """
    with _frozen(cluster, cluster.mongodb.process):
        _wait(DATABASE_SILENCE)


FAULTS: Mapping[str, Fault] = {fault.__name__: fault for fault in (
    kill_child, kill_worker, kill_control, kill_beat, kill_web, freeze_worker, kill_broker, flush_broker,
    freeze_broker, flush_results, kill_database, cut_database)}
"""All of them by name."""


def _any_worker(cluster: Cluster) -> str:
    return cluster.chance.choice(cluster.block_workers)


def _strike(cluster: Cluster, process: ServerProcess) -> None:
    """Note who is about to be hit: a process with all that it started; one that has ended by itself is not hit."""
    if not process.is_running:
        return
    root = psutil.Process(process.pid)
    _note(cluster, root, *root.children(recursive=True))


def _note(cluster: Cluster, *processes: psutil.Process) -> None:
    cluster.struck += [process.pid for process in processes]
    cluster.struck_at = datetime.now(UTC)


def _kill(cluster: Cluster, process: ServerProcess) -> None:
    _strike(cluster, process)
    process.kill()
    process.start()


@contextmanager
def _frozen(cluster: Cluster, process: ServerProcess) -> Iterator[None]:
    """Stop a process and all that it started; let it go on at the end, whatever happens."""
    _strike(cluster, process)
    process.kill(signal.SIGSTOP)
    try:
        yield
    finally:
        process.kill(signal.SIGCONT)


def _wait(duration: timedelta) -> None:
    """Let time pass: here the duration itself is the fault, there is nothing to look for."""
    time.sleep(duration.total_seconds())
