"""Result backends that count the ended tasks of chords and do nothing else.

Celery subscribes to the result of every member of a group as it sends it, for a caller who may want to wait. Nobody
waits here: outcomes are in the store. For chords the subscriptions would never end, and while Redis does not answer
each of them blocks.
"""

from __future__ import annotations

from typing import Any

from celery.backends.redis import RedisBackend, SentinelBackend


class _NobodyWaits:
    """Leaves out what is only there for those who wait for a result."""

    def add_pending_result(self, result: Any, weak: bool = False, start_drainer: bool = True) -> Any:
        """Return the result and subscribe to nothing."""
        return result

    def remove_pending_result(self, result: Any) -> Any:
        """Return the result; nothing was subscribed to."""
        return result

    def on_task_call(self, producer: Any, task_id: str) -> None:
        """Subscribe to nothing."""


class RedisCounter(_NobodyWaits, RedisBackend):  # type: ignore[misc]
    """Counts in Redis."""


class SentinelCounter(_NobodyWaits, SentinelBackend):  # type: ignore[misc]
    """Counts in Redis behind sentinels."""


OVERRIDES = {"redis": f"{__name__}:RedisCounter", "rediss": f"{__name__}:RedisCounter",
             "sentinel": f"{__name__}:SentinelCounter"}
"""The backend of each kind of address."""
