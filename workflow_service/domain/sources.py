"""The expressions of a block, and what each of them may name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from workflow_service.domain import expressions
from workflow_service.domain.flow import Map
from workflow_service.domain.template import Block, ConditionType


class Source(NamedTuple):
    """One expression of a block."""

    path: str
    """Where it stands within the block."""
    text: str
    """CEL."""
    names: tuple[str, ...]
    """The variables that it may name besides the usual ones."""


def sources(block: Block) -> tuple[Source, ...]:
    """Return all expressions of a block."""
    return (*_work_sources(block), *_condition_sources(block))


def own_names(block: Block) -> tuple[str, ...]:
    """Return what the work of a block may name besides the usual variables: the item of a map, the round of a loop."""
    mapped = [name for level in _levels(block.map) for name in (level.name, "index")]
    return tuple(dict.fromkeys([*mapped, *(("iteration", "last") if block.loop is not None else ())]))


def _work_sources(block: Block) -> Iterator[Source]:
    names = own_names(block)
    for place, text in expressions.placeholders(block.configuration):
        yield Source(f"configuration.{place}", text, names)
    known: tuple[str, ...] = ()
    for depth, level in enumerate(_levels(block.map)):
        yield Source("map." * (depth + 1) + "items", level.items, known)
        known = (*known, level.name, "index")
    if block.loop is not None:
        yield Source("loop.until", block.loop.until, ("output", "iteration"))
    if block.wait is not None and block.wait.until is not None:
        yield from (Source("wait.until", text, ()) for _, text in expressions.placeholders(block.wait.until))
    if block.mutex is not None:
        yield from (Source("mutex.name", text, names) for _, text in expressions.placeholders(block.mutex.name))


def _condition_sources(block: Block) -> Iterator[Source]:
    conditions = block.conditions
    if conditions is None:
        return
    is_guard = conditions.type is ConditionType.GUARD
    if conditions.expression is not None:
        yield Source("conditions.expression", conditions.expression, () if is_guard else ("output",))
    for number, branch in enumerate(conditions.branches):
        if branch.condition is not None:
            yield Source(f"conditions.branches[{number}].condition", branch.condition, ("output", "value"))


def _levels(outermost: Map | None) -> Iterator[Map]:
    level = outermost
    while level is not None:
        yield level
        level = level.inner
