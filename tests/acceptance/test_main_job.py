"""The main job on real processes: everything that a workflow is made of, in one run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from tests.support.cluster import Cluster
from tests.support.driver import Driver, effects_of, eventually, most_at_once
from tests.support.scenarios import echo, gate, review, template

pytestmark = pytest.mark.acceptance

PATIENCE = timedelta(seconds=30)


def blocks_of(execution: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {block["blockId"]: block for block in execution["blockExecutions"]}


def test_a_workflow_with_everything_ends_well(driver: Driver) -> None:
    # Given
    driver.store(review())
    # When
    execution_id = driver.start("review", risk=7)
    driver.approve(execution_id, PATIENCE, marker="edited by a person")
    ended = driver.ended(execution_id, PATIENCE)
    # Then
    blocks = blocks_of(ended)
    assert ended["status"] == "completed"
    assert blocks["deep"]["status"] == "completed"
    assert blocks["quick"]["status"] == "skipped"
    assert (blocks["merge"]["attempt"], blocks["merge"]["retryCount"]) == (3, 2)
    assert blocks["end"]["output"]["published"] == "edited by a person"
    assert blocks["publish"]["humanInteractions"][0]["approver"] == "olga"
    assert "publish" in ended["completedBlocks"]


def test_a_block_that_waits_for_a_person_is_shown_as_blocked(driver: Driver) -> None:
    driver.store(template("waiting", [echo("before"), gate("ask", ["before"])]))
    execution_id = driver.start("waiting")
    shown = eventually(lambda: (lambda seen: seen if seen["status"] == "waiting" else None)(driver.show(execution_id)),
                       PATIENCE)
    assert (shown["completedBlocks"], shown["blockedBlocks"], shown["currentBlocks"]) == (["before"], ["ask"], [])
    eventually(lambda: driver.show(execution_id)["recoveryPoints"] or None, PATIENCE)
    driver.approve(execution_id, PATIENCE, marker="yes")
    assert driver.ended(execution_id, PATIENCE)["status"] == "completed"


def test_a_rejected_block_fails_the_execution_and_cancels_what_follows(driver: Driver) -> None:
    driver.store(template("rejected", [gate("ask", []), echo("after", ["ask"]), echo("beside")]))
    execution_id = driver.start("rejected")
    approval = eventually(lambda: next(iter(driver.pending(execution_id)), None), PATIENCE)
    driver.post(f"/approvals/{approval['approvalId']}/respond", {"approved": False, "comments": "not like this"})
    ended = driver.ended(execution_id, PATIENCE)
    statuses = {name: block["status"] for name, block in blocks_of(ended).items()}
    assert statuses == {"ask": "rejected", "after": "cancelled", "beside": "completed"}
    assert (ended["status"], ended["error"]["code"], ended["error"]["message"]) == (
        "failed", "rejected", "not like this")


def test_an_overdue_approval_is_escalated_by_beat(driver: Driver) -> None:
    driver.store(template("overdue", [gate("ask", [], timeout=500, escalateTo="operator")]))
    execution_id = driver.start("overdue")
    eventually(lambda: [one for one in driver.pending(execution_id)
                        if one["assignedTo"] == "operator" and one["escalationLevel"] >= 1] or None, PATIENCE)
    driver.approve(execution_id, PATIENCE, marker="at last")
    assert driver.ended(execution_id, PATIENCE)["status"] == "completed"


def test_each_block_is_told_to_the_state_management_service(driver: Driver, cluster: Cluster) -> None:
    driver.store(template("told", [echo("one"), echo("two", ["one"])]))
    execution_id = driver.start("told")
    driver.ended(execution_id, PATIENCE)

    def told() -> dict[str, Any] | None:
        url = f"{cluster.state.url}/workspaces/default/plays/{execution_id}"
        answer = requests.get(url, timeout=5)
        play: dict[str, Any] = answer.json()
        return play if answer.ok and play["completedBlocks"] == ["one", "two"] and play["completedAt"] else None

    assert eventually(told, PATIENCE)["status"] == "completed"


def test_an_asynchronous_agent_is_asked_until_it_is_done(driver: Driver) -> None:
    block = {"blockId": "slow", "agentId": "echo-async", "toolType": "script", "configuration": {"delayMs": 700}}
    driver.store(template("asynchronous", [block]))
    assert driver.ended(driver.start("asynchronous"), PATIENCE)["status"] == "completed"


def test_an_execution_ends_when_its_timeout_is_over(driver: Driver) -> None:
    driver.store(template("late", [echo("slow", configuration={"delayMs": 1500}), echo("never", ["slow"])],
                          timeout=300))
    ended = driver.ended(driver.start("late"), PATIENCE)
    assert (ended["status"], ended["error"]["code"]) == ("failed", "execution_timed_out")
    assert blocks_of(ended)["never"]["status"] == "cancelled"


def test_no_more_blocks_run_at_once_than_the_template_allows(driver: Driver, cluster: Cluster) -> None:
    driver.store(template("narrow", [echo(f"part{number}", configuration={"delayMs": 150}) for number in range(6)],
                          maxParallelBlocks=2))
    execution_id = driver.start("narrow")
    assert driver.ended(execution_id, PATIENCE)["status"] == "completed"
    effects = effects_of(cluster.agents.url, execution_id)
    assert len(effects) == 6
    assert most_at_once((effect["startedAt"], effect["endedAt"]) for effect in effects) == 2
