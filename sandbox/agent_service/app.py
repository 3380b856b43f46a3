"""The HTTP side of the Agent Service: turns requests into calls of ``Executions`` and answers into JSON."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO, cast

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import PathConverter

from sandbox.agent_service.config import AgentServiceConfig
from sandbox.agent_service.errors import AgentServiceError, InvalidRequest
from sandbox.agent_service.execution_request import parse_execution_request
from sandbox.agent_service.executions import Executions
from sandbox.agent_service.instance_lock import lock_directory
from sandbox.agent_service.journal import Journal, Run
from sandbox.agent_service.reference_policy import PolicyCalls, policy_routes
from sandbox.agent_service.registry import Registry, load_registry
from sandbox.agent_service.strict_json import parse_json
from sandbox.agent_service.tools.api import ApiTool
from sandbox.agent_service.tools.base import Tool
from sandbox.agent_service.tools.echo import EchoTool
from sandbox.agent_service.tools.mcp import McpTool
from sandbox.agent_service.tools.script import ScriptTool
from sandbox.agent_service.tools.use_case import UseCaseTool

_LOG = logging.getLogger(__name__)
_EXTENSION = "agent_service"
_LARGEST_REQUEST = 16 * 1024 * 1024
_LOCK_SECONDS = 15.0

routes = Blueprint("agents", __name__)


class KeyConverter(PathConverter):
    """Takes the rest of a path as a key, whatever slashes were encoded in it."""

    regex = ".+"
    part_isolating = False


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the views need; one for each app."""

    registry: Registry
    executions: Executions
    journal: Journal
    lock: BinaryIO

    def close(self) -> None:
        """Stop the work, then close the files."""
        self.executions.close()
        self.journal.close()
        self.lock.close()


def create_app(config: AgentServiceConfig) -> Flask:
    """Return the service as a WSGI application.

    Raises:
        RegistryError: the registry file is wrong.
        DirectoryInUse: another service uses the database directory.
    """
    registry = load_registry(config.registry)
    lock = lock_directory(config.database_directory, _LOCK_SECONDS)
    journal = Journal(config.database_directory / "journal.sqlite")
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_REQUEST
    app.url_map.merge_slashes = False
    app.url_map.converters["key"] = KeyConverter
    app.extensions[_EXTENSION] = Services(
        registry=registry, executions=Executions(journal, _tools(config), config), journal=journal, lock=lock)
    app.register_blueprint(routes)
    app.register_blueprint(policy_routes(PolicyCalls(config.database_directory / "policy.sqlite")))
    app.register_error_handler(AgentServiceError, _service_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected_error)
    return app


def services_of(app: Flask) -> Services:
    """Return what an app was made of, to close it."""
    return cast(Services, app.extensions[_EXTENSION])


@routes.get("/health")
def health() -> Response:
    """Say that the service is there."""
    return jsonify(status="ok")


@routes.get("/agents")
def list_agents() -> Response:
    """List the agents that pass the filter."""
    found = _services().registry.find(
        capability=request.args.get("capability"), tool_type=request.args.get("toolType"),
        status=request.args.get("status"))
    return jsonify(agents=[agent.to_json() for agent in found])


@routes.get("/agents/<agent_id>")
def show_agent(agent_id: str) -> Response:
    """Show one agent."""
    return jsonify(_services().registry.agent(agent_id).to_json())


@routes.post("/agents/<agent_id>/executions")
def start_execution(agent_id: str) -> tuple[Response, int]:
    """Do work, or answer again what was done."""
    agent = _services().registry.agent(agent_id)
    wanted = parse_execution_request(request.headers.get("Idempotency-Key"), _json_body())
    answer = _services().executions.start(agent, wanted)
    if answer.output is None:
        return jsonify(id=answer.key, status="running", retryAfterMs=_milliseconds(agent.poll_interval)), 202
    response = jsonify(id=answer.key, status="completed", output=answer.output, usage=answer.usage)
    if answer.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response, 200


@routes.get("/agents/<agent_id>/executions/<key:key>")
def show_execution(agent_id: str, key: str) -> Response:
    """Show what became of the work under a key."""
    agent = _services().registry.agent(agent_id)
    run = _services().executions.find(agent, key)
    body = {"id": key, "status": run.status, "output": run.output, "usage": run.usage, "error": run.error,
            "retryAfterMs": _milliseconds(agent.poll_interval) if run.status == "running" else None}
    return jsonify({name: value for name, value in body.items() if value is not None})


@routes.delete("/agents/<agent_id>/executions/<key:key>")
def cancel_execution(agent_id: str, key: str) -> Response:
    """Stop the work under a key and refuse later work under it."""
    agent = _services().registry.agent(agent_id)
    return jsonify(id=key, status=_services().executions.cancel(agent, key))


@routes.get("/effects")
def list_effects() -> Response:
    """List how often work was really done."""
    runs = _services().executions.effects(request.args.get("executionId"))
    return jsonify(effects=[_effect(run) for run in runs])


def _tools(config: AgentServiceConfig) -> dict[str, Tool]:
    return {
        "echo": EchoTool(), "api": ApiTool(), "mcp": McpTool(), "use_case": UseCaseTool(config.llm_service_url),
        "script": ScriptTool(scratch_directory=config.database_directory / "scratch",
                             workspace_directory=config.workspace_directory),
    }


def _services() -> Services:
    return services_of(current_app)


def _json_body() -> Any:
    try:
        return parse_json(request.get_data())
    except ValueError as error:
        raise InvalidRequest("The body is not JSON.") from error


def _effect(run: Run) -> dict[str, Any]:
    return {"key": run.key, "agentId": run.agent_id, "executionId": run.execution_id, "blockId": run.block_id,
            "startedAt": run.started_at, "endedAt": run.ended_at, "status": run.status}


def _service_error(error: AgentServiceError) -> tuple[Response, int]:
    return jsonify(error.body()), error.status


def _http_error(error: HTTPException) -> tuple[Response, int]:
    """Answer what Flask itself refuses: unknown paths, wrong methods, bodies that are too large."""
    body = InvalidRequest(error.description or error.name).body()
    return jsonify(body), error.code or 500


def _unexpected_error(error: Exception) -> tuple[Response, int]:
    _LOG.error("Request failed", exc_info=error)
    return _service_error(AgentServiceError("The Agent Service failed."))


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
