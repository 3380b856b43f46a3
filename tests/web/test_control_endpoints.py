"""Pause, resume, cancel, restart, skip and retry over HTTP, with the real service behind them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET, Headers, SignedHeaders
from tests.web.real_service import HandWorker, ScriptedAgents, a_real_service
from web.api.schemas.examples import START, TEMPLATE
from web.context import provide
from workflow_service.bootstrap import Application
from workflow_service.domain.agents import Accepted, Failure, FailureClass

URL = "/api/v1/executions/run-1"
PATHS = ["pause", "resume", "cancel", "restart", "blocks/extract/skip", "blocks/extract/retry",
         "blocks/extract/cancel"]
RUNNING = [{"blockId": "extract", "status": "running"}]
AT_AGENT = [{"blockId": "extract", "status": "awaiting_agent"}]
ACCEPTED = Accepted(ask_again_after=timedelta(minutes=1))
BUSY = Failure(code="busy", failure_class=FailureClass.TRANSIENT, message="Later.", retry_after=timedelta(minutes=1))
BROKEN = Failure(code="no_key", failure_class=FailureClass.CONFIGURATION, message="There is no key.")
Ask = Callable[..., Any]


@pytest.fixture
def worker() -> HandWorker:
    """A worker."""
    return HandWorker()


@pytest.fixture
def agents() -> ScriptedAgents:
    """Agents that do what a test wants."""
    return ScriptedAgents()


@pytest.fixture
def real(worker: HandWorker, agents: ScriptedAgents) -> Application:
    """The real service."""
    return a_real_service(SECRET, worker, agents)


@pytest.fixture
def app(edge: Flask, real: Application) -> Flask:
    """The edge around the real service."""
    provide(edge, real)
    return edge


@pytest.fixture(autouse=True)
def started(client: CheckedClient, admin: Headers) -> None:
    """There is an execution; nothing of it has run."""
    client.post("/api/v1/templates", json=TEMPLATE, headers=admin)
    client.post("/api/v1/executions", json=START, headers=admin)


@pytest.fixture
def ask(client: CheckedClient, signed: SignedHeaders) -> Ask:
    """Gives an operator's instruction."""
    def post(path: str, body: dict[str, Any] | None = None) -> Any:
        return client.post(f"{URL}/{path}", json=body, headers=signed("operator", user="olga"))
    return post


@pytest.fixture
def shown(client: CheckedClient, admin: Headers) -> Ask:
    """Reads the execution."""
    return lambda: client.get(URL, headers=admin).json


@pytest.fixture
def answering(real: Application, worker: HandWorker, agents: ScriptedAgents) -> Ask:
    """Lets the agent answer, and the service go on as far as it can."""
    def answer(*answers: Any) -> None:
        agents.answers.extend(answers)
        worker.work(real)
    return answer


def test_a_pause_is_complete_when_nothing_is_at_work(ask: Ask, shown: Ask) -> None:
    assert ask("pause").json == {"success": True, "status": "paused", "clock": "stopped", "inFlight": []}
    paused = shown()
    assert (paused["status"], paused["holds"], paused["reason"]) == ("paused", ["operator"], None)


def test_a_pause_lets_end_what_is_at_work_and_tells_it(ask: Ask, shown: Ask, answering: Ask,
                                                       agents: ScriptedAgents) -> None:
    # When it is paused while a block runs
    seen: list[Any] = []
    agents.meanwhile = lambda: seen.extend(
        [ask("pause", {"clock": "run", "reason": "An audit."}).json, shown()])
    answering()

    # Then it is pausing as long as the block runs, and paused afterwards
    answer, pausing = seen
    assert answer == {"success": True, "status": "pausing", "clock": "running", "inFlight": RUNNING}
    assert (pausing["inFlight"], pausing["clock"], pausing["reason"]) == (RUNNING, "running", "An audit.")
    assert (shown()["status"], shown()["completedBlocks"]) == ("paused", ["extract"])


def test_a_pause_tells_which_agents_are_at_work_alone(ask: Ask, answering: Ask) -> None:
    answering(ACCEPTED)
    assert ask("pause").json["inFlight"] == AT_AGENT


def test_cancel_lets_end_what_is_at_work(ask: Ask, shown: Ask, answering: Ask, agents: ScriptedAgents) -> None:
    seen: list[Any] = []
    agents.meanwhile = lambda: seen.append(ask("cancel").json)
    answering()
    assert seen == [{"success": True, "status": "cancelling", "inFlight": RUNNING}]
    assert shown()["status"] == "cancelled"


def test_a_pause_may_be_repeated(ask: Ask) -> None:
    assert ask("pause").json == ask("pause").json


