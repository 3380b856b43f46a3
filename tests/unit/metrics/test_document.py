"""The document lists the metrics that there are."""

from __future__ import annotations

from pathlib import Path

from workflow_service.metrics.catalogue import CATALOGUE, PREFIX, VALUES, Kind

DOCUMENT = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text(encoding="utf-8")


def test_the_table_is_the_catalogue() -> None:
    rows = [f"| `{one.name}` | {one.kind} | {one.scope} | {', '.join(f'`{label}`' for label in one.labels)} | "
            f"{one.meaning} |" for one in CATALOGUE]
    table = DOCUMENT[DOCUMENT.index("<!-- metrics -->"):DOCUMENT.index("<!-- /metrics -->")]
    assert table.splitlines()[1:] == ["| name | kind | scope | labels | meaning |", "|---|---|---|---|---|", *rows]


def test_names_are_those_that_prometheus_asks_for() -> None:
    assert len({one.name for one in CATALOGUE}) == len(CATALOGUE)
    assert all(one.name.startswith(PREFIX) for one in CATALOGUE)
    assert all(one.name.endswith("_total") == (one.kind is Kind.COUNTER) for one in CATALOGUE)
    assert all(one.buckets == tuple(sorted(one.buckets)) and bool(one.buckets) == (one.kind is Kind.HISTOGRAM)
               for one in CATALOGUE)
    assert set(VALUES) <= {one.name for one in CATALOGUE if len(one.labels) == 1}
