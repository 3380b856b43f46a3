"""What a worker and a driver of one mode are told, in their environment."""

from __future__ import annotations

import os

BROKER = "BENCHMARK_BROKER"
"""The broker, which is also where ends are told."""
STORE = "BENCHMARK_STORE"
COUNTS = "BENCHMARK_COUNTS"
"""A folder for counts of operations; nothing is counted without it, as that takes time."""
DRIVES = "BENCHMARK_DRIVES"
"""Set for drivers: what they wait for is the start of an execution."""
LATE = "BENCHMARK_LATE"
"""Set for canvases whose messages are acknowledged late."""
AGENT = "BENCHMARK_AGENT"
"""``http`` for the Agent Service, ``slow`` for one whose agent takes a second; otherwise an agent in the worker."""
STATE = "BENCHMARK_STATE"
"""``memory`` for a State Management Service in the worker; otherwise the one at its address."""
WEB = "BENCHMARK_WEB"
"""The address of the API."""

ENDED = "benchmark:ended"
"""The list in the broker on which the end of each execution is told."""
PARKED = "benchmark:parked"
BEGAN = "benchmark:began"
"""The list on which a step says when it ran."""
PATIENCE_S = 150
"""How long an end is waited for."""


def address(name: str) -> str:
    """Return an address from the environment.

    Raises:
        RuntimeError: it was not told.
    """
    found = os.environ.get(name)
    if not found:
        raise RuntimeError(f"{name} is not set.")
    return found
