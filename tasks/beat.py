"""The schedule of Celery beat, for machines whose clock may be set."""

from __future__ import annotations

from datetime import datetime, timedelta

from celery.schedules import schedule


class Every(schedule):  # type: ignore[misc]  # Celery has no types
    """Something that is due again and again after the same time, also when the clock was set back meanwhile.

    Celery's own schedule waits until the clock has come to where it was before: for an hour, without any repair.
    """

    def remaining_estimate(self, last_run_at: datetime) -> timedelta:
        """Return how long until it is due again; a last run in the future tells that the clock was set back."""
        remaining: timedelta = super().remaining_estimate(last_run_at)
        return timedelta(0) if remaining > self.run_every else remaining
