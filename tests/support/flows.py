"""Random workflows with join policies and failure policies, and what they come to: a model without an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.support.builders import a_block_document
from tests.support.graphs import Before, graphs

Document = dict[str, Any]
NO_RETRY: Mapping[str, int] = {"maxRetries": 0}


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A workflow, and what its agents and people do."""

    before: Before
    """Block id -> the blocks right before it."""
    joins: Mapping[str, Document]
    """Join policies."""
    failures: Mapping[str, Document]
    """Failure policies."""
    choices: Mapping[str, tuple[frozenset[str], str]]
    """Choosers -> their branches, and the one that is taken."""
    gates: frozenset[str]
    bad: frozenset[str]
    """What fails; a block before which a person is asked is rejected."""
    seed: int
    """Of the order in which messages come."""

    def blocks(self) -> list[Document]:
        """Return the blocks as an author writes them."""
        return [self._block(name) for name in self.before]

    def handles(self, name: str) -> bool:
        """Say whether the workflow goes on after the failure of a block."""
        return self.failures.get(name, {}).get("action") in ("continue", "branch")

    def _block(self, name: str) -> Document:
        own = [one for one in self.before[name] if not self._implied(one, name)]
        more: Document = {}
        if name in self.joins:
            more["joinPolicy"] = self.joins[name]
        if name in self.failures:
            more["onFailure"] = self.failures[name]
        if name in self.gates:
            more["humanInLoop"] = {"required": True}
        if name in self.choices:
            branches, taken = self.choices[name]
            more["conditions"] = {"type": "inclusive", "branches": [
                {"condition": "true" if target == taken else "false", "nextBlocks": [target]}
                for target in sorted(branches)]}
        return a_block_document(name, *own, retryPolicy=NO_RETRY, **more)

    def _implied(self, source: str, target: str) -> bool:
        return target in self.failures.get(source, {}).get("nextBlocks", ()) or (
            source in self.choices and target in self.choices[source][0])


@st.composite
def flows(draw: st.DrawFn, *, late: bool = False, all_handled: bool = True) -> Flow:
    """Draw a workflow.

    Args:
        late: whether joins may cut off what comes late.
        all_handled: whether only such blocks fail whose failure the workflow handles.
    """
    before, seed = draw(graphs(most=10)), draw(st.integers(0, 2**32))
    chance = Random(seed)
    after = {name: [one for one in before if name in before[one]] for name in before}
    failures = {name: policy for name in before if (policy := _failure_policy(chance, after[name])) is not None}
    free = {name: [one for one in after[name] if one not in failures.get(name, {}).get("nextBlocks", ())]
            for name in before}
    choices = {name: _choice(chance, free[name]) for name in before if free[name] and chance.random() < 0.2}
    bad = frozenset(name for name in before if chance.random() < 0.4 and (name in failures or not all_handled))
    return Flow(before=before, failures=failures, choices=choices, bad=bad, seed=seed,
                joins={name: _join_policy(chance, len(names), late) for name, names in before.items()
                       if names and chance.random() < 0.5},
                gates=frozenset(name for name in before if chance.random() < 0.15))


def _failure_policy(chance: Random, after: list[str]) -> Document | None:
    drawn = chance.random()
    if drawn < 0.3:
        return {"action": "continue"}
    if drawn < 0.6 and after:
        return {"action": "branch", "nextBlocks": chance.sample(after, chance.randint(1, len(after)))}
    return None


def _choice(chance: Random, after: list[str]) -> tuple[frozenset[str], str]:
    return frozenset(chance.sample(after, chance.randint(1, len(after)))), chance.choice(after)


def _join_policy(chance: Random, ways: int, late: bool) -> Document:
    policy: Document = {"mode": "any"} if chance.random() < 0.5 else {"mode": "n", "count": chance.randint(1, ways)}
    return {**policy, "late": "cancel"} if late and chance.random() < 0.7 else policy


def expected(flow: Flow) -> dict[str, str]:
    """Return how each block ends if nothing is cancelled; a failure that is not handled leads nowhere."""
    ends: dict[str, str] = {}

    def end_of(name: str) -> str:
        if name not in ends:
            satisfied = sum(_leads_on(flow, one, end_of(one), name) for one in flow.before[name])
            if satisfied < _needed(flow, name):
                ends[name] = "skipped"
            elif name in flow.bad:
                ends[name] = "rejected" if name in flow.gates else "failed"
            else:
                ends[name] = "completed"
        return ends[name]

    return {name: end_of(name) for name in flow.before}


def may_be_late(flow: Flow) -> frozenset[str]:
    """Return the blocks that a join may cut off: those from which all ways lead to it."""
    after = {name: [one for one in flow.before if name in flow.before[one]] for name in flow.before}

    def leads_only_to(name: str, join: str) -> bool:
        return bool(after[name]) and all(one == join or leads_only_to(one, join) for one in after[name])

    return frozenset(name for join, policy in flow.joins.items() if policy.get("late") == "cancel"
                     for name in flow.before if name != join and leads_only_to(name, join))


def _needed(flow: Flow, name: str) -> int:
    policy = flow.joins.get(name, {"mode": "all"})
    return policy.get("count", 1) if flow.before[name] else 0


def _leads_on(flow: Flow, source: str, end: str, target: str) -> bool:
    """Say what the edge of an ended block to one after it is worth."""
    policy = flow.failures.get(source, {"action": "fail"})
    branches, taken = flow.choices.get(source, (frozenset(), None))
    if end == "completed":
        return target not in policy.get("nextBlocks", ()) and (target not in branches or target == taken)
    if end in ("failed", "rejected"):
        if policy["action"] == "branch":
            return target in policy["nextBlocks"]
        return policy["action"] == "continue" and target not in branches
    return False
