"""Each guard of the protocol is needed: with one taken away, a life that is well otherwise goes wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.protocol import lives, seeds
from tests.support.protocol.world import World

Seed = Callable[[pytest.MonkeyPatch], None]

_SEEDS: list[tuple[Seed, Callable[[list[World]], list[str]]]] = [
    (seeds.claim_filter, lives.message_twice),
    (seeds.fence_check, lives.slow_owner),
    (seeds.look_after_the_claim, lives.message_in_a_pause),
    (seeds.look_after_the_park, lives.early_answer),
    (seeds.sweep_of_what_is_not_released, lives.death_before_the_release),
    (seeds.release_before_released, lives.death_before_the_release),
    (seeds.generation, lives.restart_before_the_close),
    (seeds.generation_of_requests, lives.close_and_restart_of_a_gate),
    (seeds.hold_number, lives.resume_before_paused),
    (seeds.agent_told_before_a_forced_cancel, lives.force_while_the_agent_works),
    (seeds.agent_stopped_before_a_new_epoch, lives.restart_while_the_agent_works),
    (seeds.standing_holds_read_after_the_execution_is_stored, lives.hold_before_the_start),
    (seeds.standing_holds_compared_in_a_restart, lives.hold_of_what_has_ended),
    (seeds.reconcile_after_the_change, lives.hold_and_lift_at_once),
    (seeds.later_look_at_standing_holds, lives.death_after_a_stale_hold),
    (seeds.intent_read_again_in_a_restart, lives.cancel_in_a_restart),
    (seeds.ended_blocks_touched_by_a_cancel, lives.cancel_before_a_reset),
    (seeds.clock_rule_of_escalations, lives.pause_of_a_request),
    (seeds.clock_rule_of_the_time_out, lives.long_pause),
    (seeds.epoch_of_edges, lives.release_after_a_restart),
    (seeds.slot_given_back, lives.one_after_the_other),
    (seeds.slot_given_back_at_once, lives.one_after_the_other_without_sweep),
]
"""Guards, each with a life that needs it."""


@pytest.mark.parametrize(("seed", "life"), _SEEDS, ids=[seed.__name__ for seed, _ in _SEEDS])
def test_a_seeded_bug_is_noticed(seed: Seed, life: Callable[[list[World]], list[str]], worlds: list[World],
                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """The same life is well with the rule and goes wrong without it."""
    assert life(worlds) == []
    seed(monkeypatch)
    assert life(worlds) != []
