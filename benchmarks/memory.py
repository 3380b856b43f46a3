"""What the processes of the stack hold in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psutil

from benchmarks.figures import Memory

_MIB = 1024 * 1024


def memory_of(pids: Mapping[str, int]) -> Sequence[Memory]:
    """Return the resident memory of parts, with all processes that they have started.

    Pages that processes of one part share are counted for each of them.

    Args:
        pids: the first process of each part, by its name.
    """
    return [_memory(part, psutil.Process(pid)) for part, pid in pids.items()]


def _memory(part: str, first: psutil.Process) -> Memory:
    family = [first, *first.children(recursive=True)]
    return Memory(part=part, processes=len(family), rss_mib=sum(one.memory_info().rss for one in family) / _MIB)
