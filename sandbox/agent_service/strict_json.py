"""JSON as the standard has it: no NaN or Infinity, which Python reads and writes but others refuse."""

from __future__ import annotations

import json
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("The JSON is nested too deeply.") from error


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON.")
