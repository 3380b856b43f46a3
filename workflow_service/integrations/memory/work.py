"""Agents that are functions: what they are given, and what their outcome means."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry

from workflow_service.domain.agents import Accepted, Agent, AgentAnswer, Completed, Failure, FailureClass
from workflow_service.integrations import json_text
from workflow_service.integrations.agent_answers import bad_answer

_LOG = logging.getLogger(__name__)
Outcome = Mapping[str, Any] | AgentAnswer
"""What an agent's work comes to: its output, or an answer. After ``Accepted`` it goes on until somebody ends it."""
Work = Callable[[Mapping[str, Any]], Outcome]
"""Makes an outcome of the input. What it raises is a failure of class ``agent``."""


@dataclass(frozen=True, kw_only=True)
class InMemoryAgent:
    """An agent and what it does."""

    agent: Agent
    work: Work

    def fault(self, tool_type: str, given: Mapping[str, Any]) -> Failure | None:
        """Say why the agent does not take a request; None if it takes it."""
        if tool_type not in self.agent.tool_types:
            return refusal("tool_type_not_offered",
                           f"Agent '{self.agent.agent_id}' does not offer the tool type '{tool_type}'.")
        error = best_match(Draft202012Validator(self.agent.input_schema, registry=Registry()).iter_errors(given))
        return refusal("invalid_input", f"{error.json_path}: {error.message}") if error else None

    def answer(self, given: Mapping[str, Any]) -> AgentAnswer:
        """Do the work; never raises."""
        try:
            return answer_of(self.work(given))
        except Exception:
            _LOG.exception("Agent %s crashed", self.agent.agent_id)
            return Failure(code="agent_failed", failure_class=FailureClass.AGENT,
                           message=f"Agent '{self.agent.agent_id}' crashed.")


def answer_of(outcome: Outcome) -> AgentAnswer:
    """Return the answer that an outcome is; an output that can't be sent is none."""
    if isinstance(outcome, Accepted | Failure):
        return outcome
    output, usage = (outcome.output, outcome.usage) if isinstance(outcome, Completed) else (outcome, {})
    try:
        sent = json_text.decode(json_text.encode({"output": output, "usage": usage}))
    except ValueError as error:
        return bad_answer(f"The agent's answer can't be sent: {error}.")
    return Completed(output=sent["output"], usage=sent["usage"])


def refusal(code: str, message: str) -> Failure:
    """Return the failure of a request that is wrong."""
    return Failure(code=code, failure_class=FailureClass.CONFIGURATION, message=message)
