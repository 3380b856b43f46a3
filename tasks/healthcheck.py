"""Asks the worker of this machine for a sign of life, for whoever watches a container; exits with 0 if it answers.

It asks over the broker, as only that shows that the worker still consumes. A broker that is away makes every worker
look ill, so whoever watches should report that rather than restart workers, which connect again by themselves.
"""

from __future__ import annotations

import socket
import sys

from tasks.app import app

PATIENCE_S = 3


def main(queue: str) -> int:
    """Return 0 if the worker of a queue answers, else 1."""
    node = f"{queue}@{socket.gethostname()}"
    try:
        with app.connection_for_read() as connection:
            return int(not app.control.ping([node], timeout=PATIENCE_S, connection=connection))
    except Exception as error:  # each transport fails in its own way, and all of them mean the same
        print(f"{node} can't be asked: {type(error).__name__}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