def test_nothing_starts_until_it_is_resumed(ask: Ask, shown: Ask, answering: Ask) -> None:
    ask("pause")
    answering()
    assert shown()["completedBlocks"] == []
    assert ask("resume").json == {"success": True, "status": "running", "holds": []}
    answering()
    assert shown()["completedBlocks"] == ["extract"]


def test_a_resume_tells_what_holds_it_still(client: CheckedClient, admin: Headers, ask: Ask) -> None:
    ask("pause")
    client.post("/api/v1/holds", json={"scope": "workspace"}, headers=admin)
    assert ask("resume").json == {"success": True, "status": "paused", "holds": ["workspace"]}


def test_cancel(ask: Ask, shown: Ask) -> None:
    assert ask("cancel", {"reason": "Enough."}).json == {"success": True, "status": "cancelled", "inFlight": []}
    cancelled = shown()
    assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "Enough.")


def test_cancel_by_force_stops_agents(ask: Ask, answering: Ask, agents: ScriptedAgents) -> None:
    answering(ACCEPTED)
    assert ask("cancel", {"mode": "force"}).json == {"success": True, "status": "cancelled", "inFlight": []}
    assert agents.stopped == ["run-1:extract:1"]


@pytest.mark.parametrize(("body", "dry_run", "status"), [
    ({"fromBlock": "extract", "dryRun": True}, True, "failed"), (None, False, "running"), ({}, False, "running"),
    ({"failedOnly": True}, False, "running"), ({"resetState": True}, False, "running")])
def test_restart(ask: Ask, shown: Ask, answering: Ask, body: dict[str, Any] | None, dry_run: bool,
                 status: str) -> None:
    answering(BROKEN)
    assert shown()["status"] == "failed"
    assert ask("restart", body).json == {
        "success": True, "status": status, "dryRun": dry_run, "templateVersion": "1.0.0",
        "runsAgain": ["extract", "review"], "reuses": [], "asksAgain": ["review"], "mayRepeat": ["extract"]}
    assert shown()["status"] == status
    assert shown()["generation"] > 1 or dry_run


def test_restart_changes_the_input_and_keeps_results(ask: Ask, shown: Ask, answering: Ask) -> None:
    answering()
    ask("cancel")
    answer = ask("restart", {"fromBlock": "review", "inputPatch": {"document": None, "other": 7},
                             "definition": "latest"})
    assert (answer.json["runsAgain"], answer.json["reuses"]) == (["review"], ["extract"])
    assert shown()["input"] == {"other": 7}


def test_skip_supplies_an_output(ask: Ask, shown: Ask, answering: Ask) -> None:
    answering(BROKEN)
    answer = ask("blocks/extract/skip", {"output": {"clauses": [9]}, "reason": "Read by hand."})
    assert answer.json == {"success": True, "status": "running"}
    extract = shown()["blockExecutions"][0]
    assert (extract["status"], extract["output"], extract["suppliedBy"]) == ("completed", {"clauses": [9]}, "olga")


def test_skip_without_a_body_supplies_an_empty_output(ask: Ask, shown: Ask, answering: Ask) -> None:
    answering(BUSY)
    assert ask("blocks/extract/skip").status_code == 200
    assert shown()["blockExecutions"][0]["output"] == {}


def test_retry_does_not_wait(ask: Ask, shown: Ask, answering: Ask) -> None:
    answering(BUSY)
    waiting = shown()["blockExecutions"][0]
    assert waiting["status"] == "retry_wait" and waiting["nextAttemptAt"].endswith("Z")
    assert ask("blocks/extract/retry").json == {"success": True, "status": "running"}
    answering()
    extract = shown()["blockExecutions"][0]
    assert (extract["status"], extract["attempt"], extract["nextAttemptAt"]) == ("completed", 2, None)


@pytest.mark.parametrize("said", [{}, {"region": True, "reason": "Not needed."}])
def test_a_block_is_taken_out(ask: Ask, shown: Ask, said: dict[str, Any]) -> None:
    assert ask("blocks/extract/cancel", said).json == {"success": True, "status": "completed"}
    assert [block["status"] for block in shown()["blockExecutions"]] == ["skipped", "skipped"]


@pytest.mark.parametrize(("path", "error"), [
    ("resume", "conflict"), ("restart", "conflict"), ("blocks/extract/skip", "conflict"),
    ("blocks/extract/retry", "conflict")])
def test_what_does_not_fit_a_running_execution(ask: Ask, path: str, error: str) -> None:
    answer = ask(path)
    assert (answer.status_code, answer.json["error"]) == (409, error)


@pytest.mark.parametrize("block_id", ["extract", "review"])
def test_nothing_is_taken_out_of_what_has_ended(ask: Ask, block_id: str) -> None:
    ask("cancel")
    answer = ask(f"blocks/{block_id}/cancel")
    assert (answer.status_code, answer.json["error"]) == (409, "conflict")


