"""The people of a simulation: whoever is asked answers as was foretold, or not at all; what was foretold is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial

from workflow_service.domain.commands import RespondToApproval, SendSignal
from workflow_service.domain.errors import Conflict, InvalidResponse
from workflow_service.domain.events import Event
from workflow_service.domain.users import User
from workflow_service.services.approvals import Approvals
from workflow_service.services.signals import Signals
from workflow_service.simulation.agenda import Agenda
from workflow_service.simulation.directives import Decision, Signal


class People:
    """Notice questions among the events, and answer them in time."""

    def __init__(self, user: User, decisions: Mapping[str, tuple[Decision, ...]], agenda: Agenda) -> None:
        """Answer in the name of a user, who has to be an admin."""
        self._user = user
        self._decisions = decisions
        self._agenda = agenda
        self._asked: Counter[str] = Counter()
        self._approvals: Approvals | None = None
        self.refused: dict[str, str] = {}
        """Id of an approval -> why its foretold answer was refused."""

    def use(self, approvals: Approvals) -> None:
        """Answer through these use cases."""
        self._approvals = approvals

    def notice(self, event: Event) -> None:
        """Plan the answer, if the event is a question."""
        name = str(event.block_id)
        if event.type != "approval_requested" or name not in self._decisions:
            return
        foretold, asked = self._decisions[name], self._asked[name]
        self._asked[name] += 1
        decision = foretold[min(asked, len(foretold) - 1)]
        self._agenda.note(event.at + decision.after, partial(self._answer, event.payload["approvalId"], decision))

    def send(self, signals: Signals, execution_id: str, foretold: Iterable[Signal], start: datetime) -> None:
        """Plan what is sent to an execution; what comes after its end is nobody's."""
        for signal in foretold:
            command = SendSignal(execution_id=execution_id, name=signal.name, payload=signal.payload)
            self._agenda.note(start + signal.after, partial(self._send, signals, command))

    def _send(self, signals: Signals, command: SendSignal) -> None:
        with suppress(Conflict):
            signals.send(self._user, command)

    def _answer(self, approval_id: str, decision: Decision) -> None:
        if self._approvals is None:
            raise RuntimeError("nobody can be asked yet")
        try:
            self._approvals.respond(self._user, RespondToApproval(
                approval_id=approval_id, approved=decision.approved, response=decision.response,
                comments=decision.comments))
        except InvalidResponse as error:
            self.refused[approval_id] = str(error)
        except Conflict:  # nobody needs the answer any more
            return
