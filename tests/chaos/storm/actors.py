"""Who acts in a storm: somebody who starts executions, two who decide, and one who steps in.

Each has a thread and a chance of its own, and stops when told. An error in any of them ends the storm: only what the
service answers, or does not answer, is part of the game.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random
from threading import Barrier, Event
from typing import Any

from tests.chaos.storm.client import Client
from tests.chaos.storm.log import Command, Decision, Log
from tests.chaos.storm.store import Sight
from tests.chaos.storm.workflows import blocks_of, drawn_start

PATIENCE_S = 20
_LOOK_EVERY_S = 0.1
_ASK_EVERY_S = 0.2
_YES = 0.85
_KNOWN = 60
"""How many of the latest executions an operator chooses from."""
_AT_THE_RIGHT_TIME = 0.8
_COMMANDS: Mapping[str, int] = {"pause": 4, "cancel": 1, "restart": 3}
"""What an operator does, and how often compared with the rest."""


class Starter:
    """Keeps a number of executions going."""

    def __init__(self, client: Client, sight: Sight, log: Log, chance: Random, at_once: int) -> None:
        """Start in the name of a user."""
        self._client = client
        self._sight = sight
        self._log = log
        self._chance = chance
        self._at_once = at_once

    def act(self, over: Event) -> None:
        """Start executions until it is over."""
        while not over.wait(_LOOK_EVERY_S):
            going = self._sight.going()
            for _ in range(self._at_once - len(going) if going is not None else 0):
                if not over.is_set():
                    self._start()

    def _start(self) -> None:
        start = drawn_start(self._chance)
        answer = self._client.post("/executions", {"templateId": start.template_id, "input": start.input})
        if answer.ok:
            self._log.accept(answer.body["executionId"], start.template_id)
        elif answer.is_unknown:
            self._log.unanswered += 1
        else:
            raise RuntimeError(f"An execution was refused: {answer.status} {answer.body}")


class Deciders:
    """Two people who answer each request for approval at the same moment, not always alike."""

    def __init__(self, clients: tuple[Client, Client], log: Log, chance: Random) -> None:
        """Decide in the names of two users."""
        self._clients = clients
        self._log = log
        self._chance = chance

    def act(self, over: Event) -> None:
        """Answer until it is over."""
        with ThreadPoolExecutor(2) as hands:
            while not over.wait(_ASK_EVERY_S):
                for approval in self._clients[0].get("/approvals/pending").body.get("approvals", []):
                    if not over.is_set():
                        self._race(hands, approval["approvalId"])

    def _race(self, hands: ThreadPoolExecutor, approval_id: str) -> None:
        start = Barrier(2, timeout=PATIENCE_S)
        racing = [hands.submit(self._decide, start, client, approval_id, self._chance.random() < _YES)
                  for client in self._clients]
        self._log.decisions += [one.result() for one in racing]

    @staticmethod
    def _decide(start: Barrier, client: Client, approval_id: str, approved: bool) -> Decision:
        answer: dict[str, Any] = {"approved": approved}
        if approved:
            answer["response"] = {"marker": f"by {client.name}"}
        start.wait()
        status = client.post(f"/approvals/{approval_id}/respond", answer).status
        return Decision(approval_id=approval_id, who=client.name, approved=approved, status=status)


class Operator:
    """Pauses and resumes, cancels and restarts executions, whatever they do at the moment."""

    def __init__(self, client: Client, sight: Sight, log: Log, chance: Random) -> None:
        """Step in in the name of a user."""
        self._client = client
        self._sight = sight
        self._log = log
        self._chance = chance
        self._resume_at: dict[str, float] = {}

    def act(self, over: Event) -> None:
        """Step in until it is over."""
        while not over.wait(self._chance.uniform(0.5, 1.5)):
            for execution_id in [known for known, at in self._resume_at.items() if at <= time.monotonic()]:
                self.resume(execution_id)
            self._command()

    def resume(self, execution_id: str) -> None:
        """Lift a pause; if nobody knows whether it was lifted, it is tried again."""
        if self._send(execution_id, "resume", {}) not in (0, 500, 502, 503, 504):
            self._resume_at.pop(execution_id, None)

    def _command(self) -> None:
        """Pause or cancel what goes on, restart what has ended, and sometimes the other way round."""
        name = self._chance.choices(list(_COMMANDS), list(_COMMANDS.values()))[0]
        latest, going = self._log.latest(_KNOWN), self._sight.going() or {}
        fitting = [one for one in latest if (one[0] in going) != (name == "restart")]
        if not (chosen := fitting if self._chance.random() < _AT_THE_RIGHT_TIME else latest):
            return
        execution_id, template_id = self._chance.choice(chosen)
        self._send(execution_id, name, self._drawn[name](template_id))
        if name == "pause":
            self._resume_at[execution_id] = time.monotonic() + self._chance.uniform(0.3, 3)

    def _send(self, execution_id: str, name: str, body: Mapping[str, Any]) -> int:
        at = datetime.now(UTC)
        status = self._client.post(f"/executions/{execution_id}/{name}", body).status
        self._log.commands.append(Command(execution_id=execution_id, name=name, at=at, status=status))
        return status

    @property
    def _drawn(self) -> Mapping[str, Callable[[str], Mapping[str, Any]]]:
        return {"pause": lambda _: {"clock": self._chance.choice(["stop", "run"])},
                "cancel": lambda _: {"mode": self._chance.choice(["graceful", "force"])},
                "restart": self._drawn_restart}

    def _drawn_restart(self, template_id: str) -> Mapping[str, Any]:
        if self._chance.random() < 0.5:
            return {"failedOnly": True}
        return {"fromBlock": self._chance.choice(list(blocks_of(template_id)))}
