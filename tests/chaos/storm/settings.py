"""What a storm is made of: all that was chosen, and by which chance the rest is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random

PREFORK_SHARE = 1 / 3
"""How many of the storms have workers with processes instead of threads."""


@dataclass(frozen=True, kw_only=True)
class StormSettings:
    """One storm."""

    seed: int
    duration: timedelta
    broker: str
    """``valkey`` or ``rabbitmq``."""
    pool: str
    """``threads`` or ``prefork``."""
    at_once: int
    """How many executions that have not ended are kept going."""
    lease: timedelta
    sweep_interval: timedelta
    calm: tuple[float, float] = (1.5, 4.0)
    """Seconds between two faults, at least and at most."""
    patience: timedelta = timedelta(seconds=180)
    """How long everything may take to come to rest when the faults are over."""

    def chance(self, purpose: str) -> Random:
        """Return the chance for one purpose: how others draw meanwhile changes nothing of it."""
        return Random(f"{self.seed}:{purpose}")


def drawn_pool(seed: int) -> str:
    """Return the kind of pool that a seed stands for."""
    return "prefork" if Random(f"{seed}:pool").random() < PREFORK_SHARE else "threads"