@pytest.mark.parametrize("path", ["pause", "cancel"])
def test_what_has_ended_can_not_be_stopped(ask: Ask, path: str) -> None:
    ask("cancel")
    answer = ask(path)
    assert (answer.status_code, answer.json["error"]) == (409, "illegal_transition")


@pytest.mark.parametrize("path", PATHS)
def test_executions_of_another_workspace_do_not_exist(client: CheckedClient, signed: SignedHeaders, path: str) -> None:
    answer = client.post(f"{URL}/{path}", headers=signed("operator", workspace="other"))
    assert (answer.status_code, answer.json["error"]) == (404, "not_found")


@pytest.mark.parametrize(("path", "body"), [
    ("blocks/unknown/skip", None), ("blocks/unknown/retry", None), ("blocks/unknown/cancel", None),
    ("restart", {"fromBlock": "unknown"}),
    ("restart", {"definition": "7.0.0", "failedOnly": True})])
def test_what_the_execution_does_not_have(ask: Ask, path: str, body: dict[str, Any] | None) -> None:
    assert ask(path, body).status_code == 404


@pytest.mark.parametrize("role", ["viewer", "designer", "approver"])
@pytest.mark.parametrize("path", PATHS)
def test_only_operators_control(client: CheckedClient, signed: SignedHeaders, path: str, role: str) -> None:
    assert client.post(f"{URL}/{path}", headers=signed(role)).status_code == 403


@pytest.mark.parametrize("path", PATHS)
def test_nobody_controls_without_a_token(client: CheckedClient, path: str) -> None:
    assert client.post(f"{URL}/{path}").status_code == 401


@pytest.mark.parametrize(("path", "body", "fault", "code"), [
    *((path, {"colour": "red"}, "colour", "unknown_field") for path in PATHS),
    ("pause", {"clock": "slow"}, "clock", "invalid"),
    ("pause", {"clock": None}, "clock", "not_null"),
    ("pause", {"reason": "x" * 501}, "reason", "invalid"),
    ("pause", {"reason": "a\0b"}, "reason", "invalid"),
    ("cancel", {"mode": "FORCE"}, "mode", "invalid"),
    ("cancel", {"reason": 7}, "reason", "invalid"),
    ("restart", {"fromBlock": "a b"}, "fromBlock", "invalid"),
    ("restart", {"resetState": "true"}, "resetState", "invalid"),
    ("restart", {"inputPatch": []}, "inputPatch", "invalid"),
    ("restart", {"definition": "newest"}, "definition", "invalid"),
    ("restart", {"dryRun": 1}, "dryRun", "invalid"),
    ("restart", {"failedOnly": True, "fromBlock": "extract"}, "failedOnly", "contradiction"),
    ("restart", {"failedOnly": True, "resetState": True}, "resetState", "contradiction"),
    ("blocks/extract/skip", {"output": [1]}, "output", "invalid"),
    ("blocks/extract/skip", {"output": None}, "output", "not_null"),
    ("blocks/extract/cancel", {"region": "true"}, "region", "invalid"),
    ("blocks/extract/cancel", {"reason": "x" * 501}, "reason", "invalid"),
])
def test_a_body_that_breaks_the_rules_is_told_where(ask: Ask, shown: Ask, path: str, body: dict[str, Any], fault: str,
                                                    code: str) -> None:
    answer = ask(path, body)
    assert answer.status_code == 422
    assert {fault: code} == {path: faults[0]["code"] for path, faults in answer.json["errors"].items()}
    assert shown()["status"] == "running"


@pytest.mark.parametrize(("raw", "content_type", "status"), [
    (b"", None, 200), (b"", "application/json", 200), (b"{}", "application/json", 200), (b"{}", None, 415),
    (b"reason=x", "application/x-www-form-urlencoded", 415), (b"{", "application/json", 400),
    (b" ", "application/json", 400), (b"null", "application/json", 422), (b"[]", "application/json", 422)])
def test_a_body_may_be_missing_but_is_read_strictly(client: CheckedClient, admin: Headers, raw: bytes,
                                                    content_type: str | None, status: int) -> None:
    answer = client.post(f"{URL}/pause", data=raw, content_type=content_type, headers=admin)
    assert answer.status_code == status


def test_the_document_says_that_a_body_may_be_missing(client: CheckedClient) -> None:
    paths = client.document()["paths"]
    for path in PATHS:
        body = paths["/api/v1/executions/{executionId}/" + path.replace("extract", "{blockId}")]["post"]["requestBody"]
        assert body["required"] is False and "application/json" in body["content"]
