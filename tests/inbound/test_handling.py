"""Messages on the real service: done once, or set aside with a reason and without the token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from inbound.api import Api
from inbound.handling import MOST_DELIVERIES, Handling
from inbound.rejections import LONGEST_BODY
from tests.inbound.senders import SECRET, Sender, delivered
from tests.tasks.engines import Watched
from tests.web.real_service import HandWorker, a_real_service
from web.app import create_app
from workflow_service.bootstrap import Application
from workflow_service.domain.commands import ApprovalFilter, ExecutionFilter
from workflow_service.domain.errors import Unavailable
from workflow_service.domain.users import User
from workflow_service.services.engine import Ports

ADA = User(name="ada", role="admin", workspace_id="acme")


def rejected(handling: Handling, message: object, deliveries: int = 1) -> dict[str, Any]:
    """Handle a message that is to be set aside and return what is kept of it."""
    record = handling.handle(delivered(message, deliveries))
    assert record is not None
    if isinstance(message, Mapping) and message.get("token"):
        assert str(message["token"]).encode() not in record
    kept: dict[str, Any] = json.loads(record)
    assert {"code", "status", "error", "message", "requestId"} <= set(kept["error"])
    assert kept["error"]["requestId"] != "unknown"
    return kept


def total(service: Application) -> int:
    """Return how many executions there are."""
    return service.executions.page(ADA, ExecutionFilter()).total


def asked(service: Application, handling: Handling, worker: HandWorker, sender: Sender) -> str:
    """Start an execution, let it run until it asks a person, and return the id of the request."""
    assert handling.handle(delivered(sender.start())) is None
    worker.work(service)
    return service.approvals.pending(ADA, ApprovalFilter())[0].approval_id


def test_a_message_starts_one_execution_however_often_it_comes(service: Application, handling: Handling,
                                                               sender: Sender, worker: HandWorker) -> None:
    message = delivered(sender.start())
    assert handling.handle(message) is None
    worker.work(service)
    assert handling.handle(replace(message, deliveries=2)) is None
    found = service.executions.page(ADA, ExecutionFilter())
    assert (found.total, found.executions[0]["createdBy"], found.executions[0]["status"]) == (1, "ada", "waiting")


def test_the_id_is_the_key_of_rest(service: Application, handling: Handling, sender: Sender) -> None:
    headers = {"Authorization": f"Bearer {sender.token}", "Idempotency-Key": "order 4711"}
    client = create_app(service).test_client()
    assert client.post("/api/v1/executions", json=sender.start()["body"], headers=headers).status_code == 201
    assert handling.handle(delivered(sender.start("order 4711"))) is None
    assert total(service) == 1
    assert rejected(handling, sender.start("order 4711", input={}))["error"]["error"] == "idempotency_key_reused"


@pytest.mark.parametrize("approved", [True, False])
def test_a_message_answers_and_its_repetition_is_harmless(service: Application, handling: Handling, worker: HandWorker,
                                                          sender: Sender, approved: bool) -> None:
    approval_id = asked(service, handling, worker, sender)
    message = sender.answer(approval_id, approved=approved, response={"notes": "fine"}, comments="as agreed")
    for _ in range(3):
        assert handling.handle(delivered(message)) is None
    decided = service.approvals.get(ADA, approval_id)
    assert (decided.approver, decided.status.value) == ("ada", "approved" if approved else "rejected")


@pytest.mark.parametrize(("user", "body"), [
    ("ada", {"approved": False, "response": {"notes": "fine"}}),
    ("ada", {"approved": True, "response": {"notes": "other"}}),
    ("ada", {"approved": True, "response": {"notes": "fine"}, "comments": "more"}),
    ("bob", {"approved": True, "response": {"notes": "fine"}})])
def test_another_answer_is_a_conflict(service: Application, handling: Handling, worker: HandWorker, sender: Sender,
                                      user: str, body: dict[str, Any]) -> None:
    approval_id = asked(service, handling, worker, sender)
    first = sender.answer(approval_id, approved=True, response={"notes": "fine"})
    assert handling.handle(delivered(first)) is None
    kept = rejected(handling, replace(sender, user=user).answer(approval_id, "second", **body))
    assert kept["error"]["error"] == "already_decided"
    assert (kept["type"], kept["id"], kept["approvalId"], kept["body"]) == (
        "respond_to_approval", "second", approval_id, body)
    assert service.approvals.get(ADA, approval_id).approver == "ada"


def test_a_message_sends_one_signal_however_often_it_comes(service: Application, handling: Handling,
                                                           sender: Sender) -> None:
    assert handling.handle(delivered(sender.start())) is None
    run = service.executions.page(ADA, ExecutionFilter()).executions[0]["executionId"]
    for _ in range(2):
        assert handling.handle(delivered(sender.signal(run, "payment", amount=120))) is None
    (found,), total = service.engine.signals.page(ADA, run, 10, 0)
    assert (total, found.name, found.payload, found.sent_by) == (1, "payment", {"amount": 120}, "ada")
    other = rejected(handling, sender.signal(run, "payment", amount=121))
    assert other["error"]["error"] == "idempotency_key_reused"
    assert (other["type"], other["executionId"], other["signal"]) == ("send_signal", run, "payment")


@pytest.mark.parametrize(("changed", "error"), [
    ({"executionId": "unknown"}, "not_found"), ({"executionId": None}, "invalid"), ({"signal": "no id"}, "invalid"),
    ({"approvalId": "a"}, "invalid"), ({"body": {"payload": 1}}, "invalid"), ({"body": {"more": 1}}, "invalid"),
    ({"type": "start_execution"}, "invalid")])
def test_a_signal_that_is_none_is_set_aside(handling: Handling, sender: Sender, changed: dict[str, Any],
                                            error: str) -> None:
    assert rejected(handling, {**sender.signal("run-1", "payment"), **changed})["error"]["error"] == error


@pytest.mark.parametrize(("role", "error"), [("viewer", "forbidden"), ("operator", "not_found")])
def test_who_may_start_may_signal(handling: Handling, role: str, error: str) -> None:
    assert rejected(handling, Sender(role=role).signal("run-1", "payment"))["error"]["error"] == error


@pytest.mark.parametrize(("changed", "error"), [
    ({"role": "viewer"}, "forbidden"), ({"role": "designer"}, "forbidden"), ({"role": "approver"}, "forbidden"),
    ({"workspace": "other"}, "not_found"),
    ({"secret": "another-secret-that-is-long-enough-to-sign-with"}, "unauthenticated"),
    ({"lifetime": timedelta(seconds=-5)}, "unauthenticated")])
def test_rights_are_those_of_rest(service: Application, handling: Handling, sender: Sender, changed: dict[str, Any],
                                  error: str) -> None:
    assert rejected(handling, replace(sender, **changed).start(workspaceId=None))["error"]["error"] == error
    assert total(service) == 0


def test_an_operator_may_start_and_not_answer(service: Application, handling: Handling, worker: HandWorker) -> None:
    operator = Sender(role="operator", user="olga")
    approval_id = asked(service, handling, worker, operator)
    kept = rejected(handling, operator.answer(approval_id, approved=True))
    assert (kept["error"]["code"], kept["error"]["error"]) == (403, "forbidden")


@pytest.mark.parametrize(("message", "error"), [
    (b"", "malformed_json"), (b"{", "malformed_json"), (b"\xff", "malformed_json"), (b"[" * 100_000, "malformed_json"),
    (b'{"type": NaN}', "malformed_json"), ([], "invalid"), (None, "invalid"), ({}, "invalid"), ("text", "invalid")])
def test_what_is_no_message_is_set_aside(service: Application, handling: Handling, message: object,
                                         error: str) -> None:
    kept = rejected(handling, message)
    assert kept["error"]["error"] == error
    assert set(kept) == {"id", "error", "rejectedAt", "bytes", "digest"} and kept["id"] is None


@pytest.mark.parametrize(("changed", "path"), [
    ({"type": "delete_everything"}, "type"), ({"type": None}, "type"), ({"type": 1}, "type"),
    ({"token": "a b"}, "token"), ({"token": "a\r\nX-Evil: 1"}, "token"), ({"token": ""}, "token"),
    ({"token": None}, "token"), ({"token": "a" * 8193}, "token"),
    ({"id": ""}, "id"), ({"id": "k" * 256}, "id"), ({"id": "a\n"}, "id"), ({"id": "\xe9"}, "id"), ({"id": 1}, "id"),
    ({"body": []}, "body"), ({"body": None}, "body"), ({"body": "{}"}, "body"),
    ({"approvalId": "a1"}, "approvalId"), ({"type": "respond_to_approval"}, "approvalId"),
    ({"type": "respond_to_approval", "approvalId": "../executions"}, "approvalId"), ({"more": 1}, "more")])
def test_each_fault_of_the_shape_is_named(handling: Handling, sender: Sender, changed: dict[str, Any],
                                          path: str) -> None:
    kept = rejected(handling, {**sender.start(), **changed})
    assert (kept["error"]["error"], list(kept["error"]["errors"])) == ("invalid", [path])
    assert kept["id"] == (None if "id" in changed else "order 4711")


@pytest.mark.parametrize(("changed", "path"), [
    ({"templateId": "a b"}, "templateId"), ({"input": []}, "input"), ({"unknown": 1}, "unknown"),
    ({"attributes": {"a b": 1}}, "attributes")])
def test_the_body_is_read_as_by_rest(handling: Handling, sender: Sender, changed: dict[str, Any], path: str) -> None:
    kept = rejected(handling, sender.start(**changed))
    assert kept["error"]["code"] == 422
    assert [found.split(".")[0] for found in kept["error"]["errors"]] == [path]


@pytest.mark.parametrize("place", [{"input": {"eyJh.eyJi.c": 1}}, {"templateId": "eyJh.eyJi.c"},
                                   {"input": {"deep": ["Bearer eyJh.eyJi.c"]}, "templateId": "unknown"}])
def test_no_token_is_kept_wherever_it_stands(handling: Handling, sender: Sender, place: dict[str, Any]) -> None:
    record = handling.handle(delivered(Sender(role="viewer").start(**place)))
    assert record is not None and b"eyJ" not in record
    json.loads(record)


def test_of_a_large_message_the_digest_is_kept(handling: Handling, sender: Sender) -> None:
    kept = rejected(handling, Sender(role="viewer").start(input={"text": "x" * LONGEST_BODY}))
    assert "body" not in kept and kept["bytes"] > LONGEST_BODY and kept["digest"].startswith("sha256:")
    assert rejected(handling, sender.start(input={"text": "x" * 16 * 1024 * 1024}))["error"]["code"] == 413


def test_what_ends_each_process_is_set_aside_unread(service: Application, handling: Handling, sender: Sender) -> None:
    assert handling.handle(delivered(sender.start("a"), MOST_DELIVERIES)) is None
    kept = rejected(handling, sender.start("b"), MOST_DELIVERIES + 1)
    assert kept["error"]["errors"]["(whole)"][0]["code"] == "delivered_too_often"
    assert total(service) == 1


@pytest.mark.parametrize("name", ["templates", "executions", "approvals"])
def test_a_store_that_is_away_says_nothing_about_a_message(name: str, sender: Sender) -> None:
    def away(port: object) -> Any:
        return cast(Any, Watched(port=port, name=name, asked=[], away=True))

    def rewire(ports: Ports) -> Ports:
        if name == "templates":
            return replace(ports, templates=away(ports.templates))
        return replace(ports, stores=replace(ports.stores, **{name: away(getattr(ports.stores, name))}))

    handling = Handling(Api(create_app(a_real_service(SECRET, HandWorker(), rewire=rewire))))
    message = sender.answer("a1", approved=True) if name == "approvals" else sender.start()
    with pytest.raises(Unavailable):
        handling.handle(delivered(message))


def test_a_fault_of_ours_is_set_aside_and_told_as_such(sender: Sender) -> None:
    service = a_real_service(SECRET, HandWorker(), rewire=lambda ports: replace(ports, templates=cast(Any, None)))
    kept = rejected(Handling(Api(create_app(service))), sender.start())
    assert (kept["error"]["code"], kept["error"]["error"]) == (500, "internal_error")
    assert "Traceback" not in json.dumps(kept)
