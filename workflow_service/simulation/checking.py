"""Directives against the templates that they are for: names that nobody has, answers that no form takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from workflow_service.domain.errors import Issue
from workflow_service.domain.template import Block
from workflow_service.services.schemas import schema_issues
from workflow_service.simulation.directives import AGENT, Directives

_MOST_ALLOWED = 50
"""Of the names that an issue lists as right."""


def name_issues(directives: Directives, blocks: Sequence[Block]) -> Iterator[Issue]:
    """Yield what the directives say of what there is not.

    Args:
        blocks: of all templates that may run.
    """
    names = sorted({block.block_id for block in blocks})
    agents = sorted({block.agent_id for block in blocks if block.agent_id is not None})
    gates = sorted({block.block_id for block in blocks if block.human_in_loop.required})
    callable_names = [*names, *agents, *(AGENT + agent for agent in agents)]
    yield from _unknown("mocks", directives.mocks, callable_names, "block or agent")
    yield from _unknown("fail", directives.fail, callable_names, "block or agent")
    yield from _unknown("decide", directives.decide, gates, "block that asks a person")
    yield from _signal_issues(directives, blocks)
    yield from _answer_issues(directives, blocks)


def _unknown(part: str, told: Mapping[str, Any], known: Iterable[str], kind: str) -> Iterator[Issue]:
    names = frozenset(known)
    for name in told:
        if name not in names:
            yield Issue(path=f"{part}.{name}", code="unknown_name", allowed=tuple(known)[:_MOST_ALLOWED],
                        message=f"There is no {kind} '{name}' in what is simulated.")


def _signal_issues(directives: Directives, blocks: Iterable[Block]) -> Iterator[Issue]:
    known = tuple(sorted({name for block in blocks if block.wait_for is not None for name in block.wait_for.signals}))
    for number, signal in enumerate(directives.signals):
        if signal.name not in known:
            yield Issue(path=f"signals[{number}].name", code="unknown_name", allowed=known[:_MOST_ALLOWED],
                        message=f"No block waits for a signal '{signal.name}'.")


def _answer_issues(directives: Directives, blocks: Iterable[Block]) -> Iterator[Issue]:
    """Yield what a form would not take; if several blocks have the name, the run will tell."""
    asking: dict[str, list[Block]] = {}
    for block in blocks:
        asking.setdefault(block.block_id, []).append(block)
    for name, decisions in directives.decide.items():
        if len(asking.get(name, ())) != 1:
            continue
        for number, decision in enumerate(decisions):
            if decision.approved:
                place = f"decide.{name}" + (f"[{number}]" if len(decisions) > 1 else "")
                yield from schema_issues(asking[name][0].human_in_loop.input_schema, decision.response,
                                         f"{place}.response")
