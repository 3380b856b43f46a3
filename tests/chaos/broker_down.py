"""``python -m tests.chaos.broker_down``: how long requests take while the broker is away.

The broker is up, then killed (connections are refused), then frozen (connections stay open, nothing answers). Each
time as many executions are started, and as many requests for approval are answered, as asked for, by a few clients at
once. All must be answered with 2xx, and all executions must be completed when the broker is back. Exit code 1 if not.

With Valkey as the broker all that it also does is away with it: rate limits, caches, counters of chords.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any

import click
from rich.console import Console

from tests.chaos.storm.client import Answer, Client
from tests.chaos.storm.ending import end_in_order
from tests.chaos.storm.recovery import percentile
from tests.chaos.storm.report import markdown_table
from tests.chaos.storm.store import Sight, sight_of
from tests.support.cluster import SECRET, Cluster, running_cluster
from tests.support.driver import eventually
from tests.support.rabbitmq import running_rabbitmq
from tests.support.scenarios import echo, gate, template

_REST_WITHIN = timedelta(seconds=180)
_TEMPLATE = template("asks", [echo("begin"), gate("ask", ["begin"]), echo("end", ["ask"])])
_HEAD = ("broker", "is", "request", "count", "2xx", "p50 ms", "p99 ms", "max ms")
Row = Mapping[str, Any]


@contextmanager
def _up(_: Cluster) -> Iterator[None]:
    yield


@contextmanager
def _refused(cluster: Cluster) -> Iterator[None]:
    cluster.broker.process.kill()
    try:
        yield
    finally:
        cluster.broker.process.start()


@contextmanager
def _frozen(cluster: Cluster) -> Iterator[None]:
    cluster.broker.process.kill(SIGSTOP)
    try:
        yield
    finally:
        cluster.broker.process.kill(SIGCONT)


_CONDITIONS = {"up": _up, "refused": _refused, "frozen": _frozen}


@click.command()
@click.option("--broker", type=click.Choice(["valkey", "rabbitmq"]), default="valkey", show_default=True)
@click.option("--requests", "count", type=click.IntRange(1), default=100, show_default=True, help="Of each kind.")
@click.option("--clients", type=click.IntRange(1), default=4, show_default=True, help="At once.")
@click.option("--lease-ms", type=click.IntRange(100), default=5000, show_default=True)
@click.option("--sweep-ms", type=click.IntRange(50), default=1000, show_default=True)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here.")
def main(broker: str, count: int, clients: int, lease_ms: int, sweep_ms: int, json_file: Path | None) -> None:
    """Measure requests with the broker up, refusing and frozen."""
    end_in_order()
    console = Console(soft_wrap=True, highlight=False)
    directory = Path(tempfile.mkdtemp(prefix="chaos-"))
    with ExitStack() as stack:
        rabbitmq = stack.enter_context(running_rabbitmq(directory)) if broker == "rabbitmq" else None
        cluster = stack.enter_context(running_cluster(
            directory, rabbitmq=rabbitmq, lease=timedelta(milliseconds=lease_ms),
            sweep_interval=timedelta(milliseconds=sweep_ms)))
        cluster.start_web()
        cluster.start_worker("blocks", "blocks")
        cluster.start_control()
        rows, completed = _measure(cluster, stack.enter_context(sight_of(cluster)), broker, count, clients,
                                   console.print)
    print("\n".join(markdown_table(_HEAD, [[str(value) for value in row.values()] for row in rows])))
    good = completed and all(row["2xx"] == row["count"] for row in rows)
    console.print(f"all executions completed: {completed}; logs: {directory}")
    if json_file is not None:
        json_file.write_text(json.dumps({"rows": rows, "completed": completed}, indent=2), encoding="utf-8")
    sys.exit(0 if good else 1)


def _measure(cluster: Cluster, sight: Sight, broker: str, count: int, clients: int,
             say: Callable[[str], None]) -> tuple[Sequence[Row], bool]:
    """Return the figures, and whether every execution is completed in the end."""
    user = Client(cluster.url, SECRET, "olga")
    if not user.post("/templates", _TEMPLATE).ok:
        raise RuntimeError("The template was not stored.")
    rows: list[Row] = []
    with ThreadPoolExecutor(clients) as hands:
        for name, condition in _CONDITIONS.items():
            say(f"the broker is {name}")
            asked = _asked(user, count)
            with condition(cluster):
                starts = list(hands.map(lambda _: _start(user), range(count)))
                answers = list(hands.map(lambda approval: _answer(user, approval), asked))
            rows += [_row(broker, name, "start an execution", starts),
                     _row(broker, name, "answer an approval", answers)]
            _finish(user, sight)
    return rows, set((sight.all() or {}).values()) == {"completed"}


def _start(user: Client) -> Answer:
    return user.post("/executions", {"templateId": "asks", "input": {}})


def _answer(user: Client, approval_id: str) -> Answer:
    return user.post(f"/approvals/{approval_id}/respond", {"approved": True, "response": {"marker": "yes"}})


def _pending(user: Client, **query: str) -> list[str]:
    approvals = user.get("/approvals/pending", limit=100, **query).body.get("approvals", [])
    return [approval["approvalId"] for approval in approvals]


def _asked(user: Client, count: int) -> Sequence[str]:
    """Start so many executions that so many requests for approval wait, and return them."""
    started = [_start(user).body["executionId"] for _ in range(count)]
    return [eventually(partial(_asked_by, user, execution_id), _REST_WITHIN) for execution_id in started]


def _asked_by(user: Client, execution_id: str) -> str | None:
    return next(iter(_pending(user, executionId=execution_id)), None)


def _finish(user: Client, sight: Sight) -> None:
    """Answer everything that is asked until nothing goes on."""
    def rest() -> bool | None:
        for approval_id in _pending(user):
            _answer(user, approval_id)
        return True if sight.going() == {} else None
    eventually(rest, _REST_WITHIN)


def _row(broker: str, condition: str, request: str, answers: Sequence[Answer]) -> Row:
    milliseconds = [1000 * answer.seconds for answer in answers]
    return {"broker": broker, "is": condition, "request": request, "count": len(answers),
            "2xx": sum(answer.ok for answer in answers),
            **{name: round(percentile(milliseconds, share), 1)
               for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))}}


if __name__ == "__main__":
    main()
