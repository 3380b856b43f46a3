"""Show an execution while it goes on, until it is where somebody waits for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from cli.api import Api
from cli.displays import display
from cli.errors import CommandFailed
from cli.following import follow, has_ended
from cli.terminal import console
from cli.views.executions import steps_of

Document = Mapping[str, Any]
A_DAY_S = 86_400
"""Seconds after which a watcher gives up, unless told otherwise."""
INTERVAL = timedelta(milliseconds=400)
"""How long to rest between two readings."""


def watch_until(api: Api, execution_id: str, patience: timedelta,
                until: Callable[[Document], bool] = has_ended) -> Document:
    """Show each change of an execution and return its last reading.

    Args:
        until: says whether it is there.

    Raises:
        TookTooLong: it was not there in time.
        CommandFailed: it can't be read.
    """
    execution: Document = api.execution(execution_id)
    with display(console(), _steps(api, execution)) as shown:
        for execution in follow(lambda: api.execution(execution_id), patience, INTERVAL, until):
            shown.update(execution)
    return execution


def _steps(api: Api, execution: Document) -> Sequence[Sequence[str]]:
    """Return the steps of an execution's template; none if it can't be read any more."""
    try:
        return steps_of(api.template(execution["templateId"], execution["templateVersion"]))
    except CommandFailed:
        return []
