"""Directives as JSON turned into values, with a place for each fault."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from workflow_service.domain.agents import FailureClass
from workflow_service.domain.errors import Invalid, Issue
from workflow_service.services.schemas import schema_issues
from workflow_service.simulation.directive_schema import DECISION, DIRECTIVES_SCHEMA, MOCK, WORD, several
from workflow_service.simulation.directives import START, Decision, Directives, Fault, Mock, Signal

_OUTLINE = {**DIRECTIVES_SCHEMA, "properties": {
    **DIRECTIVES_SCHEMA["properties"],
    **{part: {**DIRECTIVES_SCHEMA["properties"][part], "additionalProperties": True} for part in ("mocks", "decide")}}}
_MOST_TEXT = 1_000_000
"""Characters of directives: what they say is copied for each of the thousands of blocks that may answer it."""
_FIRST_YEAR, _LAST_YEAR = 1970, 9000
"""Far enough from the ends of time for every limit."""


def parse_directives(document: Any) -> Directives:
    """Return what a document says.

    Raises:
        Invalid: it breaks its rules; names all of them.
    """
    issues = [*_size_issues(document)] or [*_structure_issues(document)] or [*_start_issues(document)]
    if issues:
        raise Invalid("The directives break their rules.", issues)
    return Directives(
        input=document.get("input", {}), context=document.get("context", {}),
        mocks={name: tuple(map(_mock, _several(said))) for name, said in document.get("mocks", {}).items()},
        decide={name: tuple(map(_decision, _several(said))) for name, said in document.get("decide", {}).items()},
        fail={name: _fault(said) for name, said in document.get("fail", {}).items()},
        signals=tuple(map(_signal, document.get("signals", ()))),
        start=_instant(document["startAt"]) if "startAt" in document else START)


def _size_issues(document: Any) -> Iterator[Issue]:
    length = len(json.dumps(document))
    if length > _MOST_TEXT:
        yield Issue(path="", code="too_large", allowed=(f"at most {_MOST_TEXT}",),
                    message=f"The directives have {length} characters; {_MOST_TEXT} are allowed.")


def _structure_issues(document: Any) -> Iterator[Issue]:
    """Yield what is wrong, each fault at its own place: of what may be written in several ways, the way that was meant.
    """
    yield from map(_said_plainly, schema_issues(_OUTLINE, document))
    for part, one, word in (("mocks", MOCK, MOCK), ("decide", DECISION, WORD)):
        found = document.get(part) if isinstance(document, Mapping) else None
        for name, said in found.items() if isinstance(found, Mapping) else ():
            schema = several(one) if isinstance(said, list) else word if isinstance(said, str) else one
            yield from schema_issues(schema, said, f"{part}.{name}")


def _said_plainly(issue: Issue) -> Issue:
    """Return an issue in words instead of a regular expression."""
    if not (issue.path.startswith("fail.") and issue.code == "pattern"):
        return issue
    return replace(issue, message="This is no class of failures, with or without '*n'.",
                   allowed=(*FailureClass, f"{FailureClass.TRANSIENT}*2"))


def _start_issues(document: Mapping[str, Any]) -> Iterator[Issue]:
    try:
        if "startAt" not in document or _FIRST_YEAR <= _instant(document["startAt"]).year <= _LAST_YEAR:
            return
    except (ValueError, OverflowError):
        pass
    yield Issue(path="startAt", code="bad_instant",
                message="This is no instant of RFC 3339 with its time zone, such as 2030-01-31T12:00:00Z.")


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("it has no time zone")
    return at.astimezone(UTC)


def _several(said: Any) -> list[Any]:
    return said if isinstance(said, list) else [said]


def _mock(document: Mapping[str, Any]) -> Mock:
    return Mock(output=document.get("output"),
                duration=_milliseconds(document["durationMs"]) if "durationMs" in document else None)


def _decision(said: str | Mapping[str, Any]) -> Decision:
    document: Mapping[str, Any] = {"decision": said} if isinstance(said, str) else said
    return Decision(approved=document["decision"] == "approve", response=document.get("response", {}),
                    comments=document.get("comments"), after=_milliseconds(document.get("afterMs", 0)))


def _fault(said: str) -> Fault:
    word, _, times = said.partition("*")
    return Fault(failure_class=FailureClass(word), times=int(times) if times else None)


def _signal(document: Mapping[str, Any]) -> Signal:
    return Signal(name=document["name"], after=_milliseconds(document.get("afterMs", 0)),
                  payload=document.get("payload", {}))


def _milliseconds(number: float) -> timedelta:
    return timedelta(milliseconds=number)
