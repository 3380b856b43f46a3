"""Whatever is sent to the API, it answers as its OpenAPI document says, and never with a fault of its own.

schemathesis makes the requests out of the document: good ones, ones that break each rule, wrong methods, headers and
media types, sequences in which answers feed later requests. All of its checks hold every answer against the document.
The API is on a real socket; the service is the real one on stores in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
import schemathesis
from flask import Flask, request
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.web.conftest import SECRET
from tests.web.real_service import HandWorker, a_real_service
from web.app import create_app
from web.streams import Streams
from web.tokens import issue_token
from workflow_service.services.health import Health

EXAMPLES = 8
"""For each operation, and as many sequences; raise it to search longer."""
_BEYOND_THE_SCHEMA = ["2xx", "3xx", "400", "401", "403", "404", "409", "412", "422"]
"""What a request that follows the schema may get: not every rule can be said in a schema (a template without circles,
numbers that 64 bits hold, names without NUL)."""
_ATTEMPTS = frozenset({"coverage", "fuzzing"})
"""Phases that call every operation."""


class Quiet(WSGIRequestHandler):
    """Keeps connections open and writes no lines."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """The address of the API of a service that was never used; it works whenever somebody looks at an execution."""
    worker = HandWorker()
    healthy = Health(dict.fromkeys(("mongodb", "redis"), lambda: None))
    application = replace(a_real_service(SECRET, worker), health=healthy)
    app = create_app(application, Streams(patience=timedelta(), pace=timedelta()))

    @app.teardown_request
    def work(_: BaseException | None) -> None:
        if request.endpoint == "executions.SingleExecution":
            worker.work(application)

    with make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api/openapi.json"
        server.shutdown()
        thread.join()


def test_every_answer_is_what_the_document_says(url: str, app: Flask) -> None:
    token = issue_token(SECRET, "ada", "admin", "acme", timedelta(hours=1))
    found, tried = _run(url, {"Authorization": f"Bearer {token}"}, EXAMPLES)
    assert found == []
    assert tried["stateful"] and all(tried[phase] >= _operations(app) for phase in _ATTEMPTS)


def test_a_stranger_gets_what_the_document_says_too(url: str, app: Flask) -> None:
    found, tried = _run(url, {}, 3, stateful={"enabled": False}, coverage={"enabled": False})
    assert found == []
    assert tried["fuzzing"] >= _operations(app)


def _run(url: str, headers: Mapping[str, str], examples: int, **phases: Any) -> tuple[list[str], dict[str, int]]:
    """Return what is wrong with the answers, and how many scenarios each phase had."""
    config = SchemathesisConfig.from_dict({
        "seed": 1, "headers": headers, "phases": phases,
        "generation": {"max-examples": examples, "deterministic": True, "database": "none"},
        "checks": {"positive_data_acceptance": {"expected-statuses": _BEYOND_THE_SCHEMA}}})
    found: list[str] = []
    tried: dict[str, int] = {}
    for event in from_schema(schemathesis.openapi.from_url(url, config=config)).execute():
        if isinstance(event, events.NonFatalError):
            found.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            found.append(repr(event.exception))
        elif isinstance(event, events.ScenarioFinished):
            tried[event.phase.value] = tried.get(event.phase.value, 0) + 1
            found += _failures(event.recorder)
    return found, tried


def _failures(recorder: ScenarioRecorder) -> Iterator[str]:
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.status is Status.FAILURE and check.failure_info is not None:
                yield f"{check.name}: {check.failure_info.failure.message}\n{check.failure_info.code_sample}"


def _operations(app: Flask) -> int:
    return sum(len((rule.methods or set()) - {"HEAD", "OPTIONS"}) for rule in app.url_map.iter_rules()
               if rule.rule.startswith("/api/v1"))
