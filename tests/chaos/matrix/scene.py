"""One cell of the matrix: a few executions of the rich template, something that breaks, and how all must end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import requests

from tests.chaos.matrix.processes import ArmedProcess, again
from tests.chaos.matrix.workflow import ITEMS, SIGNAL, done_in, part, rich
from tests.support.cluster import Cluster
from tests.support.driver import Driver, effects_of
from tests.support.records import Records
from workflow_service.domain.invariants import Effect, Record, violations

T = TypeVar("T")
Play = Callable[["Scene"], None]
"""What a cell does."""

PATIENCE = timedelta(seconds=30)
_POLL_S = 0.05
_COUNT = 2
_ENDS = frozenset({"completed", "failed", "cancelled"})
_PARENTS = frozenset({"web"})
"""Processes that go on when the one that does their work ends."""


@dataclass(kw_only=True)
class Scene:
    """What a cell can do."""

    name: str
    cluster: Cluster
    driver: Driver
    records: Records
    parents: Collection[str] = _PARENTS
    risks: dict[str, int] = field(default_factory=dict)
    """The input of each execution by its id."""

    # ---- executions

    def store(self, **changed: Mapping[str, Any]) -> None:
        """Store the template of this cell; the arguments are those of ``rich``."""
        self.patiently(lambda: self.driver.store(part(self.name)))
        self.patiently(lambda: self.driver.store(rich(self.name, **changed)))

    def begin(self, **changed: Mapping[str, Any]) -> None:
        """Store the template and start some executions."""
        self.store(**changed)
        self.begin_again()

    def begin_again(self) -> None:
        """Start some executions of the template that is stored."""
        for risk in range(4, 4 + 2 * _COUNT, 2):
            run = self.driver.start(self.name, risk=risk)
            self.risks[run] = risk
            self._signal(run)

    def begin_unheard(self) -> None:
        """Start an execution through a process that ends before it can answer."""
        self.store()
        with suppress(requests.RequestException):
            self.driver.start(self.name, risk=7)

    def find_unheard(self) -> None:
        """Find the execution of which nobody was told."""
        found = self.patiently(lambda: self.driver.get("/executions", templateId=self.name))["executions"]
        assert len(found) == 1
        self.risks[found[0]["executionId"]] = 7
        self._signal(found[0]["executionId"])

    def reach_work(self) -> None:
        """Return when the agents are at work for each execution."""
        self.until(lambda: all(len(effects_of(self.cluster.agents.url, one)) > 2 for one in self.risks))

    def reach_gate(self) -> None:
        """Return when every execution asks a person."""
        self.until(lambda: len(self._asked()) == len(self.risks))

    def answer_all(self) -> None:
        """Say yes to everything that is asked now; an answer that is not heard is given again later."""
        for asked in self._asked():
            self._answer(asked)

    def answer_one(self) -> None:
        """Say yes to one of the things that are asked now."""
        self._answer(self._asked()[0])

    def statuses(self) -> Sequence[str]:
        """Return the status of each execution."""
        return [self.patiently(lambda one=one: self.driver.show(one))["status"]  # type: ignore[misc]
                for one in self.risks]

    # ---- processes

    def arm(self, process: str, moment: str) -> ArmedProcess:
        """Start a process anew that ends itself at a moment."""
        return ArmedProcess(self.cluster.processes[process], moment)

    def see_end(self, armed: ArmedProcess, process: str, *, answering: bool = True) -> None:
        """Wait until the process has ended at its moment.

        Args:
            answering: whether people answer meanwhile what they are asked, and more executions are started if all have
                ended: on a slow machine others may have done what brings this process to its moment.
        """
        self.until(lambda: armed.has_ended, self._go_on if answering else lambda: None)
        armed.awaits_end(is_parent=process in self.parents)

    def revive(self, process: str) -> None:
        """Start a process again without a failpoint."""
        again(self.cluster.processes[process])

    # ---- the end

    def finish(self, status: str = "completed") -> None:
        """See that all executions end with this status, that all is right with them, and that each effect is one."""
        self.until(lambda: all(found in _ENDS for found in self.statuses()), self._answer_quietly)
        assert Counter(self.statuses()) == {status: len(self.risks)}, self.standing()
        for execution_id, risk in self.risks.items() if status == "completed" else ():
            wrong = done_in(risk) ^ {effect.key.split(":")[1] for effect in self.done(execution_id)}
            assert not wrong, f"{wrong}\n{self.standing()}"
            assert [part["status"] for part in self._parts(execution_id)[-ITEMS:]] == ["completed"] * ITEMS
        self.check()

    def check(self) -> None:
        """See that no invariant is broken, of the executions and of what is a part of them."""
        every = [*self.risks, *(part["executionId"] for one in self.risks for part in self._parts(one))]
        broken = [violation for one in every for violation in violations(self._told(one))]
        assert not broken, f"{broken}\n{self.standing()}"

    def done(self, execution_id: str) -> Sequence[Effect]:
        """Return each work that was done, by the agents' journal; a definite failure is none, nor is a tombstone."""
        return [Effect(key=effect["key"], started=datetime.fromisoformat(effect["startedAt"]),
                       ended=datetime.fromisoformat(effect["endedAt"]) if effect["endedAt"] else None)
                for effect in effects_of(self.cluster.agents.url, execution_id)
                if effect["status"] != "failed" and effect["startedAt"] is not None]

    def standing(self) -> str:
        """Return where every block of every execution stands."""
        return "\n".join(_standing(self.records.of(one)) for one in self.risks)

    def until(self, is_so: Callable[[], bool], meanwhile: Callable[[], None] = lambda: None) -> None:
        """Return when something is so; say where every block stands if it does not come to that in time."""
        deadline = time.monotonic() + PATIENCE.total_seconds()
        while not is_so():
            assert time.monotonic() < deadline, self.standing()
            meanwhile()
            time.sleep(_POLL_S)

    def patiently(self, ask: Callable[[], T]) -> T:
        """Return what the API answers, as soon as it answers well; a service in trouble may be asked again."""
        deadline = time.monotonic() + PATIENCE.total_seconds()
        while True:
            try:
                return ask()
            except (AssertionError, requests.RequestException):
                if time.monotonic() > deadline:
                    raise
                time.sleep(_POLL_S)

    def _signal(self, execution_id: str) -> None:
        """Send what the execution waits for; sent again it is the same signal."""
        self.patiently(lambda: self.driver.post(f"/executions/{execution_id}/signals/{SIGNAL}", {}, key=execution_id))

    def _parts(self, execution_id: str) -> Sequence[dict[str, Any]]:
        """Return the executions that are a part of one, the oldest first."""
        found = self.patiently(lambda: self.driver.get("/executions", parentId=execution_id))["executions"]
        return sorted(found, key=lambda part: (part["createdAt"], part["parent"]["index"]))

    def _told(self, execution_id: str) -> Record:
        return replace(self.records.told(execution_id, PATIENCE), effects=self.done(execution_id))

    def _answer(self, asked: Mapping[str, Any]) -> None:
        with suppress(AssertionError, requests.RequestException):
            self.driver.post(f"/approvals/{asked['approvalId']}/respond",
                             {"approved": True, "response": {"marker": "yes"}})

    def _asked(self) -> Sequence[dict[str, Any]]:
        found = self.patiently(lambda: self.driver.get("/approvals/pending", limit=100))["approvals"]
        return [approval for approval in found if approval["executionId"] in self.risks]

    def _go_on(self) -> None:
        self._answer_quietly()
        with suppress(AssertionError, requests.RequestException):
            if self.risks and all(self.driver.show(one)["status"] in _ENDS for one in self.risks):
                self.begin_again()

    def _answer_quietly(self) -> None:
        with suppress(AssertionError, requests.RequestException):
            self.answer_all()


def _standing(record: Record) -> str:
    """Return where an execution stands: a line for itself, and one for each block."""
    execution = record.execution
    first = (f"{execution.execution_id}: {execution.status.value} generation={execution.generation} "
             f"holds={list(execution.holds)} restart={execution.restart_targets} error={execution.error} "
             f"due={execution.due_at}")
    return "\n".join([first, *(
        f"  {block.block_id}: {block.status.value} epoch={block.epoch} fence={block.fence} due={block.due_at} "
        f"lease={block.lease_until} pending={list(block.pending_edges)} attempt={block.attempt} error={block.error} "
        f"released={block.released}" for block in record.blocks)])
