"""How a script of an agent speaks: JSON in, JSON out, and an orderly way to fail."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any


class ScriptError(Exception):
    """Raised when a script cannot do its work; told to the caller of the agent."""

    def __init__(self, code: str, failure_class: str, message: str) -> None:
        super().__init__(message)
        self.body = {"code": code, "class": failure_class, "message": message[:1000]}


def serve(work: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Read the input, do the work, write the output, or the error and end with exit code 1."""
    try:
        answer = work(json.load(sys.stdin))
    except ScriptError as error:
        json.dump({"error": error.body}, sys.stdout)
        sys.stdout.flush()
        raise SystemExit(1) from error
    json.dump(answer, sys.stdout)
