"""A process that only dispatches, as the API does; the dispatcher's time-outs can be seen on it.

``python -m tests.support.dispatching`` reads the name of a segment from each line of its input and answers with whether
it was sent (1 or 0) and the seconds that that took.
"""

from __future__ import annotations

import sys
import time

from tasks.dispatch import CeleryDispatcher
from tests.support.dispatches import LARGEST, SHAPES, a_dispatch


def answer(dispatcher: CeleryDispatcher, name: str) -> str:
    """Dispatch a segment and say whether it was sent and how long that took."""
    segments, since = {**SHAPES, **LARGEST}, time.monotonic()
    sent = dispatcher.dispatch([a_dispatch(segments[name])])
    return f"{sent:d} {time.monotonic() - since:.2f}"


if __name__ == "__main__":
    only = CeleryDispatcher()
    for line in sys.stdin:
        print(answer(only, line.strip()), flush=True)
