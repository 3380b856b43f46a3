"""Percentiles."""

from __future__ import annotations

import pytest

from benchmarks.figures import percentile


@pytest.mark.parametrize(("values", "share", "expected"), [
    ([7.0], 0.5, 7.0),
    ([7.0], 0.95, 7.0),
    ([3.0, 1.0, 2.0], 0.5, 2.0),
    ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0),
    ([float(value) for value in range(1, 101)], 0.5, 50.0),
    ([float(value) for value in range(1, 101)], 0.95, 95.0),
    ([float(value) for value in range(1, 21)], 0.95, 19.0),
    ([2.0, 1.0], 1.0, 2.0),
    ([2.0, 1.0], 0.0, 1.0),
])
def test_the_smallest_value_that_enough_do_not_exceed(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_of_nothing_there_is_none() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)
