"""The rules of blocks that wait for time or for signals."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.domain.test_validation import faults

AT = "2030-01-31T12:00:00Z"


@pytest.mark.parametrize(("wait", "expected"), [
    ({"duration": 1000}, []), ({"until": AT}, []), ({"until": "${input.at}"}, []),
    ({"until": "${input.day}T12:00:00Z"}, []),
    ({}, [("blocks[0].wait", "duration_or_until")]),
    ({"duration": 1000, "until": AT}, [("blocks[0].wait", "duration_or_until")]),
    ({"until": "2030-01-31"}, [("blocks[0].wait.until", "bad_instant")]),
    ({"until": "2030-01-31T12:00:00"}, [("blocks[0].wait.until", "bad_instant")]),
    ({"until": "20300131T120000Z"}, [("blocks[0].wait.until", "bad_instant")]),
    ({"until": "${blocks.other.output.at}"}, [("blocks[0].wait.until", "not_before")]),
    ({"until": "${at}"}, [("blocks[0].wait.until", "unknown_variable")]),
    ({"until": "${1 +}"}, [("blocks[0].wait.until", "bad_expression")])])
def test_timers(wait: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert faults({"blockId": "w", "wait": wait}) == expected


@pytest.mark.parametrize(("wait", "expected"), [
    ({"signals": ["a", "b"]}, []), ({"signals": ["a"], "mode": "all", "timeout": 1000, "onTimeout": "continue"}, []),
    ({"signals": ["a", "b", "a"]}, [("blocks[0].waitFor.signals[2]", "duplicate_signal")]),
    ({"signals": ["a"], "onTimeout": "fail"}, [("blocks[0].waitFor.onTimeout", "contradiction")])])
def test_signals(wait: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert faults({"blockId": "w", "waitFor": wait}) == expected


@pytest.mark.parametrize("kind", [{"wait": {"duration": 1000}}, {"waitFor": {"signals": ["a"]}}])
@pytest.mark.parametrize(("more", "expected"), [
    ({"humanInLoop": {"required": True}, "conditions": {"type": "guard", "expression": "true"}}, []),
    ({"timeout": 1000}, [("blocks[0].timeout", "not_allowed")]),
    ({"agentId": "echo", "toolType": "script"}, [("blocks[0].agentId", "not_allowed"),
                                                 ("blocks[0].toolType", "not_allowed")]),
    ({"loop": {"until": "true"}}, [("blocks[0].loop", "not_allowed")])])
def test_what_else_they_say(kind: dict[str, Any], more: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert faults({"blockId": "w", **kind, **more}) == expected
