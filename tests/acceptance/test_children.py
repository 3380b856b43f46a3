"""Maps, loops and other workflows on real processes, while workers are killed and messages are lost."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from tests.support import faults
from tests.support.cluster import Cluster
from tests.support.driver import Driver, effects_of, eventually, most_at_once
from tests.support.scenarios import echo, gate, template

pytestmark = pytest.mark.acceptance
valkey = pytest.mark.parametrize("cluster", ["valkey"], indirect=True, scope="module")

PATIENCE = timedelta(seconds=90)


def children(driver: Driver, run: str) -> list[dict[str, Any]]:
    """Return the executions right below one."""
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"parentId": run, "limit": 100}
    while True:
        page = driver.get("/executions", **query)
        found += page["executions"]
        if page["nextCursor"] is None:
            return sorted(found, key=lambda child: int(child["parent"]["index"]))
        query["cursor"] = page["nextCursor"]


def mapped(width: int, delay_ms: int = 0) -> dict[str, Any]:
    """Return a template with a map over the list that it is given, and a block that reads its results."""
    each = echo("each", map={"items": "input.list", "maxParallel": width},
                configuration={"value": "${item}", "delayMs": delay_ms})
    return template(f"mapped-{width}-{delay_ms}", [each, echo("last", ["each"], configuration={
        "first": "${blocks.each.output.results[0].value}", "total": "${blocks.each.output.total}"})])


def test_each_item_is_done_once_in_order_and_so_many_at_once(cluster: Cluster, driver: Driver) -> None:
    run = driver.start(driver.store(mapped(4, 40)), list=[*range(30)])
    shown = driver.ended(run, PATIENCE)
    assert (shown["status"], shown["output"]["last"]["first"], shown["output"]["last"]["total"]) == ("completed", 0, 30)
    each = shown["blockExecutions"][0]
    assert [result["value"] for result in each["output"]["results"]] == [*range(30)]
    assert each["children"] == {"completed": 30}
    parts = children(driver, run)
    effects = [effect for part in parts for effect in effects_of(cluster.agents.url, part["executionId"])]
    assert len(parts) == len(effects) == 30
    assert 1 < most_at_once((effect["startedAt"], effect["endedAt"]) for effect in effects) <= 4


@valkey
def test_a_long_list(cluster: Cluster, driver: Driver) -> None:
    run = driver.start(driver.store(mapped(20)), list=[*range(100)])
    shown = driver.ended(run, timedelta(minutes=5))
    assert shown["status"] == "completed"
    results = shown["blockExecutions"][0]["output"]["results"]
    assert [result["value"] for result in results] == [*range(100)]


@valkey
def test_what_is_killed_in_the_middle_of_a_map_costs_no_item(cluster: Cluster, driver: Driver) -> None:
    run = driver.start(driver.store(mapped(3, 100)), list=[*range(24)])
    eventually(lambda: len(children(driver, run)) >= 6 or None, PATIENCE)
    faults.kill_worker(cluster)
    eventually(lambda: len(children(driver, run)) >= 12 or None, PATIENCE)
    faults.flush_broker(cluster)
    eventually(lambda: len(children(driver, run)) >= 18 or None, PATIENCE)
    faults.kill_control(cluster)
    shown = driver.ended(run, PATIENCE)
    assert shown["status"] == "completed"
    keys = Counter(effect["key"] for part in children(driver, run)
                   for effect in effects_of(cluster.agents.url, part["executionId"]))
    assert len(keys) == 24 and set(keys.values()) == {1}


@valkey
def test_a_person_below_is_asked_above_and_a_pause_reaches_down(cluster: Cluster, driver: Driver) -> None:
    driver.store(template("asking", [echo("draft", configuration={"text": "${input.text}"}), gate("ask", ["draft"]),
                                     echo("sent", ["ask"], configuration={"text": "${blocks.ask.output.marker}"})]))
    above = template("above", [echo("begin"), {
        "blockId": "part", "workflow": {"templateId": "asking"}, "dependencies": ["begin"],
        "configuration": {"text": "Hello"}}, echo("end", ["part"], configuration={
            "text": "${blocks.part.output.sent.text}"})])
    run = driver.start(driver.store(above))
    eventually(lambda: next(iter(driver.pending(run)), None), PATIENCE)
    driver.post(f"/executions/{run}/pause", {})
    (part,) = children(driver, run)
    eventually(lambda: driver.show(part["executionId"])["status"] == "paused" or None, PATIENCE)
    driver.approve(run, PATIENCE, marker="Dear all")
    assert driver.show(part["executionId"])["status"] == "paused"
    driver.post(f"/executions/{run}/resume", {})
    shown = driver.ended(run, PATIENCE)
    assert (shown["status"], shown["output"]) == ("completed", {"end": {"marker": "end", "text": "Dear all"}})
    interactions = shown["blockExecutions"][1]["humanInteractions"]
    assert [(one["status"], one["executionId"]) for one in interactions] == [("approved", part["executionId"])]
