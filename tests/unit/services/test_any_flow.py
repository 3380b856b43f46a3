"""Whatever the join policies and failure policies, and in whatever order work is done: it ends as the model says."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings

from tests.support.flows import Flow, expected, flows, may_be_late
from tests.support.graphs import repeatable
from tests.unit.services.lives import BROKEN, LEASE, Life, S
from workflow_service.domain.statuses import ApprovalStatus, ExecutionStatus

_MOST_ROUNDS = 60
_MANY = settings(repeatable, max_examples=150)


def ended(flow: Flow) -> tuple[ExecutionStatus, dict[str, str]]:
    """Return how a workflow and its blocks ended when messages came in a random order; nothing is wrong then."""
    life, chance = Life(*flow.blocks()), Random(flow.seed)
    for name in flow.bad - flow.gates:
        life.agents.plan(name, BROKEN)
    run = life.start()
    for _ in range(_MOST_ROUNDS):
        while life.messages:
            life.messages.rotate(chance.randrange(len(life.messages)))
            life.engine.blocks.run(life.messages.popleft())
        asked = [one for one in life.approvals.of_execution("acme", run) if one.status is ApprovalStatus.PENDING]
        if asked:
            name = chance.choice(asked).block_id
            life.answer(run, name, name not in flow.bad)
        elif life.of(run).status.is_terminal:
            break
        else:
            life.clock.advance(LEASE)
            life.sweep()
    life.settle()
    return life.of(run).status, life.statuses(run)


@_MANY
@given(flows())
def test_each_block_ends_as_its_policies_say(flow: Flow) -> None:
    """All failures are handled, and all late work may end."""
    assert ended(flow) == (S.COMPLETED, dict(sorted(expected(flow).items())))


@_MANY
@given(flows(late=True))
def test_only_what_is_late_is_cut_off(flow: Flow) -> None:
    status, found = ended(flow)
    late, model = may_be_late(flow), expected(flow)
    assert status is S.COMPLETED
    assert {name: end for name, end in found.items() if name not in late} == {
        name: end for name, end in model.items() if name not in late}
    assert all(found[name] in (model[name], "skipped") for name in late)


@_MANY
@given(flows(all_handled=False))
def test_a_failure_that_is_not_handled_fails_the_execution_and_cancels_what_follows(flow: Flow) -> None:
    """How far the rest came depends on the order; nothing ends otherwise than it would have."""
    status, found = ended(flow)
    model = expected(flow)
    fails = any(end in ("failed", "rejected") and not flow.handles(name) for name, end in model.items())
    assert status is (S.FAILED if fails else S.COMPLETED)
    assert all(end in (model[name], "cancelled") if fails else end == model[name] for name, end in found.items())
