"""A process that only dispatches, as the API does; the dispatcher's time-outs can be seen on it.

``python -m tests.support.dispatching`` reads one of ``SHAPES`` a line and answers each with the seconds that its
dispatch took.
"""

from __future__ import annotations

import sys
import time

from tasks.dispatch import CeleryDispatcher
from tests.support.dispatches import SHAPES, a_dispatch


def answer(shape: str) -> str:
    """Dispatch a segment and say how long that took."""
    since = time.monotonic()
    CeleryDispatcher().dispatch([a_dispatch(SHAPES[shape])])
    return f"{time.monotonic() - since:.2f}"


if __name__ == "__main__":
    for line in sys.stdin:
        print(answer(line.strip()), flush=True)
