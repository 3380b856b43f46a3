"""What a simulation is told of the world: what agents answer, what people decide, what fails, which signals come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from workflow_service.domain.agents import FailureClass

START = datetime(2026, 1, 1, tzinfo=UTC)
"""When a simulation begins that does not say; always the same, so that its result is."""
AGENT = "agent:"
"""Stands before the id of an agent in a name that can't be meant for a block."""


@dataclass(frozen=True, kw_only=True)
class Mock:
    """One answer of an agent."""

    output: Mapping[str, Any] | None = None
    """None for what the agent's output schema allows, or an echo of the input."""
    duration: timedelta | None = None
    """None for what the block's author guesses."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One answer of a person."""

    approved: bool
    response: Mapping[str, Any] = field(default_factory=dict)
    comments: str | None = None
    after: timedelta = timedelta(0)
    """Since the question was asked."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How calls fail."""

    failure_class: FailureClass
    times: int | None = None
    """How many calls fail before the first that does not; None for all of them."""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One signal that somebody sends."""

    name: str
    after: timedelta = timedelta(0)
    """Since the start."""
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Directives:
    """All that a simulation is told."""

    input: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    """What expressions know as ``context``."""
    mocks: Mapping[str, tuple[Mock, ...]] = field(default_factory=dict)
    """Name of a block or agent -> the answers to its calls one after the other; the last one stays."""
    decide: Mapping[str, tuple[Decision, ...]] = field(default_factory=dict)
    """Id of a block -> the answers to its questions one after the other; the last one stays."""
    fail: Mapping[str, Fault] = field(default_factory=dict)
    """Name of a block or agent -> how its calls fail."""
    signals: tuple[Signal, ...] = ()
    start: datetime = START
