"""Every control-flow pattern of ``docs/patterns.md`` that is said to be there runs as it says, on real workers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.cluster import Cluster
from tests.support.driver import Driver, effects_of, eventually, most_at_once
from workflow_service.integrations import yaml_text

pytestmark = [pytest.mark.acceptance,
              pytest.mark.parametrize("cluster", ["valkey"], indirect=True, scope="module")]

PAGE = (Path(__file__).parents[2] / "docs" / "patterns.md").read_text(encoding="utf-8")
PATIENCE = timedelta(seconds=60)
HEADING = re.compile(r"^### (\d+)\. (.+): (yes|no)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Case:
    """How one run of a pattern goes."""

    input: Mapping[str, Any] = field(default_factory=dict)
    act: Callable[[Driver, str], None] = lambda driver, run: None
    status: str = "completed"
    completed: str
    """The blocks that complete, with spaces between."""
    skipped: str = ""
    cancelled: str = ""
    check: Callable[[Mapping[str, Mapping[str, Any]]], bool] = lambda blocks: True
    """Looks at the blocks by id."""


def parked(driver: Driver, run: str, *names: str) -> None:
    """Wait until blocks wait for something."""
    eventually(lambda: set(names) <= set(driver.show(run)["blockedBlocks"]) or None, PATIENCE)


def signal(name: str, *after: str) -> Callable[[Driver, str], None]:
    """Return what sends a signal, once these blocks wait."""
    def act(driver: Driver, run: str) -> None:
        parked(driver, run, *after)
        driver.post(f"/executions/{run}/signals/{name}", {})
    return act


def command(path: str, block_id: str, body: Mapping[str, Any]) -> Callable[[Driver, str], None]:
    """Return what an operator does once a block waits."""
    def act(driver: Driver, run: str) -> None:
        parked(driver, run, block_id)
        driver.post(f"/executions/{run}{path}", body)
    return act


def started(blocks: Mapping[str, Mapping[str, Any]], name: str) -> str:
    """Return when a block began."""
    return str(blocks[name]["startedAt"])


def apart(*names: str) -> Callable[[Mapping[str, Mapping[str, Any]]], bool]:
    """Return whether the agents of blocks never worked at the same time; ``spans`` are put there by the test."""
    return lambda blocks: most_at_once(blocks[name]["span"] for name in names) == 1


def value(name: str, *path: str) -> Callable[[Mapping[str, Mapping[str, Any]]], Any]:
    """Return what reads a part of a block's output."""
    def read(blocks: Mapping[str, Mapping[str, Any]]) -> Any:
        found = blocks[name]["output"]
        for step in path:
            found = found[step]
        return found
    return read


CASES: Mapping[int, Sequence[Case]] = {
    1: [Case(completed="a b c", check=lambda blocks: started(blocks, "a") < started(blocks, "b")
             < started(blocks, "c"))],
    2: [Case(completed="a left right")],
    3: [Case(completed="a b both", check=lambda blocks: started(blocks, "both") >= max(
        str(blocks[name]["completedAt"]) for name in "ab"))],
    4: [Case(input={"risk": 9}, completed="choose deep", skipped="quick"),
        Case(input={"risk": 1}, completed="choose quick", skipped="deep")],
    5: [Case(input={"risk": 9}, completed="choose deep merge", skipped="quick"),
        Case(input={"risk": 1}, completed="choose quick merge", skipped="deep")],
    6: [Case(input={"mail": True, "chat": False, "page": True}, completed="choose mail page", skipped="chat"),
        Case(input={"mail": False, "chat": False, "page": False}, completed="choose", skipped="mail chat page")],
    7: [Case(input={"mail": True, "chat": True, "page": False}, completed="choose mail chat told", skipped="page")],
    9: [Case(completed="slow fast first", check=lambda blocks: started(blocks, "first") < str(
        blocks["slow"]["completedAt"]))],
    11: [Case(completed="a b c")],
    12: [Case(input={"list": [1, 2]}, completed="begin each goesOn", check=lambda blocks: str(
        blocks["goesOn"]["completedAt"]) < str(blocks["each"]["completedAt"]))],
    13: [Case(completed="each all", check=lambda blocks: [
        one["value"] for one in value("each", "results")(blocks)] == ["a", "b", "c"])],
    14: [Case(input={"files": ["x", "y", "z"]}, completed="find each all", check=lambda blocks: value(
        "all", "values")(blocks) == ["x", "y", "z"])],
    16: [Case(act=signal("decline", "choice"), completed="choice declined", skipped="accepted"),
         Case(act=signal("accept", "choice"), completed="choice accepted", skipped="declined")],
    17: [Case(input={"case": "17"}, completed="a b c", check=apart("a", "b", "c"))],
    19: [Case(act=command("/blocks/waiting/cancel", "waiting", {}), completed="beside", skipped="waiting after")],
    20: [Case(act=command("/cancel", "waiting", {}), status="cancelled", completed="", cancelled="waiting after")],
    21: [Case(completed="count done", check=lambda blocks: value("count", "iterations")(blocks) == 3)],
    22: [Case(input={"n": 3}, completed="here below", check=lambda blocks: value("below", "depth")(blocks) == 2),
         Case(input={"n": 0}, completed="here", skipped="below")],
    24: [Case(act=signal("go"), completed="rest go after"), Case(act=signal("go", "go"), completed="rest go after")],
    25: [Case(act=command("/blocks/one/cancel", "one", {"region": True}), completed="begin beside",
              skipped="one two three")],
    26: [Case(act=command("/blocks/each/cancel", "each", {}), completed="beside", skipped="each after")],
    27: [Case(act=command("/blocks/each/skip", "each", {"output": {"taken": 2}}), completed="each after",
              check=lambda blocks: value("after", "taken")(blocks) == 2)],
    29: [Case(completed="fast first", skipped="slow")],
    30: [Case(completed="a b slow two", check=lambda blocks: started(blocks, "two") < str(
        blocks["slow"]["completedAt"]))],
    32: [Case(completed="a b two", skipped="slow")],
    37: [Case(input={"x": 3}, completed="first second a c merge end", skipped="b d"),
         Case(input={"x": 2}, completed="first second a d merge end", skipped="b c"),
         Case(input={"x": 0}, completed="first second b d end", skipped="a c merge")],
    39: [Case(completed="inside after")],
    40: [Case(input={"case": "40"}, completed="a b c closed", check=apart("a", "b", "c"))],
    43: [Case(completed="begin over", cancelled="waiting")],
}
RUNS = [pytest.param(number, case, id=f"{number}-{place}") for number, cases in CASES.items()
        for place, case in enumerate(cases)]


