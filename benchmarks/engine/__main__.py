"""``python -m benchmarks.engine``: what a block costs, in times of the floor and in operations."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.engine import report
from benchmarks.engine.figures import cells
from benchmarks.engine.measuring import Benchmark, Measured, Wanted
from benchmarks.engine.modes import FLOOR, MODES, USUAL
from benchmarks.engine.servers import running_servers
from benchmarks.engine.targets import verdicts
from benchmarks.engine.workloads import PARKED, STARTS, WAITING, parked_count, start_count, workloads
from benchmarks.machine import machine
from benchmarks.tables import Table, machine_table, markdown

_NAMES = ("W1", "W2", "W3", "W4", STARTS, "W6", PARKED, WAITING)
_ROUNDS, _QUICK_ROUNDS = 5, 1


@click.command()
@click.option("--rounds", type=click.IntRange(min=1), help="How often each workload runs; 5, or 1 with --quick.")
@click.option("--quick", is_flag=True, help="Smaller, to see that everything works.")
@click.option("--workloads", "chosen", default=",".join(_NAMES), show_default=True, help="Which, with commas between.")
@click.option("--modes", "mode_names", default=",".join(USUAL), show_default=True,
              help=f"Whose cost is measured; there are {', '.join(MODES)}.")
@click.option("--count/--no-count", "counts", default=True, help="Also count operations, in runs of their own.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here.")
@click.option("--markdown", "in_markdown", is_flag=True, help="Print the tables in Markdown as well.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Keep files and logs in this folder.")
def main(rounds: int | None, quick: bool, chosen: str, mode_names: str, counts: bool, json_file: Path | None,
         in_markdown: bool, keep: Path | None) -> None:
    """Measure the service, bare Celery canvases and the floor by turns, on one set of servers."""
    console, began = Console(highlight=False), time.monotonic()

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - began:7.1f} s  {text}", soft_wrap=True)

    names = frozenset(_split(chosen, _NAMES))
    modes = [MODES[name] for name in _split(mode_names, tuple(MODES))]
    works = [work for work in workloads(is_quick=quick) if work.name[:2] in names]
    wanted = Wanted(workloads=works, names=names, rounds=rounds or (_QUICK_ROUNDS if quick else _ROUNDS),
                    start_count=start_count(is_quick=quick), parked_count=parked_count(is_quick=quick))
    titles = {work.name: work.title for work in works}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        with running_servers(folder) as servers:
            benchmark = Benchmark(servers, modes, wanted, say)
            benchmark.time_all()
            _write(json_file, benchmark.measured)  # so that it is not lost with what comes after it
            if counts:
                benchmark.count_all(folder)
    for table in _tables(benchmark.measured, titles):
        _show(console, table, in_markdown)
    _write(json_file, benchmark.measured)


def _tables(measured: Measured, titles: dict[str, str]) -> Sequence[Table]:
    found = cells(measured.runs, FLOOR)
    kept = list(verdicts(found, measured.starts, measured.parking, measured.counting))
    tables = [machine_table(machine()), report.ratio_table(found, titles), report.cpu_table(measured.runs),
              report.start_table(measured.starts), report.growth_table(found), report.parking_table(measured.parking),
              report.waiting_table(measured.waiting),
              report.counting_table(measured.counting), *report.named_tables(measured.counting),
              report.verdict_table(kept)]
    return [table for table in tables if table.rows]


def _document(measured: Measured) -> dict[str, Any]:
    found = cells(measured.runs, FLOOR)
    kept = verdicts(found, measured.starts, measured.parking, measured.counting)
    return {"machine": machine(), "medians": [asdict(cell) for cell in found], **asdict(replace(measured)),
            "targets": [{**asdict(one), "kept": one.is_kept} for one in kept]}


def _write(file: Path | None, measured: Measured) -> None:
    if file is not None:
        file.write_text(json.dumps(_document(measured), indent=1) + "\n", encoding="utf-8")


def _split(text: str, known: Sequence[str]) -> Sequence[str]:
    """Return the names in a text. Raises click.BadParameter for one that is not known."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)}: there are {', '.join(known)}.")
    return names


def _show(console: Console, table: Table, in_markdown: bool) -> None:
    shown = RichTable(title=table.title, title_justify="left", show_header=any(table.head))
    for number, name in enumerate(table.head):
        shown.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in table.rows:
        shown.add_row(*row)
    console.print(shown)
    if in_markdown:
        print(f"\n{table.title}\n\n{markdown(table)}\n")


if __name__ == "__main__":
    main()
