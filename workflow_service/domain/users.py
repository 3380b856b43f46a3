"""Who asks: a user with a role in one workspace."""

from __future__ import annotations

from dataclasses import dataclass

ADMIN = "admin"
"""The role that may do everything."""


@dataclass(frozen=True, kw_only=True)
class User:
    """The person or program behind a request."""

    name: str
    role: str
    workspace_id: str

    @property
    def is_admin(self) -> bool:
        """True for the role that may do everything."""
        return self.role == ADMIN
