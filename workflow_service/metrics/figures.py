"""The figures of the store as metrics: read when Prometheus asks, and not more often than every few seconds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from threading import Lock
from typing import TypeVar

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from workflow_service.domain.errors import Unavailable
from workflow_service.metrics import catalogue
from workflow_service.metrics.catalogue import Metric
from workflow_service.services.figures import Figures, FigureSource

log = logging.getLogger(__name__)

L = TypeVar("L", bound=str)


class StoreFigures(Collector):
    """Shows the figures; while the store is away, that alone."""

    def __init__(self, source: FigureSource, ttl: timedelta = timedelta(seconds=5),
                 monotonic: Callable[[], float] = time.monotonic) -> None:
        """Read from this source.

        Args:
            source: bounded in time.
            ttl: for how long what was read, or that it could not be, is shown again.
            monotonic: seconds from a clock that is never set.
        """
        self._source = source
        self._ttl_s = ttl.total_seconds()
        self._monotonic = monotonic
        self._reading = Lock()
        self._found: Figures | None = None
        self._was_read = False
        self._until_s = float("-inf")

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metrics."""
        figures = self._figures()
        if not self._was_read:
            return  # another reads for the first time, and nobody knows yet
        yield _gauge(catalogue.FIGURES_UP, {(): float(figures is not None)})
        if figures is not None:
            for metric, values in _values(figures).items():
                yield _gauge(metric, values)

    def _figures(self) -> Figures | None:
        # whoever comes while another reads gets what was there before, and waits for nobody
        if self._monotonic() >= self._until_s and self._reading.acquire(blocking=False):
            try:
                self._found = self._read()
                self._was_read = True
                self._until_s = self._monotonic() + self._ttl_s
            finally:
                self._reading.release()
        return self._found

    def _read(self) -> Figures | None:
        try:
            return self._source.read()
        except Unavailable as error:
            log.warning("no figures: %s", error)
            return None


_Values = Mapping[tuple[str, ...], float]
"""Values by the values of their labels."""


def _values(figures: Figures) -> Mapping[Metric, _Values]:
    return {
        catalogue.EXECUTIONS: _by_label(figures.executions),
        catalogue.BLOCKS_ON_THEIR_WAY: _by_label(figures.blocks),
        catalogue.OLDEST_READY: _seconds(figures.oldest_ready),
        catalogue.DUE: _by_label(figures.due),
        catalogue.PARKED: _by_label(figures.parked),
        catalogue.PERMIT_WAITS: _by_label(figures.permit_waits),
        catalogue.APPROVALS_PENDING: {(): figures.approvals_pending},
        catalogue.APPROVALS_OVERDUE: {(): figures.approvals_overdue},
        catalogue.CHECKPOINTS_WAITING: {(): figures.checkpoints_waiting},
        catalogue.CHECKPOINT_LAG: _seconds(figures.checkpoint_lag),
        catalogue.OUTBOX_LAG: _seconds(figures.outbox_lag)}


def _by_label(counts: Mapping[L, int]) -> _Values:
    return {(str(label),): count for label, count in counts.items()}


def _seconds(length: timedelta | None) -> _Values:
    return {(): 0.0 if length is None else max(0.0, length.total_seconds())}


def _gauge(metric: Metric, values: _Values) -> GaugeMetricFamily:
    family = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family
