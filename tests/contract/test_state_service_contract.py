"""What every State Management Service must do, told over HTTP; each answer is held against the contract.

The reference service is started for it, unless ``STATE_SERVICE_CONTRACT_URL`` names another one.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.support.openapi import Contract
from tests.support.services import running_state_service

STARTED = "2026-03-01T10:00:00.250Z"
MIDNIGHT_IN_PARIS = "2026-03-02T00:00:00+01:00"
BEYOND_THE_END = 2**53 - 1
TIMEOUT_SECONDS = 20


class Api:
    """The service, seen from one workspace; refuses answers that are not in the contract."""

    def __init__(self, url: str, contract: Contract, workspace: str) -> None:
        self.url = url
        self.contract = contract
        self.workspace = workspace

    def call(self, method: str, path: str, **request: Any) -> requests.Response:
        answer = requests.request(method, self.url + path, timeout=TIMEOUT_SECONDS, **request)
        self.contract.check(answer)
        return answer

    def ok(self, method: str, path: str, **request: Any) -> Any:
        answer = self.call(method, path, **request)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, status: int, code: str, method: str, path: str, **request: Any) -> dict[str, Any]:
        answer = self.call(method, path, **request)
        body: dict[str, Any] = answer.json()
        assert (answer.status_code, body["code"]) == (status, code), answer.text
        return body

    def play(self, play_id: str, rest: str = "") -> str:
        return f"/workspaces/{self.workspace}/plays/{play_id}{rest}"

    def put_play(self, play_id: str = "p1", **fields: Any) -> Any:
        return self.ok("PUT", self.play(play_id), json=play_report(**fields))

    def get_play(self, play_id: str = "p1") -> Any:
        return self.ok("GET", self.play(play_id))

    def get_block(self, block_id: str = "b1", play_id: str = "p1") -> Any:
        return self.ok("GET", self.play(play_id, f"/blocks/{block_id}"))

    def checkpoint(self, **fields: Any) -> dict[str, Any]:
        return {"workspaceId": self.workspace, "executionId": "p1", "blockId": "b1", "epoch": 1, "fence": 1,
                "status": "completed", "retryCount": 0, **fields}

    def record(self, *checkpoints: dict[str, Any]) -> Any:
        return self.ok("POST", "/checkpoints", json={"checkpoints": list(checkpoints)})

    def changes(self, **query: int) -> Any:
        return self.ok("GET", "/changes", params=query)

    def end_of_feed(self) -> int:
        end: int = self.changes(after=BEYOND_THE_END)["next"]
        return end


def play_report(**fields: Any) -> dict[str, Any]:
    return {"templateId": "t1", "templateVersion": "3", "status": "running", "createdBy": "ada",
            "startedAt": STARTED, "generation": 0, **fields}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.named("state-service")


@pytest.fixture(scope="module")
def service_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    given = os.environ.get("STATE_SERVICE_CONTRACT_URL")
    if given:
        yield given.rstrip("/")
        return
    with running_state_service(tmp_path_factory.mktemp("contract")) as server:
        yield server.url


@pytest.fixture
def api(service_url: str, contract: Contract) -> Api:
    return Api(service_url, contract, workspace=f"w-{uuid4().hex}")


def test_it_says_that_it_is_there(api: Api) -> None:
    assert api.ok("GET", "/health") == {"status": "ok"}


# plays


def test_a_play_is_answered_in_the_shape_of_the_execution_model(api: Api) -> None:
    assert api.put_play(input={"a": 1}, context={"team": "x"}) == {"playId": "p1", "accepted": True}

    assert api.get_play() == {
        "executionId": "p1", "templateId": "t1", "templateVersion": "3", "workspaceId": api.workspace,
        "status": "running", "startedAt": "2026-03-01T10:00:00.250000Z", "completedAt": None,
        "createdBy": "ada", "currentBlocks": [], "completedBlocks": [], "failedBlocks": [],
        "blockedBlocks": [], "blockExecutions": [], "globalContext": {"team": "x"}, "recoveryPoints": [],
        "input": {"a": 1}, "generation": 0}


def test_instants_are_answered_in_utc(api: Api) -> None:
    api.put_play(completedAt=MIDNIGHT_IN_PARIS)

    assert api.get_play()["completedAt"] == "2026-03-01T23:00:00.000000Z"


@pytest.mark.parametrize(("stored", "reported", "accepted", "status"), [
    pytest.param(2, 1, False, "running", id="an older report changes nothing"),
    pytest.param(2, 2, True, "completed", id="a report of the same generation replaces"),
    pytest.param(2, 3, True, "completed", id="a newer report replaces"),
])
def test_the_generation_of_a_play_never_goes_back(api: Api, stored: int, reported: int, accepted: bool,
                                                  status: str) -> None:
    api.put_play(generation=stored)

    answer = api.put_play(generation=reported, status="completed")

    assert answer["accepted"] is accepted
    assert api.get_play()["status"] == status


def test_an_update_without_input_and_context_keeps_them_and_replaces_the_rest(api: Api) -> None:
    api.put_play(input={"a": 1}, context={"b": 2}, completedAt=STARTED)

    api.put_play(status="waiting")

    play = api.get_play()
    assert (play["input"], play["globalContext"]) == ({"a": 1}, {"b": 2})
    assert (play["status"], play["completedAt"]) == ("waiting", None)


def test_a_play_belongs_to_its_workspace(api: Api, service_url: str, contract: Contract) -> None:
    api.put_play()
    other = Api(service_url, contract, workspace=f"{api.workspace}-other")

    other.refused(404, "not_found", "GET", other.play("p1"))


def test_plays_are_listed_newest_first_and_page_by_page(api: Api) -> None:
    for number in range(5):
        api.put_play(f"p{number}", startedAt=f"2026-03-0{number + 1}T00:00:00Z",
                     status="completed" if number % 2 else "running")
    path = f"/workspaces/{api.workspace}/plays"

    whole = api.ok("GET", path)
    page = api.ok("GET", path, params={"limit": 2, "offset": 1})
    running = api.ok("GET", path, params={"status": "running"})

    assert [play["executionId"] for play in whole["plays"]] == ["p4", "p3", "p2", "p1", "p0"]
    assert [play["executionId"] for play in page["plays"]] == ["p3", "p2"]
    assert [play["executionId"] for play in running["plays"]] == ["p4", "p2", "p0"]
    assert (whole["total"], page["total"], running["total"]) == (5, 5, 3)


@pytest.mark.parametrize(("broken", "field"), [
    ({"generation": -1}, "generation"), ({"generation": True}, "generation"),
    ({"generation": "1"}, "generation"), ({"generation": 1.5}, "generation"),
    ({"generation": 2**63}, "generation"), ({"status": ""}, "status"),
    ({"status": None}, "status"), ({"startedAt": "2026-03-01"}, "startedAt"),
    ({"startedAt": "2026-03-01T10:00:00"}, "startedAt"), ({"startedAt": 5}, "startedAt"),
    ({"completedAt": "0001-01-01T00:00:00+05:00"}, "completedAt"), ({"input": [1]}, "input"),
    ({"context": "x"}, "context"), ({"createdBy": "\ud800"}, "createdBy"),
    ({"createdBy": "x" * 257}, "createdBy"), ({"surprise": 1}, "surprise"),
])
def test_a_broken_play_is_refused_and_says_which_field(api: Api, broken: dict[str, Any], field: str) -> None:
    refusal = api.refused(400, "invalid_request", "PUT", api.play("p1"), json=play_report(**broken))

    assert list(refusal["errors"]) == [field]
    api.refused(404, "not_found", "GET", api.play("p1"))


def nested(depth: int) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for _ in range(depth - 1):
        content = {"a": content}
    return content


def test_an_object_may_be_nested_to_a_limit(api: Api) -> None:
    api.put_play(input=nested(100))
    assert api.get_play()["input"] == nested(100)

    refusal = api.refused(400, "invalid_request", "PUT", api.play("p2"), json=play_report(input=nested(101)))

    assert list(refusal["errors"]) == ["input"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"generation": NaN}',
                                  b'{"input": 1e999}', b"[" * 100_000],
                         ids=["nothing", "half", "a list", "null", "no text", "NaN", "too large", "too deep"])
def test_what_is_no_json_object_is_refused(api: Api, body: bytes) -> None:
    api.refused(400, "invalid_request", "PUT", api.play("p1"), data=body)


@pytest.mark.parametrize("path", ["plays/a%20b", "plays/a:b", "plays/" + "x" * 129, "plays/p1/blocks/b%0A",
                                  "plays/p1/recovery-points/é"])
def test_an_id_that_is_none_is_refused(api: Api, path: str) -> None:
    api.refused(400, "invalid_request", "PUT" if "recovery" in path else "GET",
                f"/workspaces/{api.workspace}/{path}")


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 501}, {"limit": "x"}, {"offset": -1},
                                   {"surprise": 1}])
def test_a_broken_query_is_refused(api: Api, query: dict[str, Any]) -> None:
    api.refused(400, "invalid_request", "GET", f"/workspaces/{api.workspace}/plays", params=query)


# checkpoints and blocks


def test_a_checkpoint_is_answered_as_it_was_given(api: Api) -> None:
    interaction = {"type": "approval", "requestedAt": STARTED, "respondedAt": STARTED, "approver": "ada",
                   "response": {"approved": True}}

    tally = api.record(api.checkpoint(
        status="failed", agentId="a1", input={"x": 1}, output={"text": "grüße 😀"}, error={"code": "e"},
        retryCount=2, startedAt=STARTED, completedAt=MIDNIGHT_IN_PARIS, humanInteractions=[interaction]))

    assert tally == {"accepted": 1, "stale": 0}
    instant = "2026-03-01T10:00:00.250000Z"
    assert api.get_block() == {
        "blockId": "b1", "executionId": "p1", "agentId": "a1", "status": "failed", "startedAt": instant,
        "completedAt": "2026-03-01T23:00:00.000000Z", "input": {"x": 1}, "output": {"text": "grüße 😀"},
        "error": {"code": "e"}, "retryCount": 2, "epoch": 1, "fence": 1,
        "humanInteractions": [{**interaction, "requestedAt": instant, "respondedAt": instant}],
        "progress": None, "reportedStatus": None, "reportedBy": None, "reportedAt": None}


@pytest.mark.parametrize(("pair", "tally", "status"), [
    pytest.param((2, 5), (1, 0), "completed", id="a repeat is accepted"),
    pytest.param((2, 4), (0, 1), "completed", id="an older fence is stale"),
    pytest.param((1, 9), (0, 1), "completed", id="an older epoch is stale, whatever its fence"),
    pytest.param((2, 6), (1, 0), "other", id="a newer fence is accepted"),
    pytest.param((3, 0), (1, 0), "other", id="a newer epoch is accepted, whatever its fence"),
])
def test_checkpoints_never_go_back(api: Api, pair: tuple[int, int], tally: tuple[int, int],
                                   status: str) -> None:
    api.record(api.checkpoint(epoch=2, fence=5))
    epoch, fence = pair
    said = "completed" if pair == (2, 5) else "other"

    answer = api.record(api.checkpoint(epoch=epoch, fence=fence, status=said))

    assert (answer["accepted"], answer["stale"]) == tally
    assert api.get_block()["status"] == status


def test_an_equal_pair_with_another_content_is_stale(api: Api) -> None:
    api.record(api.checkpoint(output={"a": 1, "b": 2}))

    assert api.record(api.checkpoint(output={"b": 2, "a": 1})) == {"accepted": 1, "stale": 0}
    assert api.record(api.checkpoint(output={"a": 1, "b": 3})) == {"accepted": 0, "stale": 1}
    assert api.get_block()["output"] == {"a": 1, "b": 2}


@pytest.mark.parametrize("order", list(itertools.permutations([(1, 1), (1, 2), (2, 0)])))
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
def test_the_order_of_arrival_does_not_matter(api: Api, order: list[tuple[int, int]], together: bool) -> None:
    reports = [api.checkpoint(epoch=epoch, fence=fence, status=f"s{epoch}{fence}") for epoch, fence in order]

    for batch in ([reports] if together else [[one] for one in reports]):
        api.record(*batch)

    block = api.get_block()
    assert (block["epoch"], block["fence"], block["status"]) == (2, 0, "s20")


def test_a_newer_checkpoint_replaces_all_that_an_older_one_said(api: Api) -> None:
    api.record(api.checkpoint(output={"a": 1}, agentId="a1", completedAt=STARTED))

    api.record(api.checkpoint(epoch=2, fence=0, status="pending"))

    block = api.get_block()
    assert (block["output"], block["agentId"], block["completedAt"]) == (None, None, None)


def test_one_batch_may_hold_many_plays_which_it_creates(api: Api) -> None:
    tally = api.record(*[api.checkpoint(executionId=f"p{number % 3}", blockId=f"b{number}")
                         for number in range(9)])

    assert tally == {"accepted": 9, "stale": 0}
    play = api.get_play("p0")
    assert [block["blockId"] for block in play["blockExecutions"]] == ["b0", "b3", "b6"]
    assert (play["status"], play["templateId"], play["generation"]) == ("unknown", None, None)


def test_a_play_that_its_checkpoints_created_takes_its_first_report(api: Api) -> None:
    api.record(api.checkpoint())

    assert api.put_play(generation=0)["accepted"] is True
    play = api.get_play()
    assert (play["status"], play["completedBlocks"]) == ("running", ["b1"])


@pytest.mark.parametrize(("broken", "field"), [
    ({"epoch": 0}, "epoch"), ({"epoch": "1"}, "epoch"), ({"fence": -1}, "fence"), ({"fence": True}, "fence"),
    ({"retryCount": None}, "retryCount"), ({"blockId": "a b"}, "blockId"),
    ({"executionId": "a:b"}, "executionId"), ({"workspaceId": ""}, "workspaceId"),
    ({"output": "text"}, "output"), ({"startedAt": "now"}, "startedAt"),
    ({"status": 5}, "status"), ({"surprise": 1}, "surprise"),
    ({"humanInteractions": [{"type": "approval"}]}, "humanInteractions[0].requestedAt"),
])
def test_one_broken_checkpoint_refuses_the_batch_and_is_named(api: Api, broken: dict[str, Any],
                                                              field: str) -> None:
    batch = [api.checkpoint(blockId="b1"), api.checkpoint(blockId="b2"), api.checkpoint(blockId="b3")]
    batch[1].update(broken)

    refusal = api.refused(400, "invalid_request", "POST", "/checkpoints", json={"checkpoints": batch})

    assert list(refusal["errors"]) == [f"checkpoints[1].{field}"]
    api.refused(404, "not_found", "GET", api.play("p1"))


@pytest.mark.parametrize("size", [0, 1001])
def test_a_batch_has_a_least_and_a_most(api: Api, size: int) -> None:
    batch = [api.checkpoint(blockId=f"b{number}") for number in range(size)]

    refusal = api.refused(400, "invalid_request", "POST", "/checkpoints", json={"checkpoints": batch})

    assert list(refusal["errors"]) == ["checkpoints"]


def test_a_batch_of_a_thousand_is_taken(api: Api) -> None:
    batch = [api.checkpoint(blockId=f"b{number}") for number in range(1000)]

    assert api.record(*batch) == {"accepted": 1000, "stale": 0}


@pytest.mark.parametrize("announced", [True, False], ids=["with a length", "in chunks"])
def test_a_body_that_is_too_long_is_refused(api: Api, announced: bool) -> None:
    filler = b" " * (1024 * 1024)
    body = filler * 33 if announced else itertools.repeat(filler, 33)

    api.refused(413, "too_large", "POST", "/checkpoints", data=body)


def test_the_lists_of_a_play_follow_the_statuses_of_its_blocks(api: Api) -> None:
    statuses = ["pending", "ready", "running", "retry_wait", "awaiting_approval", "awaiting_agent",
                "awaiting_signal", "awaiting_time", "awaiting_children", "awaiting_fix", "completed",
                "failed", "rejected", "skipped", "cancelled"]
    api.record(*[api.checkpoint(blockId=status, status=status) for status in statuses])

    play = api.get_play()

    assert play["currentBlocks"] == ["ready", "running", "retry_wait"]
    assert play["completedBlocks"] == ["completed"]
    assert play["failedBlocks"] == ["failed", "rejected"]
    assert play["blockedBlocks"] == [status for status in statuses if status.startswith("awaiting_")]


@pytest.mark.parametrize("block_id", ["b1:0:12", "~join-1", "b1~2"])
def test_composed_ids_name_blocks(api: Api, block_id: str) -> None:
    api.record(api.checkpoint(blockId=block_id))

    assert api.get_block(block_id)["blockId"] == block_id


def test_a_block_that_nobody_reported_is_not_found(api: Api) -> None:
    api.put_play()

    api.refused(404, "not_found", "GET", api.play("p1", "/blocks/b1"))


# progress


def test_an_agent_may_report_before_any_checkpoint(api: Api) -> None:
    block = api.ok("PATCH", api.play("p1", "/blocks/b1"), json={"progress": {"percent": 5}, "source": "a7"})

    assert (block["status"], block["progress"], block["reportedBy"]) == ("running", {"percent": 5}, "a7")
    assert (block["epoch"], block["fence"]) == (None, None)
    assert api.get_play()["currentBlocks"] == ["b1"]


def test_what_an_agent_says_never_overrides_a_checkpoint(api: Api) -> None:
    api.record(api.checkpoint(status="completed"))

    block = api.ok("PATCH", api.play("p1", "/blocks/b1"), json={"status": "failed", "source": "agent-7"})

    assert (block["status"], block["reportedStatus"]) == ("completed", "failed")
    assert api.get_play()["completedBlocks"] == ["b1"]


def test_a_checkpoint_goes_before_what_an_agent_said_and_keeps_its_progress(api: Api) -> None:
    api.ok("PATCH", api.play("p1", "/blocks/b1"), json={"status": "x", "progress": {"n": 1}, "source": "a"})

    api.record(api.checkpoint(status="completed", fence=0))

    block = api.get_block()
    assert (block["status"], block["reportedStatus"], block["progress"]) == ("completed", "x", {"n": 1})


def test_an_agent_may_report_progress_and_status_apart(api: Api) -> None:
    path = api.play("p1", "/blocks/b1")
    api.ok("PATCH", path, json={"progress": {"n": 1, "m": 1}, "source": "a"})
    block = api.ok("PATCH", path, json={"status": "thinking", "source": "a"})
    assert block["progress"] == {"n": 1, "m": 1}

    block = api.ok("PATCH", path, json={"progress": {"n": 2}, "source": "b"})

    assert (block["progress"], block["status"], block["reportedBy"]) == ({"n": 2}, "thinking", "b")


@pytest.mark.parametrize("body", [{"source": "a"}, {"progress": {}}, {"progress": 5, "source": "a"},
                                  {"progress": {}, "source": ""},
                                  {"progress": {}, "source": "a", "output": {}}])
def test_a_broken_report_is_refused(api: Api, body: dict[str, Any]) -> None:
    api.refused(400, "invalid_request", "PATCH", api.play("p1", "/blocks/b1"), json=body)


# recovery points


def test_recovery_points_are_listed_oldest_first(api: Api) -> None:
    for point, hour in (("late", 12), ("early", 9)):
        api.ok("PUT", api.play("p1", f"/recovery-points/{point}"), json={
            "timestamp": f"2026-03-01T{hour:02}:00:00Z", "state": {"n": hour},
            "completedBlocks": ["b1", "m:0"]})

    points = api.ok("GET", api.play("p1", "/recovery-points"))["recoveryPoints"]

    assert [point["pointId"] for point in points] == ["early", "late"]
    assert points[0] == {"pointId": "early", "timestamp": "2026-03-01T09:00:00.000000Z", "state": {"n": 9},
                         "completedBlocks": ["b1", "m:0"]}
    assert api.get_play()["recoveryPoints"] == points


def test_a_recovery_point_is_put_once(api: Api) -> None:
    path = api.play("p1", "/recovery-points/r:1")
    body = {"timestamp": STARTED, "state": {"n": 1}, "completedBlocks": []}
    start = api.end_of_feed()

    assert [api.ok("PUT", path, json=body) for _ in range(2)] == [{"pointId": "r:1"}] * 2
    api.ok("PUT", path, json={**body, "state": {"n": 2}})

    assert [point["state"] for point in api.get_play()["recoveryPoints"]] == [{"n": 2}]
    kinds = [change["kind"] for change in api.changes(after=start)["changes"]]
    assert kinds == ["play", "recovery_point", "recovery_point"]


def test_recovery_points_of_an_unknown_play_are_not_found(api: Api) -> None:
    api.refused(404, "not_found", "GET", api.play("p1", "/recovery-points"))


@pytest.mark.parametrize("broken", [{"timestamp": None}, {"state": []}, {"completedBlocks": ["a b"]},
                                    {"completedBlocks": None}, {"surprise": 1}])
def test_a_broken_recovery_point_is_refused(api: Api, broken: dict[str, Any]) -> None:
    body = {"timestamp": STARTED, "state": {}, "completedBlocks": [], **broken}

    api.refused(400, "invalid_request", "PUT", api.play("p1", "/recovery-points/r1"), json=body)


# shared context


def test_the_context_of_a_new_workspace_is_empty(api: Api) -> None:
    assert api.ok("GET", f"/workspaces/{api.workspace}/context") == {"context": {}, "version": 0}


@pytest.mark.parametrize(("stored", "patch", "merged"), [
    ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
    ({"a": 1}, {"a": 2}, {"a": 2}),
    ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
    ({"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"x": 1, "y": 2}}),
    ({"a": {"x": 1, "y": 2}}, {"a": {"x": None}}, {"a": {"y": 2}}),
    ({"a": {"x": 1}}, {"a": [1, None]}, {"a": [1, None]}),
    ({"a": 1}, {"a": {"x": {"y": None}}}, {"a": {"x": {}}}),
])
def test_patches_are_merged(api: Api, stored: dict[str, Any], patch: dict[str, Any],
                            merged: dict[str, Any]) -> None:
    path = f"/workspaces/{api.workspace}/context"
    api.ok("PATCH", path, json={"context": stored})

    answer = api.ok("PATCH", path, json={"context": patch, "ifVersion": 1})

    assert answer == {"context": merged, "version": 2}
    assert api.ok("GET", path) == answer


def test_a_patch_that_changes_nothing_is_no_new_version(api: Api) -> None:
    path = f"/workspaces/{api.workspace}/context"
    api.ok("PATCH", path, json={"context": {"a": 1}})

    assert api.ok("PATCH", path, json={"context": {"a": 1, "b": None}}) == {"context": {"a": 1}, "version": 1}


def test_a_patch_for_another_version_is_a_conflict(api: Api) -> None:
    path = f"/workspaces/{api.workspace}/context"
    api.ok("PATCH", path, json={"context": {"a": 1}, "ifVersion": 0})

    api.refused(409, "version_conflict", "PATCH", path, json={"context": {"a": 2}, "ifVersion": 0})

    assert api.ok("GET", path)["context"] == {"a": 1}


def test_of_many_patches_for_one_version_one_wins(api: Api) -> None:
    path = f"/workspaces/{api.workspace}/context"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: api.call("PATCH", path, json={
            "context": {"winner": number}, "ifVersion": 0}).status_code, range(16)))

    assert sorted(answers) == [200] + [409] * 15


# changes


def test_changes_say_what_was_changed_by_whom_in_their_order(api: Api) -> None:
    start = api.end_of_feed()
    api.put_play()
    api.record(api.checkpoint(blockId="b1"), api.checkpoint(blockId="b2", executionId="p2"))
    api.ok("PATCH", api.play("p1", "/blocks/b1"), json={"progress": {}, "source": "agent-7"})
    api.ok("PUT", api.play("p1", "/recovery-points/r1"), json={
        "timestamp": STARTED, "state": {}, "completedBlocks": []})
    api.ok("PATCH", f"/workspaces/{api.workspace}/context", json={"context": {"a": 1}, "source": "agent-8"})

    page = api.changes(after=start)

    told = [(one["kind"], one["executionId"], one["blockId"], one["source"]) for one in page["changes"]]
    assert told == [
        ("play", "p1", None, "engine"), ("play", "p2", None, "engine"), ("block", "p1", "b1", "engine"),
        ("block", "p2", "b2", "engine"), ("progress", "p1", "b1", "agent-7"),
        ("recovery_point", "p1", None, "engine"), ("context", None, None, "agent-8")]
    assert {one["workspaceId"] for one in page["changes"]} == {api.workspace}
    assert page["next"] == page["changes"][-1]["cursor"] == start + len(told)


def test_what_changed_nothing_is_no_change(api: Api) -> None:
    api.put_play(generation=5)
    api.record(api.checkpoint(epoch=2))
    start = api.end_of_feed()

    api.put_play(generation=5)
    api.put_play(generation=4, status="completed")
    api.record(api.checkpoint(epoch=2), api.checkpoint(epoch=1))

    assert api.changes(after=start) == {"changes": [], "next": start}


def test_changes_are_read_page_by_page(api: Api) -> None:
    start = api.end_of_feed()
    api.record(*[api.checkpoint(blockId=f"b{number}") for number in range(5)])

    first = api.changes(after=start, limit=4)
    second = api.changes(after=first["next"], limit=4)

    cursors = [one["cursor"] for one in first["changes"] + second["changes"]]
    assert cursors == list(range(start + 1, start + 7))


def test_a_cursor_beyond_the_end_is_answered_at_once_with_the_end(api: Api) -> None:
    api.put_play()
    began = time.monotonic()

    page = api.changes(after=BEYOND_THE_END, waitMs=10_000)

    assert page["changes"] == []
    assert api.changes(after=page["next"] - 1)["changes"][0]["executionId"] == "p1"
    assert time.monotonic() - began < 5


def test_a_waiting_reader_is_woken_by_a_change(api: Api) -> None:
    start = api.end_of_feed()

    with ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        reading = pool.submit(api.changes, after=start, waitMs=10_000)
        # not needed to pass, but without it the reader may find the change before it begins to wait
        time.sleep(0.3)
        api.put_play()
        page = reading.result(TIMEOUT_SECONDS)

    assert [one["executionId"] for one in page["changes"]] == ["p1"]
    assert time.monotonic() - began < 5


def test_a_waiting_reader_is_answered_when_its_time_is_over(api: Api) -> None:
    start = api.end_of_feed()
    began = time.monotonic()

    page = api.changes(after=start, waitMs=400)

    assert page == {"changes": [], "next": start}
    assert time.monotonic() - began >= 0.39


def test_waiting_readers_do_not_keep_others_out(api: Api) -> None:
    start = api.end_of_feed()
    begun = threading.Barrier(13)

    def read() -> Any:
        begun.wait(TIMEOUT_SECONDS)
        return api.changes(after=start, waitMs=4000)

    with ThreadPoolExecutor(12) as pool:
        readers = [pool.submit(read) for _ in range(12)]
        begun.wait(TIMEOUT_SECONDS)
        began = time.monotonic()
        for _ in range(10):
            api.ok("GET", "/health")
        took = time.monotonic() - began
        api.put_play()
        for reader in readers:
            reader.result(TIMEOUT_SECONDS)

    assert took < 3


def test_a_reader_misses_nothing_of_many_writers(api: Api) -> None:
    start = api.end_of_feed()

    def write(writer: int) -> None:
        for number in range(10):
            api.record(api.checkpoint(executionId=f"p{writer}", blockId=f"b{number}"))

    seen: list[dict[str, Any]] = []
    with ThreadPoolExecutor(5) as pool:
        writers = [pool.submit(write, writer) for writer in range(5)]
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while len(seen) < 55 and time.monotonic() < deadline:
            seen += api.changes(after=seen[-1]["cursor"] if seen else start, limit=7, waitMs=500)["changes"]
        for one in writers:
            one.result(TIMEOUT_SECONDS)

    assert [one["cursor"] for one in seen] == list(range(start + 1, start + 56))
    assert len({(one["executionId"], one["blockId"]) for one in seen}) == 55


@pytest.mark.parametrize("query", [{"after": -1}, {"limit": 0}, {"limit": 1001}, {"waitMs": 10_001},
                                   {"after": "x"}])
def test_a_broken_query_for_changes_is_refused(api: Api, query: dict[str, Any]) -> None:
    api.refused(400, "invalid_request", "GET", "/changes", params=query)
