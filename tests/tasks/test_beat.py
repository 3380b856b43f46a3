"""The schedule of beat."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import pytest

from tasks.app import app
from tasks.beat import Every

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("ago", "is_due"), [
    (timedelta(seconds=5), True), (timedelta(seconds=4), False), (timedelta(0), False), (timedelta(hours=1), True),
    pytest.param(-timedelta(hours=1), True, id="the clock was set back by an hour"),
    pytest.param(-timedelta(seconds=1), True, id="the clock was set back by a second")])
def test_when_it_is_due(ago: timedelta, is_due: bool) -> None:
    every = Every(timedelta(seconds=5), nowfun=lambda: NOW, app=app)
    assert every.is_due(NOW - ago).is_due is is_due


def test_beat_can_keep_it_in_its_file() -> None:
    assert pickle.loads(pickle.dumps(Every(timedelta(seconds=5)))) == Every(timedelta(seconds=5))
