"""The figures as texts."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.figures import Latency, Memory, PageFigures, ReadFigures, SizeFigures, StartFigures
from benchmarks.tables import Table, machine_table, markdown, size_tables


def some_figures(**changes: Any) -> SizeFigures:
    """Return figures of one thing each."""
    usual: dict[str, Any] = {
        "size": 10_000, "seeded_in_s": 3.0, "load": 2.0, "cores_of_others": 0.126,
        "reads": [ReadFigures(name="get a template", alone=Latency(count=500, p50_ms=4.24, p95_ms=12.6, failed=1),
                              together=Latency(count=80, p50_ms=9.0, p95_ms=1234.5, failed=2), per_second=321.4,
                              database_cpu_ms=1.26, web_cpu_ms=2.0)],
        "pages": [PageFigures(name="list", find_ms=9.96, count_ms=0.04)],
        "starts": [StartFigures(clients=4, latency=Latency(count=90, p50_ms=50.0, p95_ms=70.0, failed=0),
                                per_second=9.0, ended_per_second=8.5)],
        "memory": {"empty": [Memory(part="web", processes=3, rss_mib=200.4)],
                   "loaded": [Memory(part="web", processes=3, rss_mib=1250.6)]}}
    return SizeFigures(**usual | changes)


def rows(figures: SizeFigures) -> list[list[str]]:
    """Return the one row of each table."""
    return [list(row) for table in size_tables(figures) for row in table.rows]


def test_each_kind_of_figure_has_a_table() -> None:
    assert rows(some_figures()) == [
        ["get a template", "500", "4.2", "13", "1.3", "2.0", "321", "1,234", "3"],
        ["list", "10", "0.0"],
        ["4", "90", "9.0", "50", "70", "8.5", "0"],
        ["web", "3", "200", "1,251"],
    ]


def test_of_a_request_that_failed_there_is_no_rate() -> None:
    read = ReadFigures(name="list", alone=Latency(count=1, p50_ms=10_000.0, p95_ms=10_000.0, failed=1), together=None,
                       per_second=0.0, database_cpu_ms=9000.0, web_cpu_ms=1.0)
    assert rows(some_figures(reads=[read]))[0] == ["list", "1", "10,000", "10,000", "9,000", "1.0", "", "", "1"]


def test_each_row_is_as_long_as_its_head() -> None:
    assert all(len(row) == len(table.head) for table in size_tables(some_figures()) for row in table.rows)


def test_the_titles_say_the_size_and_how_busy_others_were() -> None:
    titles = [table.title for table in size_tables(some_figures())]
    assert all(title.startswith("10,000 templates, 10,000 executions: ") for title in titles)
    assert "others kept 0.13 cores busy" in titles[0]


def test_executions_that_did_not_end_have_no_rate() -> None:
    start = StartFigures(clients=1, latency=Latency(count=1, p50_ms=1.0, p95_ms=1.0, failed=0), per_second=1.0,
                         ended_per_second=None)
    assert rows(some_figures(starts=[start]))[2] == ["1", "1", "1.0", "1.0", "1.0", "", "0"]


@pytest.mark.parametrize(("value", "text"), [(0.0, "0.0"), (9.94, "9.9"), (10.0, "10"), (1234.5, "1,234")])
def test_numbers_have_the_digits_that_mean_something(value: float, text: str) -> None:
    page = PageFigures(name="list", find_ms=value, count_ms=value)
    assert rows(some_figures(pages=[page]))[1] == ["list", text, text]


def test_a_table_in_markdown() -> None:
    table = Table(title="Fruit", head=("name", "count"), rows=[("pear", "2"), ("plum", "10")])
    assert markdown(table).splitlines() == ["| name | count |", "| --- | ---: |", "| pear | 2 |", "| plum | 10 |"]


def test_the_machine_is_told_as_it_is() -> None:
    assert machine_table({"cores": "2", "Python": "3.11"}).rows == [("cores", "2"), ("Python", "3.11")]
