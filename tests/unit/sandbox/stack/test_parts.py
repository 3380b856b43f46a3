"""What the stack is made of."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sandbox.stack.directory import StackDirectory
from sandbox.stack.part import Part
from sandbox.stack.parts import Plan, plan
from workflow_service.config import load_settings

PORT = 8080
SERVERS = {"REDIS_URL": "valkey", "MONGODB_URL": "mongodb", "AGENT_SERVICE_URL": "agent-service",
           "STATE_SERVICE_URL": "state-service"}
ADDRESSES = {"REDIS_URL": "redis://there:1/0", "MONGODB_URL": "mongodb://there:1/w",
             "AGENT_SERVICE_URL": "http://there:1", "STATE_SERVICE_URL": "http://there:2"}
APPLICATION = ("migrations", "web", "worker-blocks", "worker-control", "beat", "flower")


def _parts(planned: Plan) -> Mapping[str, Part]:
    return {part.name: part for part in planned.parts}


def test_everything_is_there(directory: StackDirectory) -> None:
    assert set(_parts(plan(directory, {}, PORT))) == {*SERVERS.values(), *APPLICATION}


@pytest.mark.parametrize("variable", SERVERS)
def test_an_address_in_the_environment_replaces_the_embedded_part(directory: StackDirectory, variable: str) -> None:
    planned = plan(directory, {variable: ADDRESSES[variable]}, PORT)
    parts = _parts(planned)
    assert SERVERS[variable] not in parts
    assert parts["web"].environment[variable] == ADDRESSES[variable]
    assert all(part.needs <= parts.keys() for part in planned.parts)


def test_an_empty_address_is_none(directory: StackDirectory) -> None:
    assert "valkey" in _parts(plan(directory, {"REDIS_URL": ""}, PORT))


def test_a_broker_of_its_own_leaves_the_cache(directory: StackDirectory) -> None:
    parts = _parts(plan(directory, {"CELERY_BROKER_URL": "amqp://there//"}, PORT))
    assert "valkey" in parts
    assert parts["worker-blocks"].environment["CELERY_BROKER_URL"] == "amqp://there//"


@pytest.mark.parametrize("name", APPLICATION)
def test_the_service_accepts_its_settings(directory: StackDirectory, name: str) -> None:
    settings = load_settings(_parts(plan(directory, {}, PORT))[name].environment)
    assert settings.security.jwt_secret == directory.secret()
    assert settings.workflow.lease.total_seconds() == 5
    assert settings.workflow.sweep_interval.total_seconds() == 1


def test_a_setting_of_the_environment_wins(directory: StackDirectory) -> None:
    parts = _parts(plan(directory, {"WORKFLOW_LEASE_MS": "9000", "JWT_SECRET": "mine"}, PORT))
    assert parts["web"].environment["WORKFLOW_LEASE_MS"] == "9000"
    assert parts["web"].environment["JWT_SECRET"] == "mine"


def test_the_database_is_migrated_before_anybody_uses_it(directory: StackDirectory) -> None:
    parts = _parts(plan(directory, {}, PORT))
    assert all("migrations" in parts[name].needs for name in APPLICATION if name != "migrations")
    assert parts["migrations"].needs == {"mongodb"} and parts["migrations"].runs_once


def test_no_secret_is_on_a_command_line(directory: StackDirectory) -> None:
    planned = plan(directory, {}, PORT)
    secrets = {directory.secret(), directory.private_text(directory.flower_password_file)}
    assert not [part.name for part in planned.parts for word in part.argv for secret in secrets if str(secret) in word]


def test_no_server_gets_the_secret(directory: StackDirectory) -> None:
    parts = _parts(plan(directory, {}, PORT))
    assert not [name for name in SERVERS.values() if "JWT_SECRET" in parts[name].environment]


def test_all_listen_on_this_machine_alone(directory: StackDirectory) -> None:
    parts = _parts(plan(directory, {}, PORT))
    listening = [*SERVERS.values(), "web", "flower"]
    assert not [name for name in listening if "127.0.0.1" not in " ".join(parts[name].argv)]


def test_two_plans_share_no_port(directory: StackDirectory) -> None:
    first, second = plan(directory, {}, PORT), plan(directory, {}, PORT)
    assert first.flower_port != second.flower_port
    assert _parts(first)["web"].environment["REDIS_URL"] != _parts(second)["web"].environment["REDIS_URL"]
