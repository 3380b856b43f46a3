"""Files of a simulation: templates and directives, in YAML or JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cli.errors import CommandFailed
from workflow_service.integrations import json_text, yaml_text


def read(path: Path) -> Any:
    """Return what a file says, read as strictly as the service does.

    Raises:
        CommandFailed: it can't be read, or is neither YAML nor JSON.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{path} can't be read: {error.strerror}.") from error
    decode, name = (json_text.decode, "JSON") if text.lstrip()[:1] in (b"{", b"[") else (yaml_text.decode, "YAML")
    try:
        return decode(text)
    except ValueError as error:
        raise CommandFailed(f"{path} is not {name} that the service takes: {error}.") from error


def read_object(path: Path) -> dict[str, Any]:
    """Do as ``read``.

    Raises:
        CommandFailed: it is no object either.
    """
    found = read(path)
    if not isinstance(found, dict):
        raise CommandFailed(f"{path} holds no object.")
    return found
