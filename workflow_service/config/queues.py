"""Names of queues as settings."""

from __future__ import annotations

from workflow_service.config.kinds import shortened
from workflow_service.domain.ids import is_id
from workflow_service.domain.routing import RESERVED_QUEUES, USUAL_QUEUE


class QueueNames:
    """Names of queues: a list in the file, separated by commas in the environment; the usual one is always among them.
    """

    @property
    def allowed(self) -> str:
        """What the names may be."""
        return f"ids (letters, digits, _ and -), none of them {', '.join(sorted(RESERVED_QUEUES))}"

    def read(self, given: object) -> tuple[str, ...]:
        """Return the names, the usual one first."""
        listed = [name.strip() for name in given.split(",")] if isinstance(given, str) else given
        if not isinstance(listed, list) or any(not is_id(name) or name in RESERVED_QUEUES for name in listed):
            raise ValueError("not only names of queues")
        return tuple(dict.fromkeys([USUAL_QUEUE, *listed]))

    def show(self, given: object) -> str:
        """Show them as they are."""
        return shortened(given)
