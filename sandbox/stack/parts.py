"""The parts of the development stack.

An address in the environment replaces the embedded part that would be there. What the application processes need to
know is told to them in their environment, like anywhere else.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sandbox.servers.mongodb import DURABLE, mongodb_answers, mongodb_command, mongodb_url
from sandbox.servers.ports import free_port
from sandbox.servers.reference import reference_command, reference_url
from sandbox.servers.valkey import valkey_answers, valkey_command, valkey_url
from sandbox.stack.directory import StackDirectory
from sandbox.stack.part import Part
from sandbox.stack.probes import HOST, answers, says

FLOWER_USER = "developer"
"""The name that Flower asks for."""
DEVELOPMENT = {
    # a lost worker is noticed soon, so that one can watch it
    "WORKFLOW_LEASE_MS": "5000",
    "WORKFLOW_SWEEP_INTERVAL_MS": "1000",
    # one process answers a developer well, and starts sooner
    "WEB_CONCURRENCY": "1",
    # the setting is required; nothing listens there, as the stack has no language model of its own
    "LLM_SERVICE_URL": f"http://{HOST}:9",
}
"""Settings of the stack where the environment has none."""
_GRACE = timedelta(seconds=8)
"""For workers that are told to end: what they can't end in time they hand back."""
_SERVERS = frozenset({"valkey", "mongodb", "agent-service", "state-service"})


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """A server of the stack, and the address that it stands for."""

    part: Part
    variable: str
    """The setting that names its address."""
    url: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to run, and where it will be found."""

    parts: Sequence[Part]
    port: int
    flower_port: int
    agent_service_url: str


def plan(directory: StackDirectory, environ: Mapping[str, str], port: int) -> Plan:
    """Return the parts of a stack.

    Args:
        directory: where they keep their files.
        environ: the environment; addresses in it replace parts, settings in it win.
        port: of the API.

    Raises:
        ServerNotInstalled: an embedded server is not there.
    """
    makers = {"REDIS_URL": _valkey, "MONGODB_URL": _mongodb, "AGENT_SERVICE_URL": _agent_service,
              "STATE_SERVICE_URL": _state_service}
    servers = [make(directory) for variable, make in makers.items() if not environ.get(variable)]
    given = {name: value for name, value in environ.items() if value}
    settings = {**DEVELOPMENT, "JWT_SECRET": directory.private_text(directory.secret_file),
                **{server.variable: server.url for server in servers}, **given}
    flower_port = free_port()
    application = [_migrations(), _web(port), _worker("blocks", 8), _worker("control", 2), _beat(),
                   _flower(directory, flower_port)]
    here = frozenset(server.part.name for server in servers)
    return Plan(
        parts=[*(server.part for server in servers), *(_completed(part, settings, here) for part in application)],
        port=port, flower_port=flower_port, agent_service_url=settings["AGENT_SERVICE_URL"])


def _completed(part: Part, settings: Mapping[str, str], servers: frozenset[str]) -> Part:
    """Return an application part with all settings, needing only servers that are parts."""
    return Part(name=part.name, argv=part.argv, environment={**settings, **part.environment},
                is_ready=part.is_ready, needs=(part.needs - _SERVERS) | (part.needs & servers),
                runs_once=part.runs_once, stop_within=part.stop_within)


def _valkey(directory: StackDirectory) -> Embedded:
    port = free_port()
    part = Part(name="valkey", argv=valkey_command(port, directory.store("valkey")),
                is_ready=lambda _: valkey_answers(port))
    return Embedded(part=part, variable="REDIS_URL", url=valkey_url(port))


def _mongodb(directory: StackDirectory) -> Embedded:
    port = free_port()
    part = Part(name="mongodb", argv=mongodb_command(port, directory.store("mongodb")), environment=DURABLE,
                is_ready=lambda _: mongodb_answers(port))
    return Embedded(part=part, variable="MONGODB_URL", url=mongodb_url(port))


def _agent_service(directory: StackDirectory) -> Embedded:
    port = free_port()
    part = Part(name="agent-service", argv=reference_command("sandbox.agent_service", port),
                environment={"AGENT_SERVICE_DATA": str(directory.store("agent-service")),
                             "AGENT_WORKSPACE_DIR": str(directory.workspace)},
                is_ready=answers(port, "/health"))
    return Embedded(part=part, variable="AGENT_SERVICE_URL", url=reference_url(port))


def _state_service(directory: StackDirectory) -> Embedded:
    port = free_port()
    part = Part(name="state-service", argv=reference_command("sandbox.state_service", port),
                environment={"STATE_SERVICE_DATA": str(directory.store("state-service"))},
                is_ready=answers(port, "/health"))
    return Embedded(part=part, variable="STATE_SERVICE_URL", url=reference_url(port))


def _migrations() -> Part:
    return Part(name="migrations", argv=[sys.executable, "-m", "migrations"], needs=frozenset({"mongodb"}),
                runs_once=True)


def _web(port: int) -> Part:
    return Part(name="web", needs=_SERVERS | {"migrations"}, is_ready=answers(port, "/ready"),
                argv=[sys.executable, "-m", "gunicorn", "--config", "python:web.gunicorn", "--bind", f"{HOST}:{port}",
                      "web.wsgi:app"])


def _worker(queue: str, threads: int) -> Part:
    return Part(name=f"worker-{queue}", needs=_SERVERS | {"migrations"}, is_ready=says(" ready."),
                environment={"WORKFLOW_STOP_GRACE_MS": str(_GRACE // timedelta(milliseconds=1))},
                stop_within=_GRACE + timedelta(seconds=2),
                argv=_celery("worker", "--queues", queue, "--pool", "threads", "--concurrency", str(threads),
                             "--hostname", f"{queue}@%h", "--without-gossip", "--without-mingle"))


def _beat() -> Part:
    return Part(name="beat", needs=frozenset({"valkey", "migrations"}), is_ready=says("beat: Starting"),
                argv=_celery("beat", "--scheduler", "celery.beat:Scheduler", "--pidfile="))


def _flower(directory: StackDirectory, port: int) -> Part:
    password = directory.private_text(directory.flower_password_file)
    return Part(name="flower", needs=frozenset({"valkey", "migrations"}), is_ready=answers(port, "/healthcheck"),
                # in the environment, because everybody can read a command line
                environment={"FLOWER_BASIC_AUTH": f"{FLOWER_USER}:{password}"},
                argv=_celery("flower", f"--address={HOST}", f"--port={port}", "--max-tasks=5000"))


def _celery(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "--app", "tasks.app", *arguments]
