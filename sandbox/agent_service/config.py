"""The settings of one Agent Service, read once from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

PACKAGED_REGISTRY = Path(__file__).parent.parent / "agents" / "registry.yaml"
"""The registry of the demo's agents."""


@dataclass(frozen=True, kw_only=True)
class AgentServiceConfig:
    """What one Agent Service needs to know."""

    database_directory: Path
    """Holds the journal and the scratch directories; used by one service at a time."""
    workspace_directory: Path
    """The one directory in which agents may leave files."""
    registry: Path = PACKAGED_REGISTRY
    """The YAML file that declares the agents."""
    llm_service_url: str | None = None
    """Base URL of an OpenAI-compatible service, without ``/v1``; None if there is none."""
    patience: timedelta = timedelta(seconds=30)
    """How long a POST waits for its work before it answers 202."""
    crowded_patience: timedelta = timedelta(milliseconds=250)
    """The same when most request threads are waiting, so that status and cancel requests still get one."""
    crowded_from: int = 12
    """How many waiting requests make a crowd; less than the request threads."""
    stop_patience: timedelta = timedelta(seconds=5)
    """How long a cancel waits for the work to stop; an HTTP call that was sent cannot be called back."""
    work_threads: int = 64
    """How many executions run at once; more wait for their turn."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> AgentServiceConfig:
        """Read the settings from environment variables.

        Raises:
            KeyError: ``AGENT_SERVICE_DATA`` is not set.
        """
        directory = Path(environment["AGENT_SERVICE_DATA"])
        return cls(
            database_directory=directory,
            workspace_directory=Path(environment.get("AGENT_WORKSPACE_DIR") or directory / "workspace"),
            registry=Path(environment.get("AGENT_REGISTRY") or PACKAGED_REGISTRY),
            llm_service_url=(environment.get("LLM_SERVICE_URL") or "").rstrip("/") or None,
        )
