"""An agent that keeps its contract under every interleaving: a key does its work once, a stopped key never again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from tests.support.protocol.stage import Fault, Killed, Stage
from workflow_service.domain.agents import Accepted, Agent, AgentAnswer, AgentCall, Completed, Failure, FailureClass
from workflow_service.services.ports import Clock


class Mood(Enum):
    """What becomes of one call."""

    DONE = "done"
    ACCEPTED = "accepted"
    ACCEPTED_THEN_FAILED = "accepted, then failed"
    TRANSIENT = "transient failure"
    BROKEN = "failure that no retry mends"
    REPLY_LOST = "done, but the reply is lost"
    CUT_OFF = "at work, and the connection broke"


@dataclass(kw_only=True)
class Work:
    """What an agent did under a key."""

    key: str
    started: datetime
    ended: datetime | None = None
    fails_later: bool = False
    caller_waits: bool = True
    """False for work that was accepted."""


class AgentOnStage:
    """The agents port."""

    def __init__(self, stage: Stage, clock: Clock, told: Callable[[str], None],
                 before_work: Callable[[AgentCall], None]) -> None:
        """Answer with ``mood``, which stands for one call.

        Args:
            before_work: sees each call at the moment when its work begins.
        """
        self.mood = Mood.DONE
        self.way = "left"
        """Which branch the next output names."""
        self.stop_fails = False
        self.is_deaf = False
        """Whether nothing can be stopped."""
        self.is_slow = False
        """Whether work that was accepted goes on and on."""
        self.works: dict[str, Work] = {}
        """Work that runs or is done, by key."""
        self.finished: list[Work] = []
        """All work that was really done."""
        self.faults: list[str] = []
        """What no caller may do, and somebody did."""
        self._bodies: dict[str, str] = {}
        self._outputs: dict[str, Mapping[str, Any]] = {}
        self._refused: set[str] = set()
        self._stage = stage
        self._clock = clock
        self._told = told
        self._before_work = before_work

    @property
    def inputs(self) -> Mapping[str, Any]:
        """What the agent was given, by key."""
        return {key: json.loads(body) for key, body in self._bodies.items()}

    def agents(self) -> Sequence[Agent]:
        """Return no agents: nothing is known of schemas."""
        return ()

    def run(self, call: AgentCall) -> AgentAnswer:
        """Do the work of a key once. There is no stop between the owner's look at its lease and the work's begin."""
        key = call.idempotency_key
        if key in self._refused:
            return self._tell(key, Failure(code="cancelled", failure_class=FailureClass.CRITICAL, message="cancelled"))
        body = json.dumps(call.input, sort_keys=True)
        if self._bodies.setdefault(key, body) != body:
            self.faults.append(f"{key}: the same key with another body: {body}, at first {self._bodies[key]}")
            return self._tell(key, Failure(code="idempotency_conflict", failure_class=FailureClass.CONFIGURATION,
                                           message="another body"))
        if key in self._outputs:
            return self._tell(key, Completed(output=self._outputs[key]))
        if key in self.works:
            return self._tell(key, Accepted(ask_again_after=timedelta(seconds=1)))
        self._before_work(call)
        return self._tell(key, self._work(key))

    def result(self, agent_id: str, idempotency_key: str) -> AgentAnswer:
        """Ask for the result of work that was accepted; it is done two seconds after it began."""
        self._stage.point(f"agent.result {idempotency_key}")
        work = self.works.get(idempotency_key)
        if work is not None and self._is_over(work):
            self._end(work, fails=work.fails_later)
            if work.fails_later:
                return self._tell(idempotency_key, _transient())
        if idempotency_key in self._outputs:
            return self._tell(idempotency_key, Completed(output=self._outputs[idempotency_key]))
        if idempotency_key in self.works:
            return self._tell(idempotency_key, Accepted(ask_again_after=timedelta(seconds=1)))
        return self._tell(idempotency_key, _transient())

    def stop(self, agent_id: str, idempotency_key: str) -> bool:
        """Stop a call for good."""
        self._stage.point(f"agent.stop {idempotency_key}")
        if self.stop_fails or self.is_deaf:
            self.stop_fails = False
            return False
        self._refused.add(idempotency_key)
        self.works.pop(idempotency_key, None)
        self._told(f"agent: {idempotency_key} stopped")
        return True

    def _is_over(self, work: Work) -> bool:
        """Say whether work that nobody waits for has come to its end."""
        return not work.caller_waits and not self.is_slow and self._clock.now() - work.started >= timedelta(seconds=2)

    def _work(self, key: str) -> AgentAnswer:
        work = Work(key=key, started=self._clock.now())
        self.works[key] = work
        self._told(f"agent: {key} begins")
        try:
            fault = self._stage.point(f"agent works on {key}")
        except Killed:
            self._end(work, fails=False)  # who called is gone, the agent is not
            raise
        if key in self._refused:
            return Failure(code="cancelled", failure_class=FailureClass.CRITICAL, message="cancelled")
        mood, self.mood = self.mood, Mood.DONE
        if mood in (Mood.ACCEPTED, Mood.ACCEPTED_THEN_FAILED):
            work.caller_waits, work.fails_later = False, mood is Mood.ACCEPTED_THEN_FAILED
            return Accepted(ask_again_after=timedelta(seconds=2))
        if mood is Mood.CUT_OFF:
            work.caller_waits = False
            return _unreachable()
        self._end(work, fails=mood in (Mood.TRANSIENT, Mood.BROKEN))
        if mood is Mood.REPLY_LOST or fault is not Fault.NONE:
            return _unreachable()
        if mood is Mood.TRANSIENT:
            return _transient()
        if mood is Mood.BROKEN:
            return Failure(code="broken", failure_class=FailureClass.AGENT, message="broken")
        return Completed(output=self._outputs[key])

    def _end(self, work: Work, fails: bool) -> None:
        """End work; a failure frees the key."""
        if self.works.pop(work.key, None) is None:
            return
        if fails:
            self._bodies.pop(work.key, None)
            return
        work.ended = self._clock.now()
        self.finished.append(work)
        self._outputs[work.key] = {"way": self.way, "by": work.key}

    def _tell(self, key: str, answer: AgentAnswer) -> AgentAnswer:
        word = answer.code if isinstance(answer, Failure) else type(answer).__name__
        self._told(f"agent: {key} -> {word}")
        return answer


def _transient() -> Failure:
    return Failure(code="busy", failure_class=FailureClass.TRANSIENT, message="busy")


def _unreachable() -> Failure:
    return Failure(code="agent_service_unreachable", failure_class=FailureClass.TRANSIENT, message="gone")
