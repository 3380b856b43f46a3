"""The steps of the main job, against a service that answers as the real one does."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from cli.errors import Refused
from sandbox.demo.errors import DemoFailed
from sandbox.demo.people import People
from sandbox.demo.review import import_template, start, watch
from tests.unit.cli.documents import block, execution, template
from tests.unit.cli.fake_service import FakeService
from tests.unit.sandbox.demo.conftest import Screen

EXECUTION = "GET /api/v1/executions/e1"
LONG = timedelta(seconds=60)


class _NoGate:
    def look(self, execution: Any) -> None:
        pass


def _role(service: FakeService) -> str:
    token = service.requests[-1]["token"].removeprefix("Bearer ")
    return str(jwt.decode(token, options={"verify_signature": False})["role"])


def _watch(people: People, screen: Screen, patience: timedelta = LONG, stopped: bool = False) -> Any:
    return watch(people, template(a=[], b=[]), "e1", _NoGate(), patience, screen, lambda: stopped)


def test_the_designer_imports_the_template(service: FakeService, people: People, screen: Screen) -> None:
    service.answers("POST /api/v1/templates", {}, status=201)
    imported = import_template(people, screen)
    assert service.requests[-1]["body"] == imported
    assert imported["templateId"] == "release-review" and _role(service) == "designer"
    assert "imported with 9 blocks" in screen.text


def test_a_template_that_is_there_is_used(service: FakeService, people: People, screen: Screen) -> None:
    service.answers("POST /api/v1/templates", {"message": "There is one."}, status=409)
    assert import_template(people, screen)["templateId"] == "release-review"
    assert "is there already" in screen.text


def test_a_template_that_is_refused_ends_the_demo(service: FakeService, people: People, screen: Screen) -> None:
    service.answers("POST /api/v1/templates", {"message": "It breaks its rules."}, status=422)
    with pytest.raises(Refused, match="breaks"):
        import_template(people, screen)


def test_the_operator_starts_the_review(service: FakeService, people: People, screen: Screen) -> None:
    service.answers("POST /api/v1/executions", {"executionId": "e1", "status": "running"}, status=201)
    assert start(people, template(a=[]), Path("/r"), "http://agents", screen) == "e1"
    assert service.requests[-1]["body"]["input"] == {
        "repository": "/r", "policyUrl": "http://agents/reference/release-policy", "outputDirectory": "release-review"}
    assert _role(service) == "operator"


def test_a_completed_execution_is_returned(service: FakeService, people: People, screen: Screen) -> None:
    service.answers(EXECUTION, execution("running", block("a", "running"), block("b")))
    service.answers(EXECUTION, execution("completed", block("a", "completed"), block("b", "skipped")))
    assert _watch(people, screen)["status"] == "completed"
    assert "a                running" in screen.text


def test_a_failed_execution_names_the_block_and_why(service: FakeService, people: People, screen: Screen) -> None:
    failed = block("a", "failed", error={"code": "agent_error", "message": "It broke."})
    service.answers(EXECUTION, execution("failed", failed, block("b", "cancelled")))
    with pytest.raises(DemoFailed, match=r"The execution is failed: a failed \(agent_error: It broke\.\)\."):
        _watch(people, screen)


def test_a_rejection_is_no_good_end(service: FakeService, people: People, screen: Screen) -> None:
    service.answers(EXECUTION, execution("failed", block("a", "rejected")))
    with pytest.raises(DemoFailed, match="a rejected"):
        _watch(people, screen)


def test_one_that_takes_too_long_names_what_goes_on(service: FakeService, people: People, screen: Screen) -> None:
    service.answers(EXECUTION, execution("running", block("a", "completed"), block("b", "retry_wait")))
    with pytest.raises(DemoFailed, match=r"more than 0 s; not ended: b \(retry_wait\)\."):
        _watch(people, screen, patience=timedelta())


def test_a_stop_ends_it(people: People, screen: Screen) -> None:
    with pytest.raises(DemoFailed, match="stopped"):
        _watch(people, screen, stopped=True)
