"""Settings of the reference State Management Service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class StateServiceConfig:
    """What the service needs to know before it starts."""

    directory: Path
    """Where the database lies; made if it is missing."""
    max_body_bytes: int = 32 * 1024 * 1024
    """A longer request body is refused with 413."""
    max_waiting_readers: int = 4
    """How many requests for changes may wait at once; it keeps threads free for everything else."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> StateServiceConfig:
        """Read the settings from ``STATE_SERVICE_DATA``.

        Raises:
            ValueError: the variable is missing.
        """
        directory = environment.get("STATE_SERVICE_DATA")
        if not directory:
            raise ValueError("STATE_SERVICE_DATA must name the directory in which the State Management "
                             "Service keeps its database.")
        return cls(directory=Path(directory))
