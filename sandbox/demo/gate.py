"""What happens at the human gate: the demo's approver answers, or the person at the terminal is asked to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol

from rich.console import Console
from rich.text import Text

from cli.api import Api
from cli.errors import Refused, Unreachable
from cli.terminal import own_name
from sandbox.demo.people import edited

_READING = timedelta(seconds=1.5)
"""How long the approver reads, so that one can see the block wait."""


class Gate(Protocol):
    """Sees each reading of the execution and acts when somebody is asked."""

    def look(self, execution: Mapping[str, Any]) -> None:
        """Act if there is something to act on; called again and again."""


class Asked:
    """Finds the requests of an execution and hands each one on, once."""

    def __init__(self, approver: Api, answer: Callable[[Mapping[str, Any]], None]) -> None:
        """Nothing was asked yet.

        Args:
            approver: who may see the requests.
            answer: takes a request; is called again after an error of the service.
        """
        self._approver = approver
        self._answer = answer
        self._handed_on: set[str] = set()

    def look(self, execution: Mapping[str, Any]) -> None:
        """Hand on what is new."""
        if not any(block["status"] == "awaiting_approval" for block in execution["blockExecutions"]):
            return
        try:
            for approval in self._approver.pending_approvals(execution["executionId"])["approvals"]:
                if approval["approvalId"] not in self._handed_on:
                    self._answer(approval)
                    self._handed_on.add(approval["approvalId"])
        except (Unreachable, Refused) as error:
            if isinstance(error, Refused) and error.status < 500:
                raise
            # the service is away for a moment; the next look tries again


def answered_by_demo(approver: Api, screen: Console) -> Gate:
    """Return a gate at which the demo's approver edits the notes and approves them, through the API."""

    def answer(approval: Mapping[str, Any]) -> None:
        screen.print(Text.assemble(("\nVera, an approver, is asked: ", "bold yellow"), approval["title"],
                                   f" (approval {approval['approvalId']})"))
        time.sleep(_READING.total_seconds())
        response = edited(approval)
        approver.respond(approval["approvalId"], True, response, "Read in the demo; one line added.")
        screen.print(Text.assemble(("She read the draft, added a line at its end and approved it: ", "yellow"),
                                   f"{len(response['notes'].splitlines())} lines.\n"))

    return Asked(approver, answer)


def answered_by_person(approver: Api, screen: Console) -> Gate:
    """Return a gate that tells the person at the terminal how to answer."""

    def tell(approval: Mapping[str, Any]) -> None:
        command, approval_id = own_name(), approval["approvalId"]
        screen.print(Text.assemble(
            ("\nYou are asked: ", "bold yellow"), approval["title"], ". In another terminal, in this directory:\n",
            ("  read it     ", "bold"), f"{command} approvals show {approval_id}\n",
            ("  approve it  ", "bold"), f"{command} approvals respond {approval_id} --approve\n",
            ("  edit it     ", "bold"), f"{command} approvals respond {approval_id} --approve "
                                        "--response '{\"notes\": \"# My own notes\"}'\n",
            ("  reject it   ", "bold"), f"{command} approvals respond {approval_id} --reject\n"),
            soft_wrap=True)  # so that a long line can be copied as one

    return Asked(approver, tell)