def template_of(number: int) -> dict[str, Any]:
    """Return the template that the page shows for a pattern."""
    found = re.search(rf"^### {number}\. .*?```yaml\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    document: dict[str, Any] = yaml_text.decode(found.group(1).encode())
    return document


@pytest.fixture(scope="module", autouse=True)
def templates(driver: Driver) -> None:
    """Store the templates of the page."""
    for number in CASES:
        driver.store(template_of(number))


def test_every_pattern_is_answered_and_each_yes_has_a_run(cluster: Cluster) -> None:
    answers = {int(number): answer for number, _, answer in HEADING.findall(PAGE)}
    assert sorted(answers) == [*range(1, 44)]
    assert {number for number, answer in answers.items() if answer == "yes"} == set(CASES)
    assert f"{len(CASES)} are there" in PAGE


@pytest.mark.parametrize(("number", "case"), RUNS)
def test_it_runs_as_the_page_says(cluster: Cluster, driver: Driver, number: int, case: Case) -> None:
    run = driver.start(f"pattern-{number}", **case.input)
    case.act(driver, run)
    shown = driver.ended(run, PATIENCE)
    blocks = {block["blockId"]: dict(block) for block in shown["blockExecutions"]}
    for effect in effects_of(cluster.agents.url, run):
        blocks[effect["blockId"]]["span"] = (effect["startedAt"], effect["endedAt"])
    of = {status: {name for name, block in blocks.items() if block["status"] == status}
          for status in ("completed", "skipped", "cancelled")}
    assert shown["status"] == case.status, shown["error"]
    assert (of["completed"], of["skipped"], of["cancelled"]) == (
        set(case.completed.split()), set(case.skipped.split()), set(case.cancelled.split()))
    assert case.check(blocks)


def test_of_several_executions_one_is_in_the_critical_section(cluster: Cluster, driver: Driver) -> None:
    runs = [driver.start("pattern-39") for _ in range(4)]
    for run in runs:
        assert driver.ended(run, PATIENCE)["status"] == "completed"
    inside = [effect for run in runs for effect in effects_of(cluster.agents.url, run)
              if effect["blockId"] == "inside"]
    assert len(inside) == 4 and most_at_once((one["startedAt"], one["endedAt"]) for one in inside) == 1


@pytest.mark.parametrize("number", [26, 27])
def test_the_items_that_were_taken_out_have_ended(cluster: Cluster, driver: Driver, number: int) -> None:
    run = driver.start(f"pattern-{number}")
    CASES[number][0].act(driver, run)
    driver.ended(run, PATIENCE)
    children = driver.get("/executions", parentId=run)["executions"]
    assert [child["status"] for child in children] == ["cancelled"] * 3
