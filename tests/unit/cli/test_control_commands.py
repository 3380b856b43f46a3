"""The commands by which an operator steps in, against a service that answers as the real one does."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Shell
from tests.unit.cli.documents import block, execution, restarted, template
from tests.unit.cli.fake_service import FakeService

URL = "/api/v1/executions/e1"
WORKING = [{"blockId": "a", "status": "running"}, {"blockId": "b", "status": "awaiting_agent"}]
PAUSING = {"success": True, "status": "pausing", "clock": "stopped", "inFlight": WORKING}
PAUSED = {**PAUSING, "status": "paused", "inFlight": []}
CANCELLING = {"success": True, "status": "cancelling", "inFlight": WORKING}
RUNNING = {"success": True, "status": "running"}
SIGNAL = {"signalId": "s1", "executionId": "e1", "name": "payment", "sentAt": "2026-01-02T03:04:05.000Z",
          "sentBy": "ada", "takenBy": None}
_PATIENCE_S = 30


@pytest.mark.parametrize(("arguments", "path", "answer", "body"), [
    (("pause", "e1"), "pause", PAUSING, None),
    (("pause", "e1", "--clock", "run", "--reason", "An audit."), "pause", PAUSING,
     {"clock": "run", "reason": "An audit."}),
    (("resume", "e1"), "resume", {**RUNNING, "holds": []}, None),
    (("cancel", "e1"), "cancel", CANCELLING, None),
    (("cancel", "e1", "--reason", "Enough."), "cancel", CANCELLING, {"reason": "Enough."}),
    (("cancel", "e1", "--force", "--yes"), "cancel", CANCELLING, {"mode": "force"}),
    (("cancel", "e1", "--force"), "cancel", CANCELLING, {"mode": "force"}),
    (("restart", "e1"), "restart", restarted(), None),
    (("restart", "e1", "--failed-only"), "restart", restarted(), {"failedOnly": True}),
    (("restart", "e1", "--from", "b", "--dry-run"), "restart", restarted(), {"fromBlock": "b", "dryRun": True}),
    (("restart", "e1", "--reset-state", "--input-patch", '{"x": null}', "--definition", "latest"), "restart",
     restarted(), {"resetState": True, "inputPatch": {"x": None}, "definition": "latest"}),
    (("restart", "e1", "--input-patch", "{}"), "restart", restarted(), {"inputPatch": {}}),
    (("skip", "e1", "b"), "blocks/b/skip", RUNNING, None),
    (("skip", "e1", "b", "--output", '{"n": 1}', "--reason", "By hand."), "blocks/b/skip", RUNNING,
     {"output": {"n": 1}, "reason": "By hand."}),
    (("retry", "e1", "b"), "blocks/b/retry", RUNNING, None),
    (("cancel-block", "e1", "b"), "blocks/b/cancel", RUNNING, None),
    (("cancel-block", "e1", "b", "--region", "--reason", "Not needed."), "blocks/b/cancel", RUNNING,
     {"region": True, "reason": "Not needed."}),
    (("signal", "e1", "payment"), "signals/payment", SIGNAL, {"payload": {}}),
    (("signal", "e1", "payment", "--payload", '{"paid": true}'), "signals/payment", {**SIGNAL, "takenBy": "b"},
     {"payload": {"paid": True}}),
])
@pytest.mark.parametrize("as_json", [False, True])
def test_what_is_sent(client: Shell, service: FakeService, arguments: tuple[str, ...], path: str,
                      answer: dict[str, Any], body: dict[str, Any] | None, as_json: bool) -> None:
    service.answers(f"POST {URL}/{path}", answer)
    shown = client("executions", *arguments, *(["--json"] if as_json else []))
    assert shown.exit_code == 0, shown.output
    assert [request["body"] for request in service.requests] == [body]
    if as_json:
        assert json.loads(shown.stdout) == answer and not shown.stderr


def test_pause_tells_what_is_still_at_work(client: Shell, service: FakeService) -> None:
    service.answers(f"POST {URL}/pause", PAUSING)
    assert client("executions", "pause", "e1").stdout.splitlines() == [
        "Execution e1 is pausing.", "Its time-outs stand still.", "Still at work: a (running), b (awaiting agent)"]


def test_pause_waits_until_it_is_paused(client: Shell, service: FakeService) -> None:
    service.answers("GET /api/v1/templates/review", template(a=[]))
    service.answers(f"POST {URL}/pause", PAUSING)
    for status in ("running", "completed"):
        service.answers(f"GET {URL}", execution("pausing" if status == "running" else "paused", block("a", status),
                                                holds=["operator"], reason="An audit.", clock="stopped"))
    shown = client("executions", "pause", "e1", "--wait")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[-2:] == ["Execution e1 is paused.", "Its time-outs stand still."]
    assert "held by an operator, time-outs stand still  reason: An audit." in shown.stdout


def test_pause_that_waits_prints_one_document(client: Shell, service: FakeService) -> None:
    service.answers(f"POST {URL}/pause", PAUSING)
    service.answers(f"GET {URL}", execution("paused", holds=["operator"], clock="stopped"))
    shown = client("executions", "pause", "e1", "--wait", "--json")
    assert json.loads(shown.stdout) == PAUSED and not shown.stderr


def test_pause_does_not_wait_for_what_is_paused(client: Shell, service: FakeService) -> None:
    service.answers(f"POST {URL}/pause", PAUSED)
    assert client("executions", "pause", "e1", "--wait").exit_code == 0
    assert len(service.requests) == 1


def test_pause_that_somebody_lifts_meanwhile_fails(client: Shell, service: FakeService) -> None:
    service.answers(f"POST {URL}/pause", PAUSING)
    service.answers(f"GET {URL}", execution("running"))
    shown = client("executions", "pause", "e1", "--wait")
    assert shown.exit_code == 1 and "it is running" in shown.stderr


def test_pause_gives_up_waiting_in_time(client: Shell, service: FakeService) -> None:
    service.answers(f"POST {URL}/pause", PAUSING)
    service.answers(f"GET {URL}", execution("pausing"))
    shown = client("executions", "pause", "e1", "--wait", "--timeout", "1", "--json")
    assert shown.exit_code == 1 and "1 s" in shown.stderr


def test_resume_tells_what_holds_it_still(client: Shell, service: FakeService) -> None:
    service.answers(f"POST {URL}/resume", {"success": True, "status": "paused", "holds": ["agent:echo", "service"]})
    shown = client("executions", "resume", "e1")
    assert "Still held by a hold on agent echo, a hold on the service." in shown.stdout
    assert "holds list" in shown.stderr


def test_a_dry_run_shows_each_block(client: Shell, service: FakeService) -> None:
    service.answers(f"POST {URL}/restart", restarted())
    shown = client("executions", "restart", "e1", "--from", "b", "--dry-run")
    rows = {words[0]: " ".join(words[1:]) for words in map(str.split, shown.stdout.splitlines())
            if words and words[0] in "abcd"}
    assert "would run 3 blocks again, with version 1.0.0" in shown.stdout
    assert rows["a"] == "result kept"
    assert rows["b"] == "runs again may happen twice"
    assert rows["c"] == "runs again asked anew may happen twice" and rows["d"] == "runs again"
    assert "Nothing was changed" in shown.stderr


def test_a_restart_says_how_to_follow_it(client: Shell, service: FakeService) -> None:
    service.answers(f"POST {URL}/restart", restarted(status="running", dryRun=False))
    shown = client("executions", "restart", "e1", "--from", "b")
    assert "Execution e1 runs 3 blocks again" in shown.stdout and "executions watch e1" in shown.stderr


def test_a_restart_of_nothing(client: Shell, service: FakeService) -> None:
    service.answers(f"POST {URL}/restart", restarted(runsAgain=[], reuses=[], asksAgain=[], mayRepeat=[]))
    shown = client("executions", "restart", "e1", "--dry-run")
    assert shown.stdout == "A restart of e1 would run 0 blocks again, with version 1.0.0.\n"


@pytest.mark.parametrize(("what", "told"), [
    ("skip", "has the output that was given"), ("retry", "may be tried again now")])
def test_a_block_is_named(client: Shell, service: FakeService, what: str, told: str) -> None:
    service.answers(f"POST {URL}/blocks/b/{what}", RUNNING)
    assert client("executions", what, "e1", "b").stdout == f"Block b {told}.\nExecution e1 is running.\n"


def test_what_the_execution_goes_on_without_is_named(client: Shell, service: FakeService) -> None:
    service.answers(f"POST {URL}/blocks/b/cancel", RUNNING)
    assert client("executions", "cancel-block", "e1", "b").stdout == (
        "The execution goes on without block b.\nExecution e1 is running.\n")


def test_an_output_comes_from_a_file(client: Shell, service: FakeService, tmp_path: Path) -> None:
    service.answers(f"POST {URL}/blocks/b/skip", RUNNING)
    (tmp_path / "output.json").write_text('{"n": 2}', encoding="utf-8")
    assert client("executions", "skip", "e1", "b", "--output", "@output.json").exit_code == 0
    assert service.requests[0]["body"] == {"output": {"n": 2}}


@pytest.mark.parametrize("arguments", [
    ("restart", "e1", "--from", "b", "--failed-only"), ("restart", "e1", "--input-patch", "[]"),
    ("skip", "e1", "b", "--output", "7"), ("pause", "e1", "--clock", "slow"), ("skip", "e1"), ("retry", "e1"),
    ("cancel-block", "e1"), ("cancel-block", "e1", "b", "--region", "yes")])
def test_wrong_usage_sends_nothing(client: Shell, service: FakeService, arguments: tuple[str, ...]) -> None:
    assert client("executions", *arguments).exit_code == 2
    assert not service.requests


def test_a_refusal_is_told_and_fails(client: Shell, service: FakeService) -> None:
    service.answers(f"POST {URL}/resume", {"message": "Execution 'e1' is not paused, it is running."}, status=409)
    shown = client("executions", "resume", "e1")
    assert (shown.exit_code, shown.stderr) == (1, "Error: Execution 'e1' is not paused, it is running.\n")


def _in_a_terminal(service: FakeService, typed: str, *arguments: str) -> tuple[int, str]:
    """Run a command with a real terminal as its input, and type something."""
    keyboard, terminal = pty.openpty()
    environment = {**os.environ, "WORKFLOW_SERVICE_URL": service.url, "WORKFLOW_SERVICE_TOKEN": "t",
                   "PYTHONPATH": str(Path(__file__).parents[3])}
    try:
        running = subprocess.Popen([sys.executable, "-m", "cli", *arguments], stdin=terminal, env=environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        os.write(keyboard, typed.encode())
        _, remarks = running.communicate(timeout=_PATIENCE_S)
    finally:
        os.close(keyboard)
        os.close(terminal)
    return running.returncode, remarks


@pytest.mark.parametrize(("typed", "exit_code", "sent"), [("y\n", 0, 1), ("n\n", 1, 0)])
def test_force_is_asked_about_in_a_terminal(service: FakeService, typed: str, exit_code: int, sent: int) -> None:
    service.answers(f"GET {URL}", execution("running", inFlight=WORKING))
    service.answers(f"POST {URL}/cancel", CANCELLING)
    ended, remarks = _in_a_terminal(service, typed, "executions", "cancel", "e1", "--force")
    assert ended == exit_code, remarks
    assert "a (running), b (awaiting agent)" in remarks
    assert len([request for request in service.requests if request["method"] == "POST"]) == sent


def test_yes_asks_nothing_in_a_terminal(service: FakeService) -> None:
    service.answers(f"POST {URL}/cancel", CANCELLING)
    assert _in_a_terminal(service, "", "executions", "cancel", "e1", "--force", "--yes") == (0, "")
