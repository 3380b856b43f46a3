"""How much work the loops of an expression can be: an evaluation can't be interrupted, and stops its whole process.

The library copies what a loop reads and, at each step of ``map`` and ``filter``, all that was collected so far. Counted
are such copies, from the source and from how large the values are that it reads; cautiously, as a loop may collect
whatever it can reach.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

MAX_COST = 100_000_000
"""Copied values in one evaluation: some seconds."""

_NAME = r"[A-Za-z_]\w*"
_QUOTED = r"""(?:"[^"\\]*"|'[^'\\]*')"""
_LOOP = r"\.\s*(?P<loop>map|filter|all|exists|exists_one)\s*\("
_PATH = rf"(?<![\w.])(?<!\.\s){_NAME}\b(?!\s*\()(?:\s*\.\s*{_NAME}\b(?!\s*\()|\s*\[\s*{_QUOTED}\s*\])*"
_TOKEN = re.compile(rf"(?P<path>{_PATH})|{_QUOTED}|{_LOOP}|(?P<open>\()|(?P<close>\))")
_STEP = re.compile(rf"{_NAME}|{_QUOTED}")
_JOINED = re.compile(rf"\)\s*{_LOOP}")
_CHARACTERS_OF_A_VALUE = 32


@dataclass(frozen=True, kw_only=True)
class _Found:
    """Something that costs, and within how many loops it stands."""

    what: str
    depth: int


def cost(source: str, variables: Mapping[str, Any]) -> int:
    """Return how many values the loops of an expression copy at most; 0 if it has none.

    Args:
        source: CEL that compiles, without comments, and without texts that look like code.
        variables: by name.
    """
    loops, paths = _loops_and_paths(source)
    if not loops:
        return 0
    sizes = [(_size(_value(found.what, variables)), found.depth) for found in paths
             if _STEP.findall(found.what)[0] in variables]
    whole = sum(size for (size, _), _ in sizes) + 1
    inner = sum(size for (size, _), depth in sizes if depth) + 1
    longest = max([source.count(",") + 1, *(length for (_, length), _ in sizes)])
    if _JOINED.search(source):
        longest *= source.count("+") + 1
    read = sum(longest**depth * size for (size, _), depth in sizes)
    steps = longest**max(found.depth + 1 for found in loops)
    collected = sum(longest**(found.depth + 1) * (whole + (longest * inner if found.what == "map" else 0))
                    for found in loops if found.what in ("map", "filter"))
    maps = sum(found.what == "map" for found in loops)
    total: int = (read + steps + collected) * _multiplied(source)**max(1, maps)
    return total


def _multiplied(source: str) -> int:
    """Return how often one value can stand in what a loop makes of it."""
    return source.count(",") + source.count("+") + 1


@lru_cache(maxsize=4096)
def _loops_and_paths(source: str) -> tuple[list[_Found], list[_Found]]:
    """Return the loops of an expression, and the variables that it reads, as far as their fields are named."""
    loops: list[_Found] = []
    paths: list[_Found] = []
    opened: list[bool] = []
    for token in _TOKEN.finditer(source):
        depth = sum(opened)
        if token["path"]:
            paths.append(_Found(what=token["path"], depth=depth))
        elif token["loop"]:
            loops.append(_Found(what=token["loop"], depth=depth))
            opened.append(True)
        elif token["open"]:
            opened.append(False)
        elif token["close"] and opened:
            opened.pop()
    return loops, paths


def _value(path: str, variables: Mapping[str, Any]) -> Any:
    """Return what stands at a path, or as far as it leads."""
    value: Any = variables
    for step in (step.strip("\"'") for step in _STEP.findall(path)):
        if not isinstance(value, Mapping) or step not in value:
            break
        value = value[step]
    return value


def _size(value: Any) -> tuple[int, int]:
    """Return how many values there are in one, and how long the longest list or map of it is."""
    size, longest, left = 0, 0, [value]
    while left:
        item = left.pop()
        size += 1 + (len(item) // _CHARACTERS_OF_A_VALUE if isinstance(item, str) else 0)
        if isinstance(item, Mapping | Sequence) and not isinstance(item, str):
            longest = max(longest, len(item))
            left.extend(item.values() if isinstance(item, Mapping) else item)
    return size, longest
