"""Becomes another program, which then dies with the process that started it; run as a file, without site packages.

The command line is: the id of the process that starts it, and the command. On Linux the kernel is asked to kill this
process when its parent dies (the wish survives the exec), so that even a supervisor that is killed leaves nothing
behind. Elsewhere the command is only started.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: str, command: list[str]) -> None:
    """Tie this process to its parent and become the command."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
    if os.getppid() != int(parent):
        raise SystemExit("The supervisor has ended already.")
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
