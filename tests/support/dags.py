"""Real workflow graphs as templates of ``echo`` blocks.

The graphs are structures of production runs from WfCommons WfInstances (LGPL-3.0). They lie beside the repository and
are no part of it; where they are absent, the tests that want them are skipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import a_block_document, a_template_document

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "dags"
"""Where the graphs are, if they are there."""
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.json")))
"""The graphs that are there."""
_LONGEST_ID = 128


@dataclass(frozen=True, kw_only=True)
class DagTask:
    """One task of a real run."""

    task_id: str
    """Theirs: it may hold characters that our ids may not."""
    parents: tuple[str, ...]
    runtime_s: float


@dataclass(frozen=True, kw_only=True)
class Dag:
    """The structure of one real run."""

    name: str
    tasks: tuple[DagTask, ...]


def every_dag() -> pytest.MarkDecorator:
    """Run a test once for each graph, as its argument ``dag``; skip it if there are none."""
    absent = pytest.param(None, id="absent", marks=pytest.mark.skip(reason=f"there are no graphs in {FOLDER.name}/"))
    return pytest.mark.parametrize("dag", [pytest.param(load_dag(name), id=name) for name in NAMES] or [absent])


def load_dag(name: str) -> Dag:
    """Read one graph."""
    document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    tasks = tuple(DagTask(task_id=task["id"], parents=tuple(task["parents"]), runtime_s=task["runtimeSeconds"])
                  for task in document["tasks"])
    return Dag(name=document["name"], tasks=tasks)


def template_document_of(dag: Dag, delay_ms_per_s: float = 0) -> dict[str, Any]:
    """Return a graph as a template in which the echo agent does every task.

    Args:
        dag: the graph.
        delay_ms_per_s: how many milliseconds a block takes for each second that its task took; 0 for no delay.
    """
    ids = block_ids(task.task_id for task in dag.tasks)
    wanted = [a_block_document(ids[task.task_id], *(ids[parent] for parent in task.parents),
                               configuration=_configuration(task, delay_ms_per_s)) for task in dag.tasks]
    template_id = block_ids([dag.name])[dag.name]
    return a_template_document(*wanted, templateId=template_id, name=dag.name)


def block_ids(theirs: Iterable[str]) -> dict[str, str]:
    """Return an id of ours for each of theirs; those that are an id already keep it, no two get the same."""
    names = list(dict.fromkeys(theirs))
    mapped = {name: _plain(name) for name in names}
    taken = {name for name in names if mapped[name] == name}
    for name in names:
        if mapped[name] != name:
            mapped[name] = _free(mapped[name], taken)
            taken.add(mapped[name])
    return mapped


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:_LONGEST_ID] or "_"


def _free(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        suffix = f"-{number}"
        candidate = name[:_LONGEST_ID - len(suffix)] + suffix
    return candidate


def _configuration(task: DagTask, delay_ms_per_s: float) -> dict[str, Any]:
    delay_ms = round(task.runtime_s * delay_ms_per_s)
    return {"value": task.task_id, **({"delayMs": delay_ms} if delay_ms else {})}
