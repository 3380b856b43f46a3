"""How the API is served."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ADDRESSES = {
    "MONGODB_URL": "mongodb://127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0",
    "LLM_SERVICE_URL": "http://127.0.0.1:1", "AGENT_SERVICE_URL": "http://127.0.0.1:1",
    "STATE_SERVICE_URL": "http://127.0.0.1:1"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses where nothing is."""
    for name, value in ADDRESSES.items():
        monkeypatch.setenv(name, value)


def _settings() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "web" / "gunicorn.py"))


@pytest.mark.parametrize(("host", "port", "bind"), [
    ("127.0.0.1", "9000", "127.0.0.1:9000"), ("0.0.0.0", "80", "0.0.0.0:80"), ("::", "8080", "[::]:8080")])
def test_it_listens_where_the_settings_say(monkeypatch: pytest.MonkeyPatch, host: str, port: str, bind: str) -> None:
    monkeypatch.setenv("SERVER_HOST", host)
    monkeypatch.setenv("PORT", port)
    assert _settings()["bind"] == bind


def test_each_worker_builds_the_service_for_itself() -> None:
    settings = _settings()
    assert (settings["worker_class"], settings["preload_app"]) == ("gthread", False)


def test_the_process_can_be_built_while_nothing_else_runs() -> None:
    command = [sys.executable, "-m", "gunicorn", "--check-config", "-c", "web/gunicorn.py", "web.wsgi:app"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
