"""How the API is served."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
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
    assert (settings["worker_class"], settings["preload_app"]) == ("web.worker.Worker", False)


def test_the_process_can_be_built_while_nothing_else_runs() -> None:
    command = [sys.executable, "-m", "gunicorn", "--check-config", "-c", "web/gunicorn.py", "web.wsgi:app"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_workers_share_a_folder_of_metrics_that_goes_when_they_do(monkeypatch: pytest.MonkeyPatch,
                                                                  tmp_path: Path) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    settings = _settings()
    settings["on_starting"](None)
    (folder,) = tmp_path.iterdir()
    assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == str(folder)
    for name in ("counter_7.db", "gauge_livemax_7.db", "gauge_livemax_77.db"):
        (folder / name).touch()
    settings["child_exit"](None, SimpleNamespace(pid=7))
    assert sorted(path.name for path in folder.iterdir()) == ["counter_7.db", "gauge_livemax_77.db"]
    settings["on_exit"](None)
    assert not list(tmp_path.iterdir())


def test_a_folder_of_metrics_that_is_given_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    settings = _settings()
    settings["on_starting"](None)
    settings["on_exit"](None)
    assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == str(tmp_path) and tmp_path.is_dir()
