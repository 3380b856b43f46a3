"""``python -m benchmarks.api``: what the API takes on the embedded stack, with few and with many documents.

For each size a stack of its own is started in a temporary folder, filled, measured and taken away again.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import FrameType

import click
from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.client import Client
from benchmarks.figures import SizeFigures
from benchmarks.machine import Usage, load_average, machine
from benchmarks.memory import memory_of
from benchmarks.models import make_models
from benchmarks.pages import CommandTimes, listening_store, measure_pages
from benchmarks.reads import CLIENTS, measure_read, reads
from benchmarks.seeding import execution_id, seed
from benchmarks.stack import RunningStack, Say, measured_stack
from benchmarks.starts import measure_starts
from benchmarks.tables import Table, machine_table, markdown, size_tables
from workflow_service.domain.paging import Place
from workflow_service.repositories.mongo import executions
from workflow_service.repositories.mongo.connection import Store


def _sizes(_: click.Context, __: click.Parameter, value: str) -> Sequence[int]:
    """Return whole numbers above zero that have commas between them."""
    parts = [part.strip() for part in value.split(",")]
    if not all(part.isdecimal() and int(part) for part in parts):
        raise click.BadParameter(f"{value!r} is not like 1000,10000.")
    return [int(part) for part in parts]


@click.command()
@click.option("--sizes", callback=_sizes, default="1000,10000,100000", show_default=True,
              help="How many templates and executions there are, one stack for each.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here.")
@click.option("--markdown", "in_markdown", is_flag=True, help="Print the tables in Markdown as well.")
def main(sizes: Sequence[int], json_file: Path | None, in_markdown: bool) -> None:
    """Measure the HTTP API on the embedded stack."""
    signal.signal(signal.SIGTERM, _leave)
    console, began = Console(highlight=False), time.monotonic()

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - began:7.1f} s  {text}", soft_wrap=True)

    on, figures = machine(), []
    _show(console, machine_table(on), in_markdown)
    for size in sizes:
        figures.append(measure(size, say))
        for table in size_tables(figures[-1]):
            _show(console, table, in_markdown)
        if json_file is not None:  # after each size, so that nothing is lost if a later one is given up
            _write(json_file, on, figures)


def _leave(_: int, __: FrameType | None) -> None:
    """End like Ctrl-C does: what was started is stopped first."""
    sys.exit(1)


def measure(size: int, say: Say) -> SizeFigures:
    """Run a stack with so many templates and executions, and measure it."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, measured_stack(Path(folder), say) as stack, \
            listening_store(stack.mongodb_url) as (store, times):
        say(f"{size:,}: the stack runs")
        return _measured(stack, store, times, size, say)


def _measured(stack: RunningStack, store: Store, times: CommandTimes, size: int, say: Say) -> SizeFigures:
    new_client, memory = partial(Client, stack.url, stack.secret), {"empty": memory_of(stack.pids)}
    seeded_in = _seed(new_client(), store, size)
    memory["seeded"], middle = memory_of(stack.pids), _middle(store, size)
    say(f"{size:,}: filled in {seeded_in:.1f} s")
    usage, taken = Usage([*stack.pids.values(), os.getpid()]), []
    for read in reads(middle.cursor()):
        taken.append(measure_read(read, size, new_client, stack.pids))
        say(f"{size:,}: {read.name}: p50 {taken[-1].alone.p50_ms:.1f} ms")
    pages = measure_pages(store, times, middle)
    starts = [measure_starts(store, new_client, clients) for clients in (1, CLIENTS)]
    say(f"{size:,}: executions were started")
    memory["loaded"] = memory_of(stack.pids)
    return SizeFigures(size=size, seeded_in_s=seeded_in, load=load_average(), cores_of_others=usage.of_others(),
                       reads=taken, pages=pages, starts=starts, memory=memory)


def _seed(client: Client, store: Store, size: int) -> float:
    """Fill the database and return how many seconds that took."""
    models = make_models(client, store)
    client.close()
    began = time.monotonic()
    seed(store, models, size)
    return time.monotonic() - began


def _middle(store: Store, size: int) -> Place:
    """Return the place in the middle of all executions."""
    identifier = execution_id(size // 2)
    found = store.collection(executions.COLLECTION).find_one({"_id": identifier}, {"createdAt": 1})
    if found is None:
        raise RuntimeError("The executions are not where they should be.")
    return Place(at=found["createdAt"], identifier=identifier)


def _show(console: Console, table: Table, in_markdown: bool) -> None:
    shown = RichTable(title=table.title, title_justify="left", show_header=any(table.head))
    for number, name in enumerate(table.head):
        shown.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in table.rows:
        shown.add_row(*row)
    console.print(shown)
    if in_markdown:
        print(f"\n{table.title}\n\n{markdown(table)}\n")


def _write(file: Path, on: Mapping[str, str], figures: Sequence[SizeFigures]) -> None:
    content = {"machine": on, "sizes": [asdict(one) for one in figures]}
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
