"""Lets one service at a time use a database directory.

At its start a service fails the runs that its predecessor left ``running`` and so frees their keys. That is right only
if the predecessor is really gone; after a kill of its parent a gunicorn worker lives on for some seconds. The operating
system releases the lock when the process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import BinaryIO

_POLL_SECONDS = 0.1


class DirectoryInUse(Exception):
    """Raised when another service still holds the directory."""


def lock_directory(directory: Path, wait_seconds: float) -> BinaryIO:
    """Take the directory for this process.

    Args:
        directory: is created if it does not exist.
        wait_seconds: how long to wait for a predecessor to end.

    Returns:
        The open lock file; the directory is free again when it is closed or the process ends.

    Raises:
        DirectoryInUse: somebody else held it all that time.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file = (directory / "lock").open("wb")
    deadline = time.monotonic() + wait_seconds
    while not _try_lock(file):
        if time.monotonic() > deadline:
            file.close()
            raise DirectoryInUse(f"Another Agent Service (not {os.getpid()}) uses '{directory}'.")
        time.sleep(_POLL_SECONDS)
    return file


def _try_lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
