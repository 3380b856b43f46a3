"""The course of a storm: everything starts, work goes on, faults strike, all comes to rest, and is judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from threading import Event

from tests.chaos.storm.actors import Deciders, Operator, Starter
from tests.chaos.storm.client import Client
from tests.chaos.storm.log import Blow, Log
from tests.chaos.storm.settings import StormSettings
from tests.chaos.storm.store import Sight, sight_of
from tests.chaos.storm.verdict import Verdict, judge
from tests.chaos.storm.workflows import workflows
from tests.support.cluster import SECRET, Cluster, running_cluster
from tests.support.faults import FAULTS
from tests.support.rabbitmq import running_rabbitmq

Say = Callable[[str], None]
"""Tells a person what happens."""
_HELD = ("paused", "pausing")
_CONCURRENCY = {"threads": 8, "prefork": 4}
_LOOK_EVERY_S = 0.3


@contextmanager
def storm_cluster(settings: StormSettings, directory: Path) -> Iterator[Cluster]:
    """Run the whole service with two workers for blocks."""
    with ExitStack() as stack:
        rabbitmq = stack.enter_context(running_rabbitmq(directory)) if settings.broker == "rabbitmq" else None
        cluster = stack.enter_context(running_cluster(
            directory, rabbitmq=rabbitmq, lease=settings.lease, sweep_interval=settings.sweep_interval))
        cluster.chance = settings.chance("victims")
        cluster.start_web()
        for name in ("blocks1", "blocks2"):
            cluster.start_worker(name, "blocks", pool=settings.pool, concurrency=_CONCURRENCY[settings.pool])
        cluster.start_control()
        yield cluster


def run_storm(settings: StormSettings, cluster: Cluster, say: Say) -> tuple[Log, Verdict, timedelta]:
    """Let a storm pass over a cluster.

    Returns:
        What happened, how it ended, and how long it took from the last fault until all was at rest.
    """
    log = Log()
    user = Client(cluster.url, SECRET, "olga")
    for document in workflows():
        if not user.post("/templates", document).ok:
            raise RuntimeError(f"The template {document['templateId']} was not stored.")
    with sight_of(cluster) as sight:
        rested = _storm(settings, cluster, sight, log, user, say)
        say(f"judging {len(log.accepted)} executions")
        return log, judge(sight, cluster.agents.url, log), rested


def _storm(settings: StormSettings, cluster: Cluster, sight: Sight, log: Log, user: Client, say: Say) -> timedelta:
    starter = Starter(user, sight, log, settings.chance("starts"), settings.at_once)
    operator = Operator(user, sight, log, settings.chance("commands"))
    deciders = Deciders((Client(cluster.url, SECRET, "rita"), Client(cluster.url, SECRET, "omar")), log,
                        settings.chance("decisions"))
    storm_over, all_over = Event(), Event()
    with ThreadPoolExecutor(3) as threads:
        acting = [threads.submit(starter.act, storm_over), threads.submit(operator.act, storm_over),
                  threads.submit(deciders.act, all_over)]
        try:
            _strike(settings, cluster, sight, log, acting, say)
            storm_over.set()
            return _come_to_rest(settings, sight, operator, acting, say)
        finally:
            storm_over.set()
            all_over.set()
            for one in acting:
                one.result()


def _strike(settings: StormSettings, cluster: Cluster, sight: Sight, log: Log, acting: Sequence[Future[None]],
            say: Say) -> None:
    """Inject one fault after the other until the time is over."""
    chance = settings.chance("faults")
    deadline = time.monotonic() + settings.duration.total_seconds()
    for kind in drawn_faults(chance, settings.pool):
        time.sleep(chance.uniform(*settings.calm))
        _check(acting)
        if time.monotonic() >= deadline:
            return
        blow = _inject(kind, cluster, sight)
        log.blows.append(blow)
        going = sight.going()
        say(f"[bold]{kind}[/bold] for {blow.seconds:.1f} s   {len(log.accepted)} accepted, "
            f"{len(going) if going is not None else '?'} going, {len(log.decisions)} answers, "
            f"{len(log.commands)} commands")


def drawn_faults(chance: Random, pool: str) -> Iterator[str]:
    """Yield kinds of faults for ever, each as often as the others, in an order that is drawn."""
    kinds = [kind for kind in FAULTS if pool == "prefork" or kind != "kill_child"]
    while True:
        yield from chance.sample(kinds, len(kinds))


def _inject(kind: str, cluster: Cluster, sight: Sight) -> Blow:
    hit_before = len(cluster.struck)
    cluster.struck_at = None
    at, at_work = sight.at_work()
    began = time.monotonic()
    FAULTS[kind](cluster)
    return Blow(kind=kind, at=cluster.struck_at or at, seconds=time.monotonic() - began, at_work=at_work,
                struck=frozenset(cluster.struck[hit_before:]))


def _come_to_rest(settings: StormSettings, sight: Sight, operator: Operator, acting: Sequence[Future[None]],
                  say: Say) -> timedelta:
    """Lift every pause, and wait until nothing goes on; return how long that took."""
    began = time.monotonic()
    say("the faults are over; everything is to come to rest")
    while (going := sight.going()) is None or going:
        _check(acting[2:])
        if time.monotonic() - began > settings.patience.total_seconds():
            say(f"[red]not at rest: {dict(going or {})}[/red]")
            break
        for execution_id, status in (going or {}).items():
            if status in _HELD:
                operator.resume(execution_id)
        time.sleep(_LOOK_EVERY_S)
    return timedelta(seconds=time.monotonic() - began)


def _check(acting: Sequence[Future[None]]) -> None:
    """Raise the error of whoever stopped acting."""
    for one in acting:
        if one.done():
            one.result()
