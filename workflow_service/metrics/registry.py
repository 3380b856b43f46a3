"""The metrics of one process, and the text that Prometheus reads.

Where several processes answer at one address (gunicorn's), the variable ``PROMETHEUS_MULTIPROC_DIR`` names a folder in
which each keeps its numbers, and whoever is asked gives the numbers of all: counters and histograms added up, also
those of processes that have ended; of gauges the largest of those that live.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, values
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from workflow_service.metrics.catalogue import CATALOGUE, VALUES, Kind, Metric, Scope

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder that processes share; it is there when the first of them begins, and empty."""
CONTENT_TYPE = CONTENT_TYPE_LATEST
"""Of the text."""
T = TypeVar("T", Counter, Histogram, Gauge)


class Registry:
    """The metrics of this process. There is one in each process: what they count is the process's."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        """Begin all at zero."""
        self._shared = environ.get(MULTIPROCESS)
        if self._shared:
            # the library chooses when it is imported, which may be before the variable was set
            values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
        self._own = CollectorRegistry()
        self._made = {metric.name: self._make(metric) for metric in CATALOGUE if metric.scope is Scope.PROCESS}
        self._others: list[Collector] = []
        ProcessCollector(registry=self._own)
        for name, labels in VALUES.items():
            for label in labels:
                self._made[name].labels(label)

    def count(self, metric: Metric, *labels: str, by: float = 1) -> None:
        """Add to a counter."""
        self._of(metric, Counter, labels).inc(by)

    def observe(self, metric: Metric, seconds: float, *labels: str) -> None:
        """Add a length of time to a histogram."""
        self._of(metric, Histogram, labels).observe(max(0.0, seconds))

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a gauge."""
        self._of(metric, Gauge, labels).set(value)

    def show_also(self, collector: Collector) -> None:
        """Show what another one collects when it is asked."""
        self._others.append(collector)
        self._own.register(collector)

    def text(self) -> bytes:
        """Return all metrics as Prometheus reads them."""
        return generate_latest(self._of_all_processes(self._shared) if self._shared else self._own)

    def _of_all_processes(self, folder: str) -> CollectorRegistry:
        shown = CollectorRegistry()
        if Path(folder).is_dir():  # whoever cleans up temporary files may have taken it away
            MultiProcessCollector(shown, path=folder)  # type: ignore[no-untyped-call]
        for collector in self._others:
            shown.register(collector)
        return shown

    def _of(self, metric: Metric, kind: type[T], labels: tuple[str, ...]) -> T:
        made = self._made[metric.name]
        labelled = made.labels(*labels) if labels else made
        assert isinstance(labelled, kind), f"{metric.name} is a {metric.kind}"
        return labelled

    def _make(self, metric: Metric) -> Counter | Histogram | Gauge:
        if metric.kind is Kind.COUNTER:
            return Counter(metric.name, metric.meaning, metric.labels, registry=self._own)
        if metric.kind is Kind.HISTOGRAM:
            return Histogram(metric.name, metric.meaning, metric.labels, buckets=metric.buckets, registry=self._own)
        return Gauge(metric.name, metric.meaning, metric.labels, registry=self._own, multiprocess_mode="livemax")
