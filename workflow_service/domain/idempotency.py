"""Idempotency keys: by which a request that is repeated is known to be the same."""

from __future__ import annotations

from collections.abc import Iterator

from workflow_service.domain.errors import Issue

LONGEST_KEY = 255
"""Characters of a key."""


def key_issues(key: str | None) -> Iterator[Issue]:
    """Yield what is wrong with a key, if there is one."""
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        yield Issue(path="Idempotency-Key", code="bad_key",
                    message=f"A key has 1 to {LONGEST_KEY} printable ASCII characters.")
