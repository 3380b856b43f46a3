"""Joins, failure policies, ends and blocks that are taken out, on real processes: each stops what it has to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.support.cluster import Cluster
from tests.support.driver import Driver, effects_of, eventually
from tests.support.records import Records, reading_records
from workflow_service.domain.invariants import violations

pytestmark = [pytest.mark.acceptance,
              pytest.mark.parametrize("cluster", ["valkey"], indirect=True, scope="module")]

PATIENCE = timedelta(seconds=30)
FOR_EVER_MS = 120_000
LATE = {"mode": "any", "late": "cancel"}
Act = Callable[[Driver, str], None]


@pytest.fixture(scope="module")
def records(cluster: Cluster) -> Iterator[Records]:
    """What is stored."""
    with reading_records(cluster) as reading:
        yield reading


def block(block_id: str, *after: str, **more: Any) -> dict[str, Any]:
    """Return a block that echoes its id."""
    return {"blockId": block_id, "agentId": "echo", "toolType": "script", "dependencies": list(after),
            "configuration": {"value": block_id}, "retryPolicy": {"maxRetries": 0}, **more}


def slow(block_id: str, agent: str, *after: str) -> dict[str, Any]:
    """Return a block whose agent works for longer than anybody waits here."""
    return block(block_id, *after, agentId=agent, configuration={"delayMs": FOR_EVER_MS})


def failing(block_id: str, **more: Any) -> dict[str, Any]:
    """Return a block that fails."""
    return block(block_id, configuration={"failTimes": 9, "failWith": {"code": "no_paper", "class": "agent"}}, **more)


def end(block_id: str, *after: str) -> dict[str, Any]:
    """Return a block that fails its execution."""
    return {"blockId": block_id, "dependencies": list(after), "end": {"status": "failed", "message": "Fraud."}}


def taken_out(name: str) -> Act:
    """Return what takes a block out once its agent is at work."""
    def act(driver: Driver, run: str) -> None:
        eventually(lambda: any(one["blockId"] == name for one in driver.show(run)["inFlight"]) or None, PATIENCE)
        driver.post(f"/executions/{run}/blocks/{name}/cancel", {"reason": "nobody needs it"})
    return act


def nothing(driver: Driver, run: str) -> None:
    """Do nothing."""


@pytest.mark.parametrize("agent", ["echo", "echo-async"])
@pytest.mark.parametrize(("name", "blocks", "act", "status", "ends"), [
    ("late", [block("fast"), block("j", "slow", "fast", joinPolicy=LATE), block("z", "j")], nothing, "completed",
     {"slow": "skipped", "fast": "completed", "j": "completed", "z": "completed"}),
    ("end", [block("a"), end("e", "a"), block("b", "slow")], nothing, "failed",
     {"slow": "cancelled", "a": "completed", "e": "completed", "b": "cancelled"}),
    ("out", [block("a"), block("b", "slow"), block("c", "a", "b")], taken_out("slow"), "completed",
     {"slow": "skipped", "a": "completed", "b": "skipped", "c": "completed"})])
def test_what_is_at_work_is_stopped(cluster: Cluster, driver: Driver, records: Records, agent: str, name: str,
                                    blocks: list[dict[str, Any]], act: Act, status: str,
                                    ends: Mapping[str, str]) -> None:
    template = f"{name}-{agent}"
    driver.store({"templateId": template, "name": name, "version": "1.0.0",
                  "blocks": [slow("slow", agent), *blocks]})
    run = driver.start(template)
    act(driver, run)
    shown = driver.ended(run, PATIENCE)
    assert (shown["status"], {one["blockId"]: one["status"] for one in shown["blockExecutions"]}) == (status, ends)
    (stopped,) = [effect for effect in effects_of(cluster.agents.url, run) if effect["blockId"] == "slow"]
    assert stopped["status"] == "cancelled"
    assert not violations(records.told(run, PATIENCE))


def test_a_failure_takes_its_branch(driver: Driver, records: Records) -> None:
    driver.store({"templateId": "branch", "name": "Branch", "version": "1.0.0", "blocks": [
        failing("print", onFailure={"action": "branch", "nextBlocks": ["mail"]}), block("file", "print"),
        block("mail", configuration={"why": "${blocks.print.error.code}"}),
        failing("stamp", onFailure={"action": "continue"}), block("done", "file", "mail", "stamp")]})
    shown = driver.ended(run := driver.start("branch"), PATIENCE)
    found = {one["blockId"]: one for one in shown["blockExecutions"]}
    assert (shown["status"], shown["failedBlocks"]) == ("completed", [])
    assert {name: one["status"] for name, one in found.items()} == {
        "print": "failed", "file": "skipped", "mail": "completed", "stamp": "failed", "done": "completed"}
    assert found["mail"]["output"]["why"] == "no_paper"
    assert not violations(records.told(run, PATIENCE))
