"""Templates change while executions run: each keeps the version that it was started with."""

from __future__ import annotations

import pytest

from tests.contract.repositories.builders import HERE, NOW
from tests.support.builders import a_block_document, a_template_document, an_agent
from tests.support.hand_engine import HandEngine, in_memory, in_mongo
from workflow_service.domain.invariants import violations
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus
from workflow_service.domain.users import User
from workflow_service.integrations.memory.agents import InMemoryAgentService
from workflow_service.integrations.memory.work import InMemoryAgent
from workflow_service.repositories.memory.clock import VirtualClock

GATE = {"required": True, "type": "approval", "approvalLevel": "approver"}
FIRST = a_template_document(a_block_document("asks", humanInLoop=GATE), a_block_document("old", "asks"))
SECOND = {**FIRST, "version": "2.0.0", "blocks": [
    a_block_document("asks", configuration={"value": "new"}), a_block_document("new", "asks")]}


@pytest.fixture
def engine(adapter: str, request: pytest.FixtureRequest) -> HandEngine:
    """An engine on each kind of stores, with an agent that gives back what it is given."""
    clock = VirtualClock(NOW)
    kept = in_memory(clock) if adapter == "memory" else in_mongo(request.getfixturevalue("store"), clock)
    agents = InMemoryAgentService([InMemoryAgent(agent=an_agent(), work=lambda given: given)])
    return HandEngine(kept, agents, clock, User(name="ada", role="admin", workspace_id=HERE))


def test_parked_execution_ends_by_its_own_version(engine: HandEngine) -> None:
    # Given an execution that waits for a person
    engine.engine.templates.create(engine.user, FIRST)
    parked = engine.start("t")
    engine.work()
    assert engine.statuses([parked]) == {parked: ExecutionStatus.WAITING}
    # When a second version with other blocks is stored, and the person says yes
    engine.engine.templates.update(engine.user, "t", SECOND, "1.0.0")
    fresh = engine.start("t")
    engine.approve_all()
    engine.bring_to_rest(lambda: all(status.is_terminal for status in engine.statuses([parked, fresh]).values()))
    # Then the execution ended by the first, and the one that was started after it by the second
    records = [engine.record(execution_id) for execution_id in (parked, fresh)]
    assert [record.execution.template_version for record in records] == ["1.0.0", "2.0.0"]
    assert [{name: block.output for name, block in record.by_name.items()} for record in records] == [
        {"asks": {"value": "asks"}, "old": {"value": "old"}}, {"asks": {"value": "new"}, "new": {"value": "new"}}]
    for record in records:
        assert {block.status for block in record.blocks} == {BlockStatus.COMPLETED}
        assert violations(record) == ()


def test_first_version_can_still_be_started_by_its_number(engine: HandEngine) -> None:
    engine.engine.templates.create(engine.user, FIRST)
    engine.engine.templates.update(engine.user, "t", SECOND)
    assert engine.engine.templates.get(engine.user, "t", "1.0.0")["blocks"] == FIRST["blocks"]
    assert engine.engine.templates.get(engine.user, "t")["blocks"] == SECOND["blocks"]
