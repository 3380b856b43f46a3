"""The bounded memory."""

from __future__ import annotations

from workflow_service.services.recent import Recent


def test_what_was_set_longest_ago_is_forgotten() -> None:
    recent: Recent[int] = Recent(2)
    recent.set("a", 1)
    recent.set("b", 2)
    recent.set("a", 3)
    recent.set("c", 4)
    assert [recent.get(key) for key in "abc"] == [3, None, 4]
