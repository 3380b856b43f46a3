"""What the database works for a page of a list: finding its rows, and counting the whole list for ``total``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from statistics import median

from pymongo import MongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from benchmarks.client import WORKSPACE
from benchmarks.figures import PageFigures
from benchmarks.loads import Effort, alone
from benchmarks.reads import SEARCH
from benchmarks.seeding import template_id
from workflow_service.domain.commands import ExecutionFilter, TemplateFilter
from workflow_service.domain.paging import Place
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.repositories.mongo.connection import Raw, Store
from workflow_service.repositories.mongo.executions import ExecutionsInMongo
from workflow_service.repositories.mongo.templates import TemplatesInMongo

_EFFORT = Effort(duration=timedelta(seconds=2))
_LIMIT = 51
"""A page, and the one more that says whether there is another page."""


class CommandTimes(CommandListener):
    """Hears how long each command to the database took."""

    def __init__(self) -> None:
        """Nothing was heard."""
        self.milliseconds: dict[str, list[float]] = defaultdict(list)
        """By the name of the command."""

    def started(self, event: CommandStartedEvent) -> None:
        """Wait for its end."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Keep how long it took."""
        self.milliseconds[event.command_name].append(event.duration_micros / 1000)

    def failed(self, event: CommandFailedEvent) -> None:
        """Leave it to whoever sent it."""


@contextmanager
def listening_store(url: str) -> Iterator[tuple[Store, CommandTimes]]:
    """Return the database as the service has it, and what hears the commands sent to it."""
    times = CommandTimes()
    client: MongoClient[Raw]
    with MongoClient(url, tz_aware=True, event_listeners=[times]) as client:
        yield Store(client.get_default_database()), times


def measure_pages(store: Store, times: CommandTimes, middle: Place) -> Sequence[PageFigures]:
    """Ask the repositories for the pages of ``reads``, one after the other, with nobody else there."""
    return [_page(name, look, times) for name, look in _looks(store, middle).items()]


def _looks(store: Store, middle: Place) -> Mapping[str, Callable[[], object]]:
    templates, executions = TemplatesInMongo(store), ExecutionsInMongo(store)
    of_templates = {
        "first page": TemplateFilter(limit=_LIMIT),
        "search": TemplateFilter(limit=_LIMIT, search=SEARCH),
        "category and tag": TemplateFilter(limit=_LIMIT, category="category-3", tags=("tag-03",)),
    }
    of_executions = {
        "first page": ExecutionFilter(limit=_LIMIT),
        "by status": ExecutionFilter(limit=_LIMIT, statuses=(ExecutionStatus.FAILED,)),
        "by template": ExecutionFilter(limit=_LIMIT, template_id=template_id(7)),
        "middle page, by cursor": ExecutionFilter(limit=_LIMIT, after=middle),
    }
    return {
        **{f"list templates: {name}": partial(templates.page, WORKSPACE, one) for name, one in of_templates.items()},
        **{f"list executions: {name}": partial(executions.page, WORKSPACE, one) for name, one in of_executions.items()},
    }


def _page(name: str, look: Callable[[], object], times: CommandTimes) -> PageFigures:
    times.milliseconds.clear()
    alone(lambda: look() is not None, _EFFORT)
    return PageFigures(name=name, find_ms=median(times.milliseconds["find"]),
                       count_ms=median(times.milliseconds["aggregate"]))
