"""What can go wrong in the demo."""

from __future__ import annotations

from cli.errors import CommandFailed


class DemoFailed(CommandFailed):
    """Raised when the demo did not come to a good end; says why in a line."""
