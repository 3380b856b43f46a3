"""Runs one script of an agent within limits; a program of its own, started by ``script.py``.

The limits are set here, in the child and before the script, because code between fork and exec is not safe in a process
with threads. The command line is: script, package root, limits as JSON, and the number
of an inherited pipe that the service holds open. When the pipe closes, the service is gone, and with it the right to go
on: the key is free again after its restart, so a script that survived would do its work twice.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import runpy
import signal
import sys
import threading

MEMORY_EXIT = 121
"""Exit code of a script that wanted more memory than it may have."""
FILE_EXIT = 122
"""Exit code of a script that wrote a larger file than it may."""

_LIMITS = {
    "memory": resource.RLIMIT_AS,
    "cpu": resource.RLIMIT_CPU,
    "file": resource.RLIMIT_FSIZE,
    "open_files": resource.RLIMIT_NOFILE,
    "core": resource.RLIMIT_CORE,
}


def main(script: str, package_root: str, limits: str, pipe: str) -> None:
    """Set the limits, watch the service, run the script."""
    _limit(json.loads(limits))
    threading.Thread(target=_end_with_the_service, args=(int(pipe),), daemon=True).start()
    sys.path.append(package_root)
    sys.argv = [script]
    try:
        runpy.run_path(script, run_name="__main__")
        sys.stdout.flush()
    except MemoryError:
        os._exit(MEMORY_EXIT)
    except OSError as error:
        if error.errno == errno.EFBIG:
            os._exit(FILE_EXIT)
        raise


def _limit(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        if name == "memory" and sys.platform == "darwin":
            continue  # macOS refuses to limit the address space
        # At the hard limit of processor time comes SIGKILL, at the soft one SIGXCPU, which tells why.
        resource.setrlimit(_LIMITS[name], (value, value + 1 if name == "cpu" else value))


def _end_with_the_service(pipe: int) -> None:
    os.read(pipe, 1)
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
