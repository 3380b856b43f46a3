"""Events, logs and the verification of an execution over HTTP, with the real service behind them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET, Headers, SignedHeaders
from tests.web.real_service import HandWorker, a_real_service
from web.api.schemas.examples import START, TEMPLATE
from web.context import provide
from workflow_service.bootstrap import Application

URL = "/api/v1/executions/run-1"


@pytest.fixture
def worker() -> HandWorker:
    """A worker."""
    return HandWorker()


@pytest.fixture
def real(worker: HandWorker) -> Application:
    """The real service."""
    return a_real_service(SECRET, worker)


@pytest.fixture
def app(edge: Flask, real: Application) -> Flask:
    """The edge around the real service."""
    provide(edge, real)
    return edge


@pytest.fixture(autouse=True)
def rejected(client: CheckedClient, real: Application, worker: HandWorker, admin: Headers,
             signed: SignedHeaders) -> None:
    """There is an execution that a person has rejected."""
    client.post("/api/v1/templates", json=TEMPLATE, headers=admin)
    client.post("/api/v1/executions", json=START, headers=admin)
    worker.work(real)
    [asked] = client.get("/api/v1/approvals/pending", headers=admin).json["approvals"]
    client.post(f"/api/v1/approvals/{asked['approvalId']}/respond", json={"approved": False, "comments": "Clause 7."},
                headers=signed("approver", user="bob"))
    worker.work(real)


def test_events_come_in_order_without_gaps(client: CheckedClient, signed: SignedHeaders) -> None:
    answer = client.get(f"{URL}/events", headers=signed("viewer"))
    assert answer.status_code == 200
    events = answer.json["events"]
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert {"execution_started", "block_completed", "approval_responded", "block_rejected",
            "execution_failed"} <= {event["type"] for event in events}
    rejected = next(event for event in events if event["type"] == "block_rejected")
    assert (rejected["blockId"], rejected["source"]) == ("review", "run-1:review")
    assert rejected["message"] == "Block 'review' was rejected by bob: Clause 7."
    assert rejected["payload"]["error"]["by"] == "bob"


def test_events_come_in_pages(client: CheckedClient, admin: Headers) -> None:
    whole = client.get(f"{URL}/events", headers=admin).json
    assert whole["next"] is None
    after: int | None = 0
    read: list[Any] = []
    while after is not None:
        page = client.get(f"{URL}/events?after={after}&limit=4", headers=admin).json
        assert 0 < len(page["events"]) <= 4
        read += page["events"]
        after = page["next"]
    assert read == whole["events"]
    assert client.get(f"{URL}/events?after={len(read)}", headers=admin).json == {"events": [], "next": None}


@pytest.mark.parametrize(("query", "levels", "blocks"), [
    ("level=error", {"error"}, {"review", None}),
    ("level=warning", {"error", "warning"}, {"review", None}),
    ("blockId=extract", {"info"}, {"extract"}),
    ("blockId=review&level=error", {"error"}, {"review"}),
])
def test_logs_are_chosen_by_level_and_block(client: CheckedClient, signed: SignedHeaders, query: str,
                                            levels: set[str], blocks: set[str | None]) -> None:
    answer = client.get(f"{URL}/logs?{query}", headers=signed("viewer"))
    assert answer.status_code == 200
    assert {entry["level"] for entry in answer.json["logs"]} == levels
    assert {entry["blockId"] for entry in answer.json["logs"]} == blocks
    assert answer.json["total"] == len(answer.json["logs"])


def test_logs_come_in_pages(client: CheckedClient, admin: Headers) -> None:
    whole = client.get(f"{URL}/logs", headers=admin).json
    page = client.get(f"{URL}/logs?limit=2&offset=3", headers=admin).json
    assert page == {"logs": whole["logs"][3:5], "total": whole["total"]}


def test_logs_of_a_block_that_is_not_there_are_none(client: CheckedClient, admin: Headers) -> None:
    assert client.get(f"{URL}/logs?blockId=nobody", headers=admin).json == {"logs": [], "total": 0}


def test_an_execution_of_which_all_is_well(client: CheckedClient, signed: SignedHeaders) -> None:
    answer = client.get(f"{URL}/verify", headers=signed("viewer"))
    assert answer.status_code == 200
    assert (answer.json["valid"], answer.json["violations"]) == (True, [])
    assert answer.json["counts"]["blocks"] == len(TEMPLATE["blocks"])
    assert {check["invariant"] for check in answer.json["checks"] if check["result"] == "not_checked"} == {"I2", "I10"}


def test_what_is_wrong_is_named(client: CheckedClient, real: Application, admin: Headers) -> None:
    blocks = real.engine.histories._stores.blocks
    review = blocks.get("acme", "run-1:review")
    assert review is not None
    blocks.change(review, replace(review, version=review.version + 1, attempt=7))
    answer = client.get(f"{URL}/verify", headers=admin).json
    assert not answer["valid"]
    assert {(one["invariant"], one["subject"]) for one in answer["violations"]} == {("I9", "run-1:review")}
    assert {check["invariant"] for check in answer["checks"] if check["result"] == "broken"} == {"I9"}


@pytest.mark.parametrize("part", ["events", "logs", "verify"])
def test_what_is_not_there(client: CheckedClient, admin: Headers, signed: SignedHeaders, part: str) -> None:
    elsewhere = client.get(f"{URL}/{part}", headers=signed(workspace="other"))
    assert (elsewhere.status_code, elsewhere.json["error"]) == (404, "not_found")
    assert client.get(f"/api/v1/executions/run-2/{part}", headers=admin).status_code == 404


@pytest.mark.parametrize(("query", "path", "code"), [
    ("events?limit=0", "limit", "invalid"), ("events?limit=1001", "limit", "invalid"),
    ("events?after=-1", "after", "invalid"), ("events?after=x", "after", "invalid"),
    ("events?offset=1", "offset", "unknown_field"),
    ("logs?limit=0", "limit", "invalid"), ("logs?limit=1001", "limit", "invalid"),
    ("logs?level=loud", "level", "invalid"), ("logs?level=ERROR", "level", "invalid"),
    ("logs?blockId=a%20b", "blockId", "invalid"), ("logs?offset=-1", "offset", "invalid"),
    ("logs?block=a", "block", "unknown_field"),
])
def test_a_query_that_makes_no_sense_is_refused(client: CheckedClient, admin: Headers, query: str, path: str,
                                                code: str) -> None:
    answer = client.get(f"{URL}/{query}", headers=admin)
    assert (answer.status_code, answer.json["error"]) == (422, "invalid")
    assert {path: faults[0]["code"] for path, faults in answer.json["errors"].items()} == {path: code}
