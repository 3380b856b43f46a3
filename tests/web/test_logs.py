"""Logs are JSON, tied to their request, and hold no secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.web.checked_client import CheckedClient
from tests.web.conftest import SignedHeaders
from workflow_service.logs import REDACTED, redact

ROOT = Path(__file__).parents[2]
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize("event", [
    {"Authorization": "Bearer abc"},
    {"password": "hunter2"}, {"passwd": "hunter2"}, {"db_password": "hunter2"},
    {"token": "abc"}, {"access_token": "abc"}, {"refreshToken": "abc"},
    {"secret": "abc"}, {"jwt_secret": "abc"}, {"client-secret": "abc"},
    {"api_key": "abc"}, {"apiKey": "abc"}, {"X-API-Key": "abc"}, {"private_key": "abc"}, {"Set-Cookie": "abc"},
])
def test_values_of_telling_keys_are_redacted(event: dict[str, str]) -> None:
    assert list(redact(None, "info", dict(event)).values()) == [REDACTED]
    assert redact(None, "info", {"headers": [event]}) == {"headers": [dict.fromkeys(event, REDACTED)]}


@pytest.mark.parametrize(("text", "clean"), [
    ("can't reach mongodb://root:hunter2@db:27017/x", f"can't reach mongodb://{REDACTED}@db:27017/x"),
    ("redis://:hunter2@cache/0", f"redis://{REDACTED}@cache/0"),
    ("sent Authorization: Bearer abc.def-1", f"sent Authorization: Bearer {REDACTED}"),
    (f"token {TOKEN} refused", f"token {REDACTED} refused"),
])
def test_secrets_within_texts_are_redacted(text: str, clean: str) -> None:
    assert redact(None, "info", {"event": text, "nested": {"list": [text]}}) == {
        "event": clean, "nested": {"list": [clean]}}


@pytest.mark.parametrize("event", [
    {"tokens": 17}, {"block_id": "a"}, {"max_tokens": 5}, {"url": "http://agents:8080/x"}, {"at": 1.5}, {"none": None},
    {"secret": None}])
def test_the_rest_stays(event: dict[str, Any]) -> None:
    assert redact(None, "info", dict(event)) == event


def test_each_request_has_its_line(client: CheckedClient, signed: SignedHeaders) -> None:
    with capture_logs() as logs:
        client.get("/api/v1/templates?search=private", headers=signed("viewer"))
    line = next(line for line in logs if line["event"] == "request_answered"
                and line["path"] == "/api/v1/templates")
    assert (line["method"], line["status"]) == ("GET", 200)
    assert line["duration_ms"] >= 0
    assert "private" not in str(logs)


def test_a_refusal_is_logged(client: CheckedClient, signed: SignedHeaders) -> None:
    with capture_logs() as logs:
        client.post("/api/v1/templates", json={}, headers=signed("viewer"))
    assert {"event": "request_refused", "permission": "templates:write", "log_level": "warning"} in logs


def test_a_process_writes_one_json_object_a_line() -> None:
    program = """
import logging, structlog
from workflow_service.logs import configure_logging
configure_logging("INFO")
structlog.contextvars.bind_contextvars(request_id="r1", user="ada")
structlog.get_logger("ours").info("block_started", block="a", token="t0p")
structlog.get_logger("ours").debug("unseen")
logging.getLogger("theirs").warning(
    "connecting to %s", "redis://:hunter2@cache/0",
    extra={"execution_id": "e1", "password": "hunter2", "more": {"url": "redis://:hunter2@cache/0", "tries": 2}})
try:
    raise RuntimeError("redis://:hunter2@cache/0")
except RuntimeError:
    structlog.get_logger("ours").exception("crashed")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True,
                          cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.stderr == ""
    assert [line["event"] for line in lines] == [
        "block_started", f"connecting to redis://{REDACTED}@cache/0", "crashed"]
    assert all(line["request_id"] == "r1" and line["user"] == "ada" and line["timestamp"].endswith("Z")
               for line in lines)
    assert [(line["level"], line["logger"]) for line in lines] == [
        ("info", "ours"), ("warning", "theirs"), ("error", "ours")]
    assert lines[0]["token"] == REDACTED
    assert (lines[1]["execution_id"], lines[1]["password"]) == ("e1", REDACTED)
    assert lines[1]["more"] == {"url": f"redis://{REDACTED}@cache/0", "tries": 2}
    assert "RuntimeError" in lines[2]["exception"] and "hunter2" not in done.stdout


def test_nothing_is_configured_by_an_import() -> None:
    program = "import logging, structlog, web.app; print(logging.root.handlers, structlog.is_configured())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True,
                          cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.stdout.strip() == "[] False"
