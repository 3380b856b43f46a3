"""Critical sections: whatever the order of calls and whatever dies, one is in it, all get in, nothing stays behind."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.protocol.schedule import live
from tests.support.protocol.templates import TEMPLATES
from tests.support.protocol.world import LEASE, World

_THOROUGH = os.environ.get("HYPOTHESIS_PROFILE", "ci") == "thorough"
_CHECKED = settings(max_examples=10_000 if _THOROUGH else 20, derandomize=not _THOROUGH, deadline=None, database=None,
                    print_blob=True, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("commands", [
    (), ("restart", "redo", "again"), ("force", "cancel", "restart", "skip", "drop"),
    ("pause", "resume", "hold_agent", "lift")], ids=["alone", "restarted", "cancelled", "held"])
@pytest.mark.parametrize("name", ["locked", "locked_in_turn"])
@_CHECKED
@given(schedule=st.binary(min_size=100, max_size=300))
def test_every_life_in_a_critical_section_ends_well(commands: tuple[str, ...], name: str, schedule: bytes) -> None:
    world, wrong = live(TEMPLATES[name], schedule, commands)
    assert not wrong, "\n".join([*wrong, "", *world.trace])
    assert not _left_behind(world), "\n".join([*map(str, world.permits.everything()), "", *world.trace])


def _left_behind(world: World) -> bool:
    """Say whether permits of an execution that has ended are held after the sweep has looked at them."""
    execution = world.execution
    if execution is None or not execution.status.is_terminal:
        return False
    world.pass_time(2 * LEASE)
    world.sweep(world.processes[0], "blocks")
    world.run_all()
    return world.permits.everything() != []
