"""The Agent Service over HTTP. Its contract is ``docs/contracts/agent-service.yaml``."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from workflow_service.domain.agents import Agent, AgentAnswer, AgentCall, Failure, FailureClass
from workflow_service.domain.errors import Unavailable
from workflow_service.integrations import json_text
from workflow_service.integrations.agent_answers import BAD_ANSWER, UnusableRegistry, agents_of, answer_of, failure_of
from workflow_service.integrations.cached import Cached
from workflow_service.integrations.http import JsonClient
from workflow_service.integrations.http_errors import CallFailed, Refused

_LOG = logging.getLogger(__name__)
_PATIENCE = timedelta(seconds=8)
"""For everything but work itself: others wait behind it. Stopping a call may take the agent five seconds."""
_ENDED = ("cancelled", "completed", "failed")


class HttpAgentService:
    """Implements ``ports.AgentService``."""

    def __init__(self, client: JsonClient, *, registry_ttl: timedelta = timedelta(seconds=5),
                 grace: timedelta = timedelta(seconds=1), now: Callable[[], float] = time.monotonic) -> None:
        """Take the connection.

        Args:
            client: of the Agent Service; every call has a time-out of its own.
            registry_ttl: how long this process believes what it knows of the agents.
            grace: how much longer than the agent may work we wait for its answer, so that the agent's own "too late"
                arrives.
            now: the seconds of a clock that never goes back.
        """
        self._client = client
        self._grace = grace
        self._registry = Cached(self.fetch_agents, ttl=registry_ttl, now=now)

    def agents(self) -> Sequence[Agent]:
        """Return the registry, at most ``registry_ttl`` old; entries that break the contract are left out."""
        return self._registry.get()

    def fetch_agents(self) -> tuple[Agent, ...]:
        """Return the registry as it is now; entries that break the contract are left out. Raises errors.Unavailable."""
        try:
            agents, wrong = agents_of(self._client.call("GET", "/agents", timeout=_PATIENCE).body)
        except (CallFailed, UnusableRegistry) as error:
            raise Unavailable("The Agent Service") from error
        if wrong:
            _LOG.warning("%d agents of the registry break the contract and are left out", wrong)
        return agents

    def run(self, call: AgentCall) -> AgentAnswer:
        """Let an agent do a block."""
        try:
            content = json_text.encode({
                "workspaceId": call.workspace_id, "executionId": call.execution_id, "blockId": call.block_id,
                "toolType": call.tool_type, "input": call.input,
                "timeoutMs": max(call.timeout // timedelta(milliseconds=1), 1)})
        except ValueError as error:
            return Failure(code="invalid_input", failure_class=FailureClass.CONFIGURATION,
                           message=f"The input can't be sent: {error}.")
        try:
            answer = self._client.call(
                "POST", f"/agents/{quote(call.agent_id, safe='')}/executions", content=content,
                idempotency_key=call.idempotency_key, correlation_id=call.execution_id,
                timeout=call.timeout + self._grace)
        except CallFailed as error:
            return failure_of(error)
        return answer_of(answer.body, call.idempotency_key)

    def result(self, agent_id: str, idempotency_key: str) -> AgentAnswer:
        """Ask for the result of a call that was accepted.

        Raises:
            Unavailable: the service does not say how it stands with this key; it may still be at work.
        """
        try:
            body = self._client.call("GET", _path(agent_id, idempotency_key), timeout=_PATIENCE).body
        except CallFailed as error:
            if _is_not_found(error) and failure_of(error).code == "execution_not_found":
                return Failure(code="execution_lost", failure_class=FailureClass.TRANSIENT,
                               message="The agent took the work and knows nothing of it any more.")
            raise Unavailable("The Agent Service") from error
        answer = answer_of(body, idempotency_key)
        if isinstance(answer, Failure) and answer.code == BAD_ANSWER and not _says_that_it_failed(body):
            raise Unavailable("The Agent Service")
        return answer

    def stop(self, agent_id: str, idempotency_key: str) -> bool:
        """Stop a call, or see to it that it never starts; True only when the service says that it has ended.

        An agent that the service does not have any more runs nothing and takes no call.
        """
        try:
            body = self._client.call("DELETE", _path(agent_id, idempotency_key), timeout=_PATIENCE).body
        except CallFailed as error:
            if _is_not_found(error) and failure_of(error).code == "agent_not_found":
                return True
            _LOG.warning("The call %s could not be stopped: %s", idempotency_key, error)
            return False
        return isinstance(body, dict) and body.get("id") == idempotency_key and body.get("status") in _ENDED


def _is_not_found(error: CallFailed) -> bool:
    return isinstance(error, Refused) and error.status == HTTPStatus.NOT_FOUND


def _says_that_it_failed(body: Any) -> bool:
    """Say whether the bad answer is the agent's own failure, and not ours to make sense of what it says."""
    error = body.get("error") if isinstance(body, dict) and body.get("status") == "failed" else None
    return isinstance(error, dict) and error.get("code") == BAD_ANSWER


def _path(agent_id: str, idempotency_key: str) -> str:
    return f"/agents/{quote(agent_id, safe='')}/executions/{quote(idempotency_key, safe='')}"
