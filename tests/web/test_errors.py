"""Every error has the one shape and tells strangers nothing."""

from __future__ import annotations

import logging
import re
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from tests.web.checked_client import CheckedClient
from tests.web.conftest import Headers
from tests.web.fakes import FakeApplication
from web.api.schemas.examples import TEMPLATE
from web.errors import MAX_ISSUES, STATUS, Unauthenticated
from workflow_service.domain import errors
from workflow_service.domain.errors import (
    AlreadyDecided,
    AlreadyExists,
    ExpressionError,
    Forbidden,
    IllegalTransition,
    InvalidResponse,
    InvalidTemplate,
    Issue,
    NotFound,
    Unavailable,
    WorkflowServiceError,
)

URL = "/api/v1/templates"
ISSUE = Issue(path="blocks[0]", code="cycle", message="A circle.", allowed=("none",))


@pytest.mark.parametrize(("error", "status", "word"), [
    (NotFound("template", "x"), 404, "not_found"),
    (AlreadyExists("template", "x"), 409, "already_exists"),
    (AlreadyDecided("x", "approved", "bob"), 409, "already_decided"),
    (IllegalTransition("block", "x", "completed", "ready"), 409, "illegal_transition"),
    (InvalidTemplate("Wrong.", [ISSUE]), 422, "invalid_template"),
    (InvalidResponse("Wrong.", [ISSUE]), 422, "invalid_response"),
    (Forbidden("No."), 403, "forbidden"),
    (Unavailable("mongodb"), 503, "unavailable"),
    (ExpressionError("1 +"), 500, "internal_error"),
    (WorkflowServiceError("?"), 500, "internal_error"),
    (RuntimeError("mongodb://root:hunter2@db/ is on fire"), 500, "internal_error"),
    (KeyError("templateId"), 500, "internal_error"),
    (Unauthenticated("No."), 401, "unauthenticated"),
])
def test_what_each_error_is_in_http(app: Flask, admin: Headers, service: FakeApplication, error: Exception, status: int,
                                    word: str) -> None:
    service.templates.raises = error
    answer: Any = FlaskClient(app).post(URL, json=TEMPLATE, headers=admin)
    assert (answer.status_code, answer.json["code"], answer.json["error"]) == (status, status, word)
    assert answer.json["requestId"] == answer.headers["X-Request-ID"]


def test_every_kind_of_error_of_the_domain_is_thought_of() -> None:
    leaves = [error for error in vars(errors).values() if isinstance(error, type)
              and issubclass(error, WorkflowServiceError) and error is not WorkflowServiceError]
    assert {leaf for leaf in leaves if not any(kind in STATUS for kind in leaf.__mro__)} == {ExpressionError}


def test_issues_are_listed_by_path(client: CheckedClient, admin: Headers, service: FakeApplication) -> None:
    service.templates.raises = InvalidTemplate("Wrong.", [ISSUE, Issue(path="", code="empty", message="Nothing."),
                                                          ISSUE])
    answer = client.post(URL, json=TEMPLATE, headers=admin)
    fault = {"code": "cycle", "message": "A circle.", "allowed": ["none"]}
    assert answer.json["message"] == "Wrong."
    assert answer.json["errors"] == {"blocks[0]": [fault, fault],
                                     "(whole)": [{"code": "empty", "message": "Nothing.", "allowed": []}]}


def test_very_many_issues_are_cut(client: CheckedClient, admin: Headers, service: FakeApplication) -> None:
    service.templates.raises = InvalidTemplate("Wrong.", [ISSUE] * (MAX_ISSUES + 1))
    answer = client.post(URL, json=TEMPLATE, headers=admin)
    assert len(answer.json["errors"]["blocks[0]"]) == MAX_ISSUES


def test_a_crash_is_logged_in_full_and_answered_with_its_id_alone(client: CheckedClient, admin: Headers,
                                                                  service: FakeApplication) -> None:
    service.templates.raises = RuntimeError("the cellar is flooded")
    with capture_logs() as logs:
        answer = client.post(URL, json=TEMPLATE, headers={**admin, "X-Request-ID": "call-42"})
    assert answer.status_code == 500
    assert "cellar" not in answer.text and "Traceback" not in answer.text
    assert answer.json["requestId"] == "call-42"
    crash = next(line for line in logs if line["event"] == "request_crashed")
    assert crash["log_level"] == logging.getLevelName(logging.ERROR).lower()
    assert crash["exc_info"] is service.templates.raises


@pytest.mark.parametrize(("method", "url", "status", "word"), [
    ("GET", "/nowhere", 404, "not_found"),
    ("GET", "/api/v2/templates", 404, "not_found"),
    ("GET", "/api/docs/nothing.js", 404, "not_found"),
    ("GET", "/api/docs/../app.py", 404, "not_found"),
    ("DELETE", "/api/v1/templates", 405, "method_not_allowed"),
    ("PUT", "/health", 405, "method_not_allowed"),
])
def test_errors_of_the_framework_have_the_shape_too(client: CheckedClient, method: str, url: str, status: int,
                                                    word: str) -> None:
    answer = client.open(url, method=method)
    assert (answer.status_code, answer.json["code"], answer.json["error"]) == (status, status, word)
    assert set(answer.json) == {"code", "status", "error", "message", "requestId"}


def test_a_method_that_is_not_allowed_is_told_which_are(client: CheckedClient) -> None:
    assert set(client.delete(URL).allow) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("offered", ["call-42", "0af7651916cd43dd8448eb211c80319c", "A.b_c-1"])
def test_a_sane_request_id_is_kept(client: CheckedClient, offered: str) -> None:
    assert client.get("/health", headers={"X-Request-ID": offered}).headers["X-Request-ID"] == offered


@pytest.mark.parametrize("offered", ["", "a b", "x" * 129, "a;b", "\xff", '{"a":1}', "<b>"])
def test_any_other_request_id_is_replaced(client: CheckedClient, offered: str) -> None:
    given = client.get("/health", headers={"X-Request-ID": offered}).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", given)


def test_each_request_has_its_own_id(client: CheckedClient) -> None:
    assert client.get("/health").headers["X-Request-ID"] != client.get("/health").headers["X-Request-ID"]


def test_instants_are_rfc3339(client: CheckedClient, admin: Headers) -> None:
    created = client.post(URL, json=TEMPLATE, headers=admin).json["createdAt"]
    assert created.endswith("Z") and datetime.fromisoformat(created).tzinfo is not None
