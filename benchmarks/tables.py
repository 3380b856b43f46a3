"""The figures as tables of texts, and a table in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.figures import Latency, ReadFigures, SizeFigures


@dataclass(frozen=True, kw_only=True)
class Table:
    """A title, the names of the columns, and rows; the first column names the row."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def machine_table(machine: Mapping[str, str]) -> Table:
    """Return on what it was measured."""
    return Table(title="Measured on", head=("", ""), rows=list(machine.items()))


def size_tables(figures: SizeFigures) -> Sequence[Table]:
    """Return all tables of one size."""
    size = f"{figures.size:,} templates, {figures.size:,} executions"
    return [
        Table(title=f"{size}: reading (others kept {figures.cores_of_others:.2f} cores busy)",
              head=("request", "count", "p50 ms", "p95 ms", "database CPU ms", "web CPU ms", "4 clients: a second",
                    "p95 ms", "failed"),
              rows=[[read.name, str(read.alone.count), *_times(read.alone), _number(read.database_cpu_ms),
                     _number(read.web_cpu_ms), *_crowd(read)]
                    for read in figures.reads]),
        Table(title=f"{size}: the database's part of a page",
              head=("page", "find ms", "count ms"),
              rows=[[page.name, _number(page.find_ms), _number(page.count_ms)] for page in figures.pages]),
        Table(title=f"{size}: starting executions",
              head=("clients", "started", "started a second", "p50 ms", "p95 ms", "ended a second", "failed"),
              rows=[[str(one.clients), str(one.latency.count), _number(one.per_second), *_times(one.latency),
                     "" if one.ended_per_second is None else _number(one.ended_per_second), str(one.latency.failed)]
                    for one in figures.starts]),
        _memory_table(size, figures),
    ]


def markdown(table: Table) -> str:
    """Return a table in Markdown, without its title."""
    rule = ["---", *["---:"] * (len(table.head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (table.head, rule, *table.rows))


def _memory_table(size: str, figures: SizeFigures) -> Table:
    moments = list(figures.memory)
    found = {moment: {one.part: one for one in figures.memory[moment]} for moment in moments}
    parts = found[moments[0]] if moments else {}
    rows = [[part, str(one.processes), *(_whole_mib(found[moment][part].rss_mib) for moment in moments)]
            for part, one in parts.items()]
    return Table(title=f"{size}: memory (RSS) in MiB", head=("part", "processes", *moments), rows=rows)


def _crowd(read: ReadFigures) -> tuple[str, str, str]:
    """Return the rate and the time of several clients, and how many requests failed in all."""
    if read.together is None:
        return "", "", str(read.alone.failed)
    return (_number(read.per_second), _number(read.together.p95_ms),
            str(read.alone.failed + read.together.failed))


def _times(latency: Latency) -> tuple[str, str]:
    return _number(latency.p50_ms), _number(latency.p95_ms)


def _whole_mib(mib: float) -> str:
    return f"{mib:,.0f}"


def _number(value: float) -> str:
    """Return a number with two digits or more that mean something."""
    return f"{value:,.0f}" if round(value, 1) >= 10 else f"{value:.1f}"
