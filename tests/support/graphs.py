"""Random graphs and templates for properties, and plain answers to compare the clever ones with."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from random import Random

from hypothesis import settings
from hypothesis import strategies as st

from tests.support.builders import a_block, a_choice, a_gate, a_template
from workflow_service.domain.template import Block, Template

Before = dict[str, tuple[str, ...]]
"""Block id -> the blocks right before it."""

repeatable = settings(max_examples=50, deadline=None, database=None, derandomize=True)
"""The same examples in each run: a red build is red for its change."""


@st.composite
def graphs(draw: st.DrawFn, most: int = 24) -> Before:
    """Draw an acyclic graph whose blocks stand in any order."""
    size, chance = draw(st.integers(1, most)), Random(draw(st.integers(0, 2**32)))
    names = [f"b{number}" for number in range(size)]
    chance.shuffle(names)
    before = {name: tuple(chance.sample(names[:place], k=chance.randint(0, min(place, 4))))
              for place, name in enumerate(names)}
    chance.shuffle(names)
    return {name: before[name] for name in names}


@st.composite
def wide_graphs(draw: st.DrawFn) -> Before:
    """Draw a graph of levels of which some are wider than one join can take."""
    before: Before = {}
    level: list[str] = []
    for number, size in enumerate(draw(st.lists(st.sampled_from([1, 2, 63, 64, 65, 66, 140]), min_size=1,
                                                max_size=3))):
        following = [f"l{number}-{place}" for place in range(size)]
        for place, name in enumerate(following):  # a few wait for many, the others for one
            before[name] = tuple(level[place:] if place < 2 else level[place:place + 1])
        level = following
    return before


@st.composite
def templates(draw: st.DrawFn, shapes: st.SearchStrategy[Before] | None = None) -> Template:
    """Draw a template in which some blocks ask a person and some choose among those after them."""
    before = draw(graphs() if shapes is None else shapes)
    names = sorted(before)
    gates = draw(st.sets(st.sampled_from(names), max_size=3))
    choosers = draw(st.sets(st.sampled_from(names), max_size=3))
    return template_of(before, gates, choosers)


def template_of(before: Mapping[str, tuple[str, ...]], gates: set[str] | frozenset[str] = frozenset(),
                choosers: set[str] | frozenset[str] = frozenset()) -> Template:
    """Return a template with these edges.

    Args:
        before: block id -> the blocks right before it.
        gates: the blocks that ask a person.
        choosers: the blocks whose edges are branches and not dependencies.
    """
    def block(name: str) -> Block:
        branches = [after for after, names in before.items() if name in names and name in choosers]
        return a_block(name, *(one for one in before[name] if one not in choosers),
                       conditions=a_choice(*branches) if branches else None,
                       human_in_loop=a_gate(required=name in gates))
    return a_template(*(block(name) for name in before))


def reach(before: Mapping[str, tuple[str, ...]]) -> dict[str, frozenset[str]]:
    """Return all blocks before each block, found by walking."""
    found: dict[str, frozenset[str]] = {}

    def all_before(name: str) -> frozenset[str]:
        if name not in found:
            found[name] = frozenset(before[name]).union(*(all_before(one) for one in before[name]))
        return found[name]
    return {name: all_before(name) for name in before}


def widest_antichain(before: Mapping[str, tuple[str, ...]]) -> int:
    """Return the size of the largest set of blocks none of which comes before another, by trying all sets."""
    earlier = reach(before)
    return next(size for size in range(len(before), 0, -1) for chosen in combinations(before, size)
                if not any(one in earlier[other] or other in earlier[one] for one, other in combinations(chosen, 2)))
