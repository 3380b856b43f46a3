"""The requests that read, and how each of them is measured."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from benchmarks.client import Client
from benchmarks.figures import ReadFigures
from benchmarks.loads import Effort, Send, alone, together
from benchmarks.machine import wait_until_idle, worked_s
from benchmarks.seeding import execution_id, template_id

CLIENTS = 4
"""How many send at once where the rate is measured."""
SEARCH = "incident 0001"
"""Found in the names of ten templates, if there are 200 or more."""
ALONE = Effort(duration=timedelta(seconds=8), at_least=3, at_most=500, until_failure=True)
TOGETHER = Effort(duration=timedelta(seconds=5))
_WARM_UP = 3
_IDLE_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class Read:
    """One kind of request."""

    name: str
    path: Callable[[int], str]
    """Gives the address of what has this number, of all templates or executions; lists have one address."""
    query: Mapping[str, Any] = field(default_factory=dict)


def reads(middle: str) -> Sequence[Read]:
    """Return all that is measured.

    Args:
        middle: the cursor of the place in the middle of the executions.
    """
    return [
        Read(name="get a template", path=lambda number: f"/templates/{template_id(number)}"),
        _list("templates", "first page"),
        _list("templates", "search", search=SEARCH),
        _list("templates", "category and tag", category="category-3", tags="tag-03"),
        Read(name="get an execution", path=lambda number: f"/executions/{execution_id(number)}"),
        _list("executions", "first page"),
        _list("executions", "by status", status="failed"),
        _list("executions", "by template", templateId=template_id(7)),
        _list("executions", "middle page, by cursor", cursor=middle),
    ]


def measure_read(read: Read, size: int, new_client: Callable[[], Client], pids: Mapping[str, int]) -> ReadFigures:
    """Send requests of one kind, by one client and then by several.

    Args:
        pids: the processes of the parts of the stack.
    """
    with _senders(read, size, new_client, 1) as [send]:
        before = _cpu_ms(pids)
        lonely = alone(send, ALONE)
        database, web = (after - earlier for after, earlier in zip(_cpu_ms(pids), before, strict=True))
    figures = ReadFigures(name=read.name, alone=lonely.latency, together=None, per_second=0.0,
                          database_cpu_ms=database / lonely.latency.count, web_cpu_ms=web / lonely.latency.count)
    if lonely.latency.failed:  # the database may still be at work for whoever has given up
        wait_until_idle(pids["mongodb"], _IDLE_WITHIN)
        return figures
    with _senders(read, size, new_client, CLIENTS) as senders:
        crowd = together(senders, TOGETHER)
    return replace(figures, together=crowd.latency, per_second=crowd.per_second)


def _cpu_ms(pids: Mapping[str, int]) -> tuple[float, float]:
    """Return how long the database and the API have worked."""
    return 1000 * worked_s([pids["mongodb"]]), 1000 * worked_s([pids["web"]])


@contextmanager
def _senders(read: Read, size: int, new_client: Callable[[], Client], clients: int) -> Iterator[list[Send]]:
    """Connect clients, and let each of them send a few cheap requests that don't count."""
    with ExitStack() as stack:
        senders = []
        for number in range(clients):
            client = new_client()
            stack.callback(client.close)
            senders.append(_sender(read, size, client, random.Random(number)))
            for _ in range(_WARM_UP):
                client.get(f"/templates/{template_id(0)}")
        yield senders


def _sender(read: Read, size: int, client: Client, chance: random.Random) -> Send:
    return lambda: client.get(read.path(chance.randrange(size)), read.query).ok


def _list(what: str, part: str, **query: str) -> Read:
    return Read(name=f"list {what}: {part}", path=lambda _: f"/{what}", query=query)
