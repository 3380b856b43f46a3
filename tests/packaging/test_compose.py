"""What is deployed agrees with the code: services, commands, settings, probes. No engine is needed to see that."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks import names
from workflow_service.config import describe

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "agentic-workflow-service"}
SETTINGS = {setting.name for setting in describe()}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
GIVEN = {"AGENT_SERVICE_URL": "http://agents", "STATE_SERVICE_URL": "http://state", "JWT_SECRET": "s" * 32,
         "FLOWER_BASIC_AUTH": "name:password"}


def compose(*arguments: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run Docker Compose, which needs no engine for this; skip the calling test if it is not installed."""
    candidates = [["docker-compose"], ["docker", "compose"]]
    for command in candidates:
        if shutil.which(command[0]) and _ends_well([*command, "version"]):
            return subprocess.run([*command, *arguments], cwd=ROOT, text=True, timeout=60, env=environ,
                                  capture_output=True, check=False)
    pytest.skip("Docker Compose is not installed")


def _ends_well(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def test_everything_is_there() -> None:
    assert set(OURS) == {"migrations", "web", "worker", "control", "inbound", "beat", "flower"}
    assert set(SERVICES) - set(OURS) == {"mongo", "redis", "rabbitmq"}
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["rabbitmq"]


@pytest.mark.parametrize("name", OURS)
def test_each_variable_is_a_setting(name: str) -> None:
    assert set(OURS[name]["environment"]) - {"FLOWER_BASIC_AUTH"} <= SETTINGS
    assert OURS[name]["environment"]["WORKFLOW_ENVIRONMENT"] == "production"


@pytest.mark.parametrize("name", OURS)
def test_each_process_may_do_no_more_than_it_needs(name: str) -> None:
    service = OURS[name]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", sorted(set(OURS) - {"migrations"}))
def test_nothing_runs_before_the_migrations(name: str) -> None:
    assert OURS[name]["depends_on"]["migrations"]["condition"] == "service_completed_successfully"


def test_each_queue_has_a_worker_and_each_worker_is_asked_by_its_name() -> None:
    served = {name: OURS[name]["command"][OURS[name]["command"].index("-Q") + 1] for name in ("worker", "control")}
    assert served == {"worker": names.BLOCKS, "control": names.CONTROL}
    for name, queue in served.items():
        assert OURS[name]["healthcheck"]["test"] == ["CMD", "python", "-m", "tasks.healthcheck", queue]
        assert f"{queue}@%h" in OURS[name]["command"]


def test_a_worker_has_the_time_that_it_takes_to_end() -> None:
    grace_ms = next(int(setting.default) for setting in describe() if setting.name == "WORKFLOW_STOP_GRACE_MS")
    for name in ("worker", "control"):
        assert seconds(OURS[name]["stop_grace_period"]) * 1000 > grace_ms


def test_what_people_reach_is_protected() -> None:
    assert OURS["flower"]["environment"]["FLOWER_BASIC_AUTH"].startswith("${FLOWER_BASIC_AUTH:?")
    assert all(port.startswith("127.0.0.1:") for port in OURS["flower"]["ports"])
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["web", "flower"]
    assert "noeviction" in SERVICES["redis"]["command"]


def test_the_processes_are_those_of_the_procfile() -> None:
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines())
    assert set(lines) == {"release", "web", "worker", "control", "inbound", "beat", "flower"}
    for name in ("worker", "control", "inbound"):
        first, *command = shlex.split(lines[name])
        assert first == f"METRICS_PORT=${{{name.upper()}_METRICS_PORT:-$METRICS_PORT}}"
        assert command == OURS[name]["command"]
    assert shlex.split(lines["web"])[1:] == shlex.split(DOCKERFILE.partition('CMD ["gunicorn", ')[2].translate(
        str.maketrans("", "", '",]')))
    assert lines["flower"].startswith(': "${FLOWER_BASIC_AUTH:?')


@pytest.mark.parametrize("name", ["worker", "control", "inbound"])
def test_metrics_without_a_token_are_only_for_the_network_of_the_stack(name: str) -> None:
    environment, port = OURS[name]["environment"], OURS[name]["environment"]["METRICS_PORT"]
    assert environment["METRICS_HOST"] == "0.0.0.0" and OURS[name]["expose"] == [str(port)]
    assert "ports" not in OURS[name]
    assert f'"{name}:{port}"' in (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")


def test_each_module_that_is_run_exists() -> None:
    text = DOCKERFILE + (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    modules = set(re.findall(r'"-m", "([\w.]+)"', text)) | {"web.gunicorn", "web.wsgi", "tasks.app"}
    assert {"web.healthcheck", "tasks.healthcheck", "inbound", "migrations"} <= modules
    assert [module for module in modules if find_spec(module) is None] == []


def test_the_image_is_built_from_files_that_exist_and_runs_as_nobody_special() -> None:
    copied = [line for line in DOCKERFILE.splitlines() if line.startswith("COPY ") and "--from" not in line]
    files = [name for line in copied for name in line.split()[1:-1]]
    allowed = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()}
    assert files and all((ROOT / name).exists() and name in allowed for name in files)
    assert "USER 10001:10001" in DOCKERFILE and DOCKERFILE.count("FROM ") == 2 and "HEALTHCHECK" in DOCKERFILE


@pytest.mark.parametrize("profile", [[], ["--profile", "rabbitmq"]])
def test_compose_itself_accepts_it(profile: list[str]) -> None:
    run = compose(*profile, "config", "--quiet", environ={**os.environ, **GIVEN})
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("missing", GIVEN)
def test_compose_asks_for_what_must_be_given(missing: str) -> None:
    given = {name: value for name, value in {**os.environ, **GIVEN}.items() if name != missing}
    run = compose("config", "--quiet", environ=given)
    assert run.returncode != 0 and missing in run.stderr


def test_the_dockerfile_has_no_lint() -> None:
    run = subprocess.run([Path(sys.executable).with_name("hadolint"), "Dockerfile"], cwd=ROOT, text=True, timeout=60,
                         capture_output=True, check=False)
    assert (run.returncode, run.stdout) == (0, "")
