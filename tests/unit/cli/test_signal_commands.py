"""The commands about signals, against a service that answers as the real one does."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.conftest import Shell
from tests.unit.cli.documents import STARTED, block, execution
from tests.unit.cli.fake_service import FakeService

URL = "/api/v1/executions/e1"
SIGNAL = {"signalId": "s1", "executionId": "e1", "name": "payment", "sentAt": STARTED, "sentBy": "ada",
          "takenBy": None}


@pytest.mark.parametrize(("taken_by", "told"), [
    (None, "The signal payment is kept until a block takes it."), ("b", "Block b has taken the signal payment.")])
def test_a_signal_is_sent(client: Shell, service: FakeService, taken_by: str | None, told: str) -> None:
    service.answers(f"POST {URL}/signals/payment", {**SIGNAL, "takenBy": taken_by}, status=202)
    shown = client("executions", "signal", "e1", "payment", "--payload", '{"paid": true}', "--idempotency-key", "k")
    assert shown.stdout.strip() == told
    assert service.requests[0]["body"] == {"payload": {"paid": True}}


def test_a_payload_that_is_no_object(client: Shell, service: FakeService) -> None:
    assert client("executions", "signal", "e1", "payment", "--payload", "[1]").exit_code == 2
    assert not service.requests


def test_signals_are_listed(client: Shell, service: FakeService) -> None:
    answer = {"signals": [{**SIGNAL, "payload": {"text": "x" * 100}}, {**SIGNAL, "takenBy": "b", "payload": {}}],
              "total": 2}
    service.answers(f"GET {URL}/signals", answer)
    shown = client("executions", "signals", "e1")
    assert shown.exit_code == 0 and "payment" in shown.stdout and "xxx..." in shown.stdout
    assert json.loads(client("executions", "signals", "e1", "--json").stdout) == answer


@pytest.mark.parametrize(("status", "waiting_for", "told"), [
    ("awaiting_signal", {"kind": "signal", "until": None, "signals": ["yes", "no"], "mode": "any"}, "(yes or no)"),
    ("awaiting_signal", {"kind": "signal", "until": STARTED, "signals": ["x", "y"], "mode": "all"}, "(x and y until"),
    ("awaiting_time", {"kind": "time", "until": STARTED}, "(until 2026-01-02")])
def test_show_says_what_a_block_waits_for(client: Shell, service: FakeService, status: str,
                                          waiting_for: dict[str, object], told: str) -> None:
    service.answers(f"GET {URL}", execution("waiting", block("w", status, waitingFor=waiting_for)))
    assert told in " ".join(client("executions", "show", "e1").stdout.split())
