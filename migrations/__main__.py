"""``python -m migrations``: brings the database that ``MONGODB_URL`` names up to date."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import timedelta

from migrations.runner import run_missing, wait_for
from workflow_service.config import ConfigurationError, load_settings
from workflow_service.domain.errors import Unavailable
from workflow_service.repositories.mongo.connection import connect


def main(arguments: list[str]) -> int:
    """Run the migrations; return the exit code of the process."""
    wait = _wait(arguments)
    try:
        mongodb = load_settings(os.environ).mongodb
        store = connect(mongodb.url, max_pool_size=mongodb.max_pool_size,
                        server_selection_timeout=min(mongodb.server_selection_timeout, wait))
    except (ConfigurationError, ValueError) as error:
        return _failed(str(error))
    try:
        wait_for(store, wait)
        for line in run_missing(store):
            print(line, flush=True)
    except Unavailable as error:
        return _failed(f"{error} MONGODB_URL must name a server that answers within {wait.total_seconds():g} s.")
    finally:
        store.close()
    return 0


def _wait(arguments: list[str]) -> timedelta:
    parser = argparse.ArgumentParser(prog="python -m migrations", description=__doc__)
    parser.add_argument("--wait", type=float, default=30.0, metavar="SECONDS",
                        help="how long to wait for the database (default: 30)")
    return timedelta(seconds=parser.parse_args(arguments).wait)


def _failed(reason: str) -> int:
    print(f"The migrations did not run: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
