"""Executions of agents: each key's work done at most once, its answer remembered, its running work stoppable.

Work runs in a pool of its own and the request waits for it. So an asynchronous agent and a slow one are the same thing
with different patience, and a crowd of slow requests cannot take every request thread away from status and cancel.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import Any

from sandbox.agent_service.agents import Agent, schema_fault
from sandbox.agent_service.cancellation import Cancellation
from sandbox.agent_service.config import AgentServiceConfig
from sandbox.agent_service.errors import (
    AgentServiceError,
    AgentUnavailable,
    Cancelled,
    ExecutionNotFound,
    IdempotencyConflict,
    InvalidInput,
    ToolTypeNotOffered,
    WorkFailed,
)
from sandbox.agent_service.execution_request import ExecutionRequest
from sandbox.agent_service.journal import Journal, Run
from sandbox.agent_service.tools.base import Tool, ToolCall, ToolResult

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is known of an execution that did not fail."""

    key: str
    output: Mapping[str, Any] | None = None
    """None while it is running."""
    usage: Mapping[str, Any] | None = None
    replayed: bool = False
    """The answer of an earlier request with the same key."""


@dataclass(frozen=True, kw_only=True)
class _Work:
    """The work of one run that this process is doing."""

    run: int
    cancellation: Cancellation
    outcome: Future[Answer]


class Executions:
    """Starts, watches and stops the work of agents."""

    def __init__(self, journal: Journal, tools: Mapping[str, Tool], config: AgentServiceConfig) -> None:
        """Take what the work needs.

        Args:
            journal: remembers keys and runs.
            tools: by tool type, and ``echo`` for agents of that type.
            config: patience and number of threads.
        """
        self._journal = journal
        self._tools = tools
        self._config = config
        self._pool = ThreadPoolExecutor(config.work_threads, thread_name_prefix="work")
        self._lock = Lock()
        self._running: dict[int, _Work] = {}
        self._waiting = 0

    def start(self, agent: Agent, request: ExecutionRequest) -> Answer:
        """Do the work of a request, or give the answer that its key already has.

        Raises:
            AgentServiceError: the request cannot be taken, or the work failed.
        """
        _check(agent, request)
        with self._patience() as patience:  # counted before its work begins, so that who sees the work sees the crowd
            work = self._begin(agent, request)
            if work is None:
                return self._known(agent, request)
            if agent.runs_async:
                return Answer(key=request.key)
            try:
                return work.outcome.result(patience.total_seconds())
            except FutureTimeoutError:
                return Answer(key=request.key)

    def find(self, agent: Agent, key: str) -> Run:
        """Return what became of the latest work under a key.

        Raises:
            ExecutionNotFound: nothing was ever asked under it.
        """
        run = self._journal.latest(agent.agent_id, key)
        if run is None:
            raise ExecutionNotFound(f"Agent '{agent.agent_id}' knows no execution '{key}'.")
        return run

    def cancel(self, agent: Agent, key: str) -> str:
        """Stop the work under a key and refuse all later work under it.

        Returns:
            The final status: that of the work if it had ended before, else ``cancelled``.
        """
        with self._lock:
            buried = self._journal.bury(agent.agent_id, key)
            holder = None if buried else self._journal.holder(agent.agent_id, key)
            work = self._running.get(holder.run) if holder else None
        if holder and holder.status == "running":
            self._stop(holder.run, work)
        return self.find(agent, key).status

    def effects(self, execution_id: str | None) -> list[Run]:
        """Return every run of work, of one workflow execution or (None) of all."""
        return self._journal.runs(execution_id)

    def close(self) -> None:
        """Ask all running work to stop and take no more."""
        with self._lock:
            running = list(self._running.values())
        for work in running:
            work.cancellation.request()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _begin(self, agent: Agent, request: ExecutionRequest) -> _Work | None:
        """Take the key and hand the work to the pool; None if the key is taken."""
        if not agent.available and self._journal.holder(agent.agent_id, request.key) is None:
            raise AgentUnavailable(f"Agent '{agent.agent_id}' is not available.")
        deadline = time.monotonic() + min(request.timeout, agent.time_limit).total_seconds()
        with self._lock:
            run = self._journal.claim(agent.agent_id, request)
            if run is None:
                return None
            call = ToolCall(agent=agent, request=request, deadline=deadline, cancellation=Cancellation(),
                            earlier_failures=lambda: self._journal.failures(agent.agent_id, request.key))
            work = _Work(run=run, cancellation=call.cancellation, outcome=self._pool.submit(self._work, run, call))
            self._running[run] = work
            return work

    def _known(self, agent: Agent, request: ExecutionRequest) -> Answer:
        """Answer for a key that is taken."""
        holder = self._journal.holder(agent.agent_id, request.key)
        if holder is None or holder.status == "running" and holder.fingerprint == request.fingerprint():
            return Answer(key=request.key)  # None: it failed a moment ago, which the next request will find
        if holder.status == "cancelled":
            raise Cancelled(f"The execution '{request.key}' was cancelled.")
        if holder.fingerprint != request.fingerprint():
            raise IdempotencyConflict(f"The key '{request.key}' was used with another body.")
        return Answer(key=request.key, output=holder.output, usage=holder.usage, replayed=True)

    def _work(self, run: int, call: ToolCall) -> Answer:
        """Do the work in a thread of the pool and record how it ended."""
        began = time.monotonic()
        try:
            result = self._result(call)
            usage = {"durationMs": round((time.monotonic() - began) * 1000), **result.usage}
            if not self._journal.complete(run, result.output, usage):
                raise Cancelled(f"The execution '{call.request.key}' was cancelled.")
            return Answer(key=call.request.key, output=result.output, usage=usage)
        except Cancelled:
            self._journal.cancel(run)
            raise
        except AgentServiceError as error:
            self._journal.fail(run, error.body())
            raise
        finally:
            call.cancellation.mark_ended()
            with self._lock:
                self._running.pop(run, None)

    def _result(self, call: ToolCall) -> ToolResult:
        tool = self._tools["echo" if call.agent.type == "echo" else call.request.tool_type]
        try:
            call.cancellation.check()
            call.seconds_left()
            result = tool.run(call)
        except AgentServiceError:
            raise
        except Exception as error:
            _LOG.exception("Agent %s crashed", call.agent.agent_id)
            raise WorkFailed("agent_failed", "agent", f"Agent '{call.agent.agent_id}' crashed.") from error
        fault = schema_fault(call.agent.output_schema, "output", result.output)
        if fault is not None:
            raise WorkFailed("invalid_output", "agent", fault)
        return result

    def _stop(self, run: int, work: _Work | None) -> None:
        if work is not None:
            work.cancellation.request()
            work.cancellation.wait_until_ended(self._config.stop_patience.total_seconds())
        self._journal.cancel(run)

    @contextmanager
    def _patience(self) -> Iterator[timedelta]:
        """Count a waiting request and give how long it may wait."""
        with self._lock:
            self._waiting += 1
            crowded = self._waiting >= self._config.crowded_from
        try:
            yield self._config.crowded_patience if crowded else self._config.patience
        finally:
            with self._lock:
                self._waiting -= 1


def _check(agent: Agent, request: ExecutionRequest) -> None:
    if request.tool_type not in agent.tool_types:
        raise ToolTypeNotOffered(f"Agent '{agent.agent_id}' does not offer the tool type '{request.tool_type}'.")
    fault = schema_fault(agent.input_schema, "input", request.input)
    if fault is not None:
        raise InvalidInput(fault)
