"""A kind of block: what it does when its turn has come, its guard is true and the people before it have said yes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from workflow_service.domain.agents import Completed, Failure
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.execution import Execution
from workflow_service.domain.template import Block
from workflow_service.domain.wait import Wait
from workflow_service.services.claims import Claim


@dataclass(frozen=True, kw_only=True)
class Turn:
    """The turn of a block that was claimed."""

    claim: Claim
    block: Block
    ours: BlockExecution
    """The claimed block with its resolved input."""
    variables: Mapping[str, Any]
    """What its expressions read."""

    @property
    def execution(self) -> Execution:
        """The execution, as it was read after the claim."""
        return self.claim.execution


class Kind(Protocol):
    """Does the blocks of one kind."""

    def take(self, turn: Turn) -> Completed | Failure | Wait:
        """Return how the block ends, or what it is to be parked for; called again, it comes to the same.

        Raises:
            ExpressionError: an expression can't be evaluated.
        """
