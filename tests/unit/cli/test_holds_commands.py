"""``workflow-service holds`` against a service that answers as the real one does."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.conftest import Shell
from tests.unit.cli.documents import hold
from tests.unit.cli.fake_service import FakeService

URL = "/api/v1/holds"


@pytest.mark.parametrize(("arguments", "body"), [
    (("--service",), {"scope": "service"}),
    (("--workspace", "--reason", "An audit."), {"scope": "workspace", "reason": "An audit."}),
    (("--template", "review", "--clock", "run"), {"scope": "template", "target": "review", "clock": "run"}),
    (("--agent", "echo"), {"scope": "agent", "target": "echo"}),
])
def test_add(client: Shell, service: FakeService, arguments: tuple[str, ...], body: dict[str, str]) -> None:
    service.answers(f"POST {URL}", hold(status="applying"), status=201)
    shown = client("holds", "add", *arguments)
    assert (shown.exit_code, shown.stdout) == (0, "Hold h1 on template review is applying.\n")
    assert "holds lift h1" in shown.stderr
    assert service.requests[0]["body"] == body


@pytest.mark.parametrize("arguments", [
    (), ("--service", "--workspace"), ("--template", "a", "--agent", "b"), ("--clock", "run")])
def test_add_needs_one_scope(client: Shell, service: FakeService, arguments: tuple[str, ...]) -> None:
    shown = client("holds", "add", *arguments)
    assert shown.exit_code == 2 and "--agent" in shown.stderr and not service.requests


def test_list(client: Shell, service: FakeService) -> None:
    everything = hold("h2", scope="service", target=None, reason=None, clock="run", status="applying")
    service.answers(f"GET {URL}", {"holds": [hold(), everything]})
    first, second = client("holds", "list").stdout.split("h1 ", 1)[1].split("h2 ", 1)
    assert all(text in first for text in ("template review", "applied", "stand still", "olga", "An audit."))
    assert all(text in second for text in ("the service", "applying", "run on"))


def test_list_of_nothing_says_so(client: Shell, service: FakeService) -> None:
    service.answers(f"GET {URL}", {"holds": []})
    assert client("holds", "list").stdout == "Nothing is held.\n"


def test_lift(client: Shell, service: FakeService) -> None:
    service.answers(f"DELETE {URL}/h1", {"success": True, **hold(status="lifted")})
    shown = client("holds", "lift", "h1")
    assert (shown.exit_code, shown.stdout) == (0, "The hold on template review is lifted.\n")


@pytest.mark.parametrize("arguments", [("list",), ("add", "--service"), ("lift", "h1")])
def test_json_is_the_answer_of_the_api(client: Shell, service: FakeService, arguments: tuple[str, ...]) -> None:
    answers = {f"GET {URL}": {"holds": [hold()]}, f"POST {URL}": hold(),
               f"DELETE {URL}/h1": {"success": True, **hold()}}
    for request, body in answers.items():
        service.answers(request, body)
    shown = client("holds", *arguments, "--json")
    assert shown.exit_code == 0 and not shown.stderr
    assert json.loads(shown.stdout) in answers.values()


def test_a_refusal_is_told_and_fails(client: Shell, service: FakeService) -> None:
    service.answers(f"POST {URL}", {"message": "Only an administrator may hold the service."}, status=403)
    shown = client("holds", "add", "--service")
    assert (shown.exit_code, shown.stderr) == (1, "Error: Only an administrator may hold the service.\n")
