"""The directory ``.local`` of a development stack: where it says what it is, and keeps its secret.

The stack writes it, the command line reads it, so that in the directory of a running stack nobody has to name address
and token.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = ".local"
"""The name of the directory."""


@dataclass(frozen=True, kw_only=True)
class StackRecord:
    """What a running stack tells about itself."""

    pid: int
    """The process that supervises it."""
    url: str
    """Where the API is."""
    flower_url: str
    agent_service_url: str
    pids: Mapping[str, int]
    """The process of each of its parts."""


class LocalDirectory:
    """One ``.local`` directory."""

    def __init__(self, path: Path) -> None:
        """Take the directory; it need not exist."""
        self.path = path

    @classmethod
    def nearest(cls, start: Path) -> LocalDirectory | None:
        """Return that of a directory or of the nearest one above it; None if there is none."""
        found = (folder / NAME for folder in (start, *start.parents) if (folder / NAME).is_dir())
        return next((cls(path) for path in found), None)

    @property
    def secret_file(self) -> Path:
        """The file with the secret that signs tokens."""
        return self.path / "jwt-secret"

    @property
    def record_file(self) -> Path:
        """The file with the record of the running stack."""
        return self.path / "stack.json"

    def secret(self) -> str | None:
        """Return the secret that signs tokens; None if no stack was ever started here."""
        try:
            return self.secret_file.read_text(encoding="utf-8").strip() or None
        except OSError:
            return None

    def record(self) -> StackRecord | None:
        """Return the record of the stack that runs here; None if none does."""
        try:
            record = StackRecord(**json.loads(self.record_file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return record if _is_alive(record.pid) else None

    def write(self, record: StackRecord) -> None:
        """Store the record, whole or not at all, for its owner alone."""
        fresh = self.record_file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")
        fresh.replace(self.record_file)

    def forget(self) -> None:
        """Take the record away: the stack ends."""
        self.record_file.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
