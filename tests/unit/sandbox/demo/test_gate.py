"""The human gate of the demo."""

from __future__ import annotations

import pytest

from cli.errors import Refused
from sandbox.demo.gate import answered_by_demo, answered_by_person
from sandbox.demo.people import SIGNATURE, People, edited
from tests.unit.cli.documents import approval, block, execution
from tests.unit.cli.fake_service import FakeService
from tests.unit.sandbox.demo.conftest import Screen

PENDING, RESPOND = "GET /api/v1/approvals/pending", "POST /api/v1/approvals/a1/respond"
WAITING = execution("waiting", block("publish", "awaiting_approval"))


def _answers(service: FakeService) -> list[object]:
    return [request["body"] for request in service.requests if request["method"] == "POST"]


def test_the_notes_get_one_line_more() -> None:
    assert edited(approval()) == {"notes": f"# Draft\nof Bob\n\n{SIGNATURE}\n"}


def test_the_approver_answers_once(service: FakeService, people: People, screen: Screen) -> None:
    service.answers(PENDING, {"approvals": [approval()]})
    service.answers(RESPOND, {"success": True})
    gate = answered_by_demo(people.approver, screen)
    gate.look(WAITING)
    gate.look(WAITING)
    assert [answer["response"] for answer in _answers(service) if isinstance(answer, dict)] == [edited(approval())]
    assert "Vera, an approver, is asked: Publish (approval a1)" in screen.text


def test_nobody_is_asked_while_nothing_waits(service: FakeService, people: People, screen: Screen) -> None:
    answered_by_demo(people.approver, screen).look(execution("running", block("publish", "running")))
    assert not service.requests


def test_an_answer_that_did_not_arrive_is_given_again(service: FakeService, people: People, screen: Screen) -> None:
    service.answers(PENDING, {"approvals": [approval()]})
    service.answers(RESPOND, {"message": "away"}, status=503)
    service.answers(RESPOND, {"success": True})
    gate = answered_by_demo(people.approver, screen)
    gate.look(WAITING)
    gate.look(WAITING)
    assert len(_answers(service)) == 2
    assert "approved it" in screen.text


def test_a_refused_answer_ends_the_demo(service: FakeService, people: People, screen: Screen) -> None:
    service.answers(PENDING, {"approvals": [approval()]})
    service.answers(RESPOND, {"message": "The response does not fit."}, status=422)
    with pytest.raises(Refused, match="does not fit"):
        answered_by_demo(people.approver, screen).look(WAITING)


def test_a_person_is_told_how_to_answer_once(service: FakeService, people: People, screen: Screen) -> None:
    service.answers(PENDING, {"approvals": [approval()]})
    gate = answered_by_person(people.approver, screen)
    gate.look(WAITING)
    gate.look(WAITING)
    assert screen.text.count("workflow-service approvals respond a1 --approve\n") == 1
    assert not _answers(service)
