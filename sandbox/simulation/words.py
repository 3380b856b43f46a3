"""What is said on the command line of a simulation, as directives.

A duration is a number and its unit, such as ``500ms``, ``90s``, ``15m``, ``2h`` or ``1d``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import click

_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)\Z")
_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

Reader = Callable[[click.Context, click.Parameter, tuple[str, ...]], Any]


def decisions(_context: click.Context, _parameter: click.Parameter, words: Iterable[str]) -> dict[str, Any]:
    """Read ``block=approve``, ``block=reject``, or ``block=approve@2h``."""
    found: dict[str, Any] = {}
    for word in words:
        name, said = _pair(word, "block=approve or block=reject")
        decision, _, after = said.partition("@")
        found[name] = {"decision": decision, "afterMs": milliseconds(after)} if after else decision
    return found


def faults(_context: click.Context, _parameter: click.Parameter, words: Iterable[str]) -> dict[str, Any]:
    """Read ``block=critical`` or ``block=transient*2``."""
    return dict(_pair(word, "block=transient, or block=transient*2") for word in words)


def signals(_context: click.Context, _parameter: click.Parameter, words: Iterable[str]) -> list[dict[str, Any]]:
    """Read ``name``, ``name@2h``, ``name={"a": 1}`` or ``name@2h={"a": 1}``."""
    return [_signal(word) for word in words]


def milliseconds(text: str) -> int:
    """Return a duration.

    Raises:
        click.BadParameter: it is none.
    """
    match = _DURATION.match(text)
    if match is None:
        raise click.BadParameter(f"'{text}' is no duration, such as 500ms, 90s, 15m, 2h or 1d.")
    return int(match[1]) * _UNITS_MS[match[2]]


def _signal(word: str) -> dict[str, Any]:
    head, sign, text = word.partition("=")
    name, _, after = head.partition("@")
    signal: dict[str, Any] = {"name": name}
    if after:
        signal["afterMs"] = milliseconds(after)
    if sign:
        try:
            signal["payload"] = json.loads(text)
        except ValueError as error:
            raise click.BadParameter(f"what '{name}' is sent with is not JSON: {error}.") from error
    return signal


def _pair(word: str, form: str) -> tuple[str, str]:
    name, sign, said = word.partition("=")
    if not (name and sign and said):
        raise click.BadParameter(f"'{word}' is not {form}.")
    return name, said
