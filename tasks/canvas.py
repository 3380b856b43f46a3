"""Segments as Celery canvases; the only file that knows chain, group and chord.

All signatures are immutable and carry ids alone. Chords are one level deep. Whatever a canvas loses (a chord whose
counter was flushed never fires), the sweep dispatches from the store.
"""

from __future__ import annotations

from celery import chain, chord, group
from celery.canvas import Signature

from tasks import names
from tasks.app import app
from tasks.priorities import message_priority
from workflow_service.domain.plan import Line
from workflow_service.domain.routing import USUAL, Route
from workflow_service.services.ports import Dispatch


def build(dispatch: Dispatch) -> Signature:
    """Return the canvas of one dispatch: a task, a chain, a group, or a chord."""
    segment = dispatch.segment
    if isinstance(segment, Line):
        return _line(dispatch, segment, names.RUN_BLOCK, None)
    if segment.join is None:
        return group([_line(dispatch, line, names.RUN_BLOCK, None) for line in segment.lines])
    body = _line(dispatch, segment.join, names.RUN_BLOCK, None)
    header = [_line(dispatch, line, names.RUN_JOINED_BLOCK, segment.join.first) for line in segment.lines]
    return chord(header, body)


def _line(dispatch: Dispatch, line: Line, last_task: str, brought_last: str | None) -> Signature:
    """Return the tasks of a line, each told which block the canvas brings after it."""
    brought = [*(run[0] for run in line.runs[1:]), brought_last]
    tasks = [names.RUN_BLOCK] * (len(line.runs) - 1) + [last_task]
    routes = line.routes or (USUAL,) * len(line.runs)
    links = [_run(dispatch, task, run[0], brings, route)
             for task, run, brings, route in zip(tasks, line.runs, brought, routes, strict=True)]
    return links[0] if len(links) == 1 else chain(*links)


def _run(dispatch: Dispatch, task: str, block_id: str, brings: str | None, route: Route) -> Signature:
    return app.signature(task, immutable=True, queue=route.queue, priority=message_priority(route.priority),
                         args=[dispatch.workspace_id, dispatch.execution_id, block_id, dispatch.epoch, brings])
