"""The templates that a storm runs: each shows one way in which blocks follow each other, one shows them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.support.scenarios import echo, gate, review, template

FAILS = "failing"
"""The template whose executions fail, as they should."""
_TRANSIENT = {"code": "flaky", "class": "transient", "message": "not yet", "status": 503}
_HOPELESS = {"code": "hopeless", "class": "agent", "message": "never", "status": 500}
_RETRIES = {"maxRetries": 3, "backoffStrategy": "fixed", "initialDelay": 100}


@dataclass(frozen=True, kw_only=True)
class Start:
    """One execution that is to be started."""

    template_id: str
    input: Mapping[str, Any]


def workflows() -> Sequence[dict[str, Any]]:
    """Return the templates."""
    return [_line(), _fan(), _choice(), _retry(), _ask(), _later(), _skip(), _failing(), review("everything")]


def blocks_of(template_id: str) -> Sequence[str]:
    """Return the ids of a template's blocks."""
    return [block["blockId"] for one in workflows() if one["templateId"] == template_id for block in one["blocks"]]


def drawn_start(chance: Random) -> Start:
    """Draw what is started next; what fails is rare."""
    names = [one["templateId"] for one in workflows()]
    template_id = chance.choices(names, [1 if name == FAILS else 3 for name in names])[0]
    return Start(template_id=template_id, input={"risk": chance.randint(0, 9)})


def _slow(block_id: str, after: Sequence[str] = (), delay_ms: int = 200, **more: Any) -> dict[str, Any]:
    """Return a block that takes long enough to be caught in the act."""
    configuration = {"delayMs": delay_ms, **more.pop("configuration", {})}
    return echo(block_id, after, configuration=configuration, **more)


def _line() -> dict[str, Any]:
    names = [f"step{number}" for number in range(5)]
    return template("line", [_slow(name, names[max(number - 1, 0):number]) for number, name in enumerate(names)])


def _fan() -> dict[str, Any]:
    parts = [f"part{number}" for number in range(5)]
    spread = [_slow(name, ["begin"], 150 * number) for number, name in enumerate(parts)]
    return template("fan", [_slow("begin"), *spread, _slow("join", parts), _slow("end", ["join"])])


def _choice() -> dict[str, Any]:
    branches = {"type": "exclusive", "branches": [{"condition": "output.risk > 5", "nextBlocks": ["deep"]},
                                                  {"default": True, "nextBlocks": ["quick"]}]}
    return template("choice", [
        _slow("assess", configuration={"risk": "${input.risk}"}, conditions=branches),
        _slow("deep", delay_ms=500), _slow("deeper", ["deep"]), _slow("quick"),
        _slow("merge", ["deeper", "quick"]), _slow("end", ["merge"])])


def _retry() -> dict[str, Any]:
    flaky = {"failTimes": 2, "failWith": _TRANSIENT}
    return template("retry", [_slow("begin"), _slow("flaky", ["begin"], configuration=flaky, retryPolicy=_RETRIES),
                              _slow("end", ["flaky"])])


def _ask() -> dict[str, Any]:
    return template("ask", [_slow("begin"), gate("first", ["begin"]), _slow("between", ["first"]),
                            gate("second", ["between"]), _slow("end", ["second"])])


def _later() -> dict[str, Any]:
    """An agent that answers 202 and goes on by itself."""
    return template("later", [_slow("begin"), _slow("later", ["begin"], 500, agentId="echo-async"),
                              _slow("end", ["later"])])


def _skip() -> dict[str, Any]:
    guard = {"type": "guard", "expression": "input.risk > 4"}
    return template("skip", [_slow("begin"), _slow("maybe", ["begin"], conditions=guard), _slow("after", ["maybe"]),
                             _slow("beside", ["begin"]), _slow("end", ["after", "beside"])])


def _failing() -> dict[str, Any]:
    hopeless = {"failTimes": 1000, "failWith": _HOPELESS}
    return template(FAILS, [_slow("begin"), _slow("hopeless", ["begin"], configuration=hopeless),
                            _slow("beside", ["begin"], 600), _slow("end", ["hopeless", "beside"])])
