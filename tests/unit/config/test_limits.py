"""Limits of agents and names of queues, from the environment and from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.config.test_load_settings import REQUIRED, faults, load
from workflow_service.domain.limits import AgentLimit, AgentLimits

BOTH = '{"maxConcurrent": 3, "ratePerMinute": 60}'


def test_nothing_is_limited_and_there_is_one_queue_unless_somebody_says_so() -> None:
    settings = load()
    assert (settings.limits.agents, settings.limits.default.is_none) == ({}, True)
    assert settings.workflow.queues == ("blocks",)


def test_limits_are_json_in_the_environment() -> None:
    limits = load(LIMITS_AGENTS=f'{{"echo": {BOTH}, "other": {{}}}}', LIMITS_DEFAULT='{"maxConcurrent": 10}').limits
    assert limits.agents == {"echo": AgentLimit(max_concurrent=3, rate_per_minute=60), "other": AgentLimit()}
    assert limits.default == AgentLimit(max_concurrent=10)


def test_limits_are_mappings_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "own.yml"
    file.write_text("limits:\n  agents:\n    echo:\n      ratePerMinute: 5\n  default:\n    maxConcurrent: 2\n")
    limits = load(WORKFLOW_CONFIG=str(file)).limits
    assert limits.agents == {"echo": AgentLimit(rate_per_minute=5)}
    assert limits.default == AgentLimit(max_concurrent=2)


@pytest.mark.parametrize(("name", "given"), [
    *(("LIMITS_DEFAULT", given) for given in (
        "3", "[]", "{", "null", '{"maxConcurrent": 0}', '{"maxConcurrent": "3"}', '{"maxConcurrent": true}',
        '{"maxConcurrent": 1.5}', '{"max": 3}', '{"ratePerMinute": 100001}', '{"ratePerMinute": null}', "[" * 100_000)),
    *(("LIMITS_AGENTS", given) for given in (
        BOTH, '{"an agent": {}}', '{"echo": 3}', '{"echo": null}', '{"echo": {"ratePerMinute": -1}}', '["echo"]')),
    *(("WORKFLOW_QUEUES", given) for given in ("control", "gpu,", "a b", "gpu,control"))])
def test_what_is_wrong_is_named_with_what_is_allowed(name: str, given: str) -> None:
    found = faults({**REQUIRED, name: given})
    assert set(found) == {name}
    assert "allowed: " in found[name]


@pytest.mark.parametrize(("given", "queues"), [
    ("gpu, gpu,slow-1", ("blocks", "gpu", "slow-1")), ("blocks", ("blocks",)), ("gpu,blocks", ("blocks", "gpu"))])
def test_the_usual_queue_is_always_one(given: str, queues: tuple[str, ...]) -> None:
    assert load(WORKFLOW_QUEUES=given).workflow.queues == queues


@pytest.mark.parametrize(("agent_id", "limit"), [
    ("echo", AgentLimit(rate_per_minute=5)), ("other", AgentLimit(max_concurrent=2)), (None, AgentLimit())])
def test_an_agent_that_is_named_does_not_have_the_default(agent_id: str | None, limit: AgentLimit) -> None:
    limits = AgentLimits(agents={"echo": AgentLimit(rate_per_minute=5)}, default=AgentLimit(max_concurrent=2))
    assert limits.of(agent_id) == limit
