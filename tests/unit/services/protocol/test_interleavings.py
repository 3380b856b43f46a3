"""Whatever the order of calls and whatever dies, every execution ends, and its record breaks no invariant.

The real services run over the repositories in memory; a schedule of bytes chosen by Hypothesis says before each call
who makes the next one and what goes wrong. ``HYPOTHESIS_PROFILE=thorough`` looks much longer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.protocol.schedule import live
from tests.support.protocol.templates import TEMPLATES, block, template

_THOROUGH = os.environ.get("HYPOTHESIS_PROFILE", "ci") == "thorough"
_CHECKED = settings(max_examples=10_000 if _THOROUGH else 30, derandomize=not _THOROUGH, deadline=None, database=None,
                    print_blob=True, suppress_health_check=list(HealthCheck))
_FEW = settings(_CHECKED, max_examples=200 if _THOROUGH else 5)
_SCHEDULES = st.binary(min_size=100, max_size=300)
_WIDE = template("wide", *(block(f"A{number}") for number in range(66)),
                 block("J", *(f"A{number}" for number in range(66))))


_OPERATED: Mapping[str, tuple[str, ...]] = {
    "alone": (),
    "paused": ("pause", "resume"),
    "restarted": ("latest", "restart", "redo", "again"),
    "mended": ("skip", "retry", "redo", "restart"),
    "held": ("hold", "hold_agent", "hold_run", "hold_template", "lift", "restart"),
    "cancelled": ("force", "cancel", "force", "restart", "skip"),
    "withdrawn": ("drop", "drop_region", "restart", "pause", "resume", "drop"),
    "operated": ("pause", "resume", "cancel", "force", "restart", "redo", "skip", "retry", "hold", "hold_agent", "lift",
                 "latest", "drop", "drop_region"),
}
"""What operators do, by the name of the run."""


@pytest.mark.parametrize("commands", _OPERATED.values(), ids=_OPERATED)
@_CHECKED
@given(name=st.sampled_from(sorted(TEMPLATES)), schedule=_SCHEDULES)
def test_every_life_ends_well(commands: tuple[str, ...], name: str, schedule: bytes) -> None:
    """Every execution ends or is paused, and nothing is wrong with it."""
    world, wrong = live(TEMPLATES[name], schedule, commands)
    assert not wrong, "\n".join([*wrong, "", *world.trace])


@_FEW
@given(schedule=_SCHEDULES)
def test_a_tree_of_joins_fires_once(schedule: bytes) -> None:
    """A join of more blocks than one document should list is a tree of joins, which nobody runs."""
    world, wrong = live(_WIDE, schedule, ())
    assert not wrong, "\n".join([*wrong, "", *world.trace])
