"""What the Agent Service's answers mean: every one of them, however wrong, becomes a value of the domain."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from workflow_service.domain.agents import Accepted, Agent, AgentAnswer, Completed, Failure, FailureClass
from workflow_service.integrations.http_errors import BadAnswer, CallFailed, Refused, TimedOut, Unsendable

DEFAULT_PAUSE = timedelta(seconds=1)
"""When to ask again if the service doesn't say."""
BAD_ANSWER = "bad_answer"
"""The code of an answer that is none by the contract."""
LONGEST_PAUSE = timedelta(days=1)
_LONGEST_CODE = 128
_LONGEST_MESSAGE = 2000
_WAIT_AND_SEE = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class UnusableRegistry(Exception):
    """Raised when the list of agents is not one."""


def agents_of(body: Any) -> tuple[tuple[Agent, ...], int]:
    """Return the agents of a registry, and how many entries were left out because they are wrong.

    Raises:
        UnusableRegistry: it is no list of agents at all.
    """
    entries = body.get("agents") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        raise UnusableRegistry("it has no list 'agents'")
    agents = [_agent(entry) for entry in entries]
    return tuple(agent for agent in agents if agent is not None), agents.count(None)


def answer_of(body: Any, key: str) -> AgentAnswer:
    """Return what a good HTTP answer to a call, or to the question for its result, says.

    Args:
        key: the idempotency key of the call, which must be the answer's id.
    """
    if not isinstance(body, dict) or body.get("id") != key:
        return bad_answer("The agent's answer does not belong to the call.")
    if body.get("status") == "completed":
        return _completed(body)
    if body.get("status") == "running":
        return _accepted(body)
    if body.get("status") == "failed":
        return _failed(body)
    if body.get("status") == "cancelled":
        return Failure(code="cancelled", failure_class=FailureClass.CRITICAL, message="The call was cancelled.")
    return bad_answer("The agent's answer has no status that is known.")


def failure_of(error: CallFailed) -> Failure:
    """Return the failure that an unsuccessful HTTP call is."""
    if isinstance(error, Refused):
        return _refusal(error)
    if isinstance(error, BadAnswer):
        return bad_answer(str(error))
    if isinstance(error, Unsendable):
        return Failure(code="invalid_input", failure_class=FailureClass.CONFIGURATION, message=str(error))
    code = "agent_timed_out" if isinstance(error, TimedOut) else "agent_service_unreachable"
    return Failure(code=code, failure_class=FailureClass.TRANSIENT, message=str(error))


def bad_answer(message: str) -> Failure:
    """Return the failure of an agent that does not keep the contract."""
    return Failure(code=BAD_ANSWER, failure_class=FailureClass.AGENT, message=message[:_LONGEST_MESSAGE])


def _completed(body: Mapping[str, Any]) -> AgentAnswer:
    output, usage = body.get("output"), body.get("usage")
    if not isinstance(output, dict):
        return bad_answer("The agent's answer has no output that is an object.")
    if not isinstance(usage, dict | None):
        return bad_answer("The agent's answer has a usage that is no object.")
    return Completed(output=output, usage=usage or {})


def _accepted(body: Mapping[str, Any]) -> AgentAnswer:
    if body.get("retryAfterMs") is None:
        return Accepted(ask_again_after=DEFAULT_PAUSE)
    pause = _pause(body["retryAfterMs"])
    return Accepted(ask_again_after=pause) if pause is not None else bad_answer(
        "The agent's answer has a retryAfterMs that is no time.")


def _failed(body: Mapping[str, Any]) -> Failure:
    error = body.get("error")
    if not isinstance(error, dict) or not isinstance(error.get("code"), str) or not error["code"]:
        return bad_answer("The agent failed and does not say why.")
    return _failure(error, FailureClass.AGENT, None)


def _refusal(error: Refused) -> Failure:
    by_status = _class_of(error.status)
    if error.error is not None:
        return _failure(error.error, by_status, error.retry_after)
    return Failure(code=f"http_{error.status}", failure_class=by_status, message=str(error),
                   retry_after=error.retry_after)


def _failure(error: Mapping[str, Any], otherwise: FailureClass, retry_after: timedelta | None) -> Failure:
    """Return the failure that an error object describes.

    Args:
        otherwise: its class if it names none that is known.
        retry_after: the wait if it names none.
    """
    word, message, pause = error.get("class"), error.get("message"), _pause(error.get("retryAfterMs"))
    failure_class = FailureClass(word) if word in [known.value for known in FailureClass] else otherwise
    return Failure(
        code=error["code"][:_LONGEST_CODE], failure_class=failure_class,
        message=message[:_LONGEST_MESSAGE] if isinstance(message, str) and message else "The agent gave no reason.",
        retry_after=retry_after if pause is None else pause)


def _class_of(status: int) -> FailureClass:
    passes = status in _WAIT_AND_SEE or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return FailureClass.TRANSIENT if passes else FailureClass.CONFIGURATION


def _pause(milliseconds: Any) -> timedelta | None:
    """Return a duration of bounded length; None for what is none."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float) or not milliseconds >= 0:
        return None
    return min(timedelta(milliseconds=min(math.ceil(milliseconds), LONGEST_PAUSE // timedelta(milliseconds=1))),
               LONGEST_PAUSE)


def _agent(entry: Any) -> Agent | None:
    """Return an agent of the registry; None if the entry is wrong."""
    if not isinstance(entry, dict):
        return None
    texts = [entry.get("agentId"), entry.get("name", entry.get("agentId")), entry.get("type"),
             entry.get("status", "available")]
    lists = [entry.get("toolTypes"), entry.get("capabilities", [])]
    schema, output_schema = entry.get("inputSchema", {}), entry.get("outputSchema")
    if not all(isinstance(text, str) and text for text in texts) or not all(_is_texts(words) for words in lists):
        return None
    if not isinstance(schema, dict):
        return None
    return Agent(agent_id=entry["agentId"], name=texts[1], type=entry["type"], tool_types=tuple(entry["toolTypes"]),
                 capabilities=tuple(lists[1]), status=texts[3], input_schema=schema,
                 output_schema=output_schema if isinstance(output_schema, dict) else {})


def _is_texts(words: Any) -> bool:
    return isinstance(words, Sequence) and not isinstance(words, str) and all(isinstance(word, str) for word in words)
