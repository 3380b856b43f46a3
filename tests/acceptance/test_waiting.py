"""Timers and signals on real processes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support.driver import Driver, eventually
from tests.support.scenarios import echo, template
from workflow_service.domain.instants import parse_instant

pytestmark = pytest.mark.acceptance

PATIENCE = timedelta(seconds=30)
IN_TIME_OR_NOT = {"type": "exclusive", "branches": [{"condition": "output.timedOut", "nextBlocks": ["late"]},
                                                    {"default": True, "nextBlocks": ["intime"]}]}


def awaits(name: str, *after: str, **more: Any) -> dict[str, Any]:
    """Return a block that waits for the signal of its own name."""
    return {"blockId": name, "dependencies": list(after), "waitFor": {"signals": [name], **more.pop("waitFor", {})},
            **more}


def test_a_timer_an_early_signal_and_a_time_out(driver: Driver) -> None:
    # Given
    driver.store(template("waiting", [
        echo("begin"),
        {"blockId": "second", "dependencies": ["begin"], "wait": {"duration": 1000}},
        awaits("early", "second"),
        awaits("never", "early", waitFor={"timeout": 500, "onTimeout": "continue"}, conditions=IN_TIME_OR_NOT),
        echo("late"), echo("intime"),
        awaits("last", "late"),
        echo("end", ["last"], configuration={"amount": "${blocks.last.output.signals.last.amount}"})]))
    # When
    run = driver.start("waiting")
    driver.post(f"/executions/{run}/signals/early", {"payload": {"amount": 1}})
    eventually(lambda: driver.show(run)["blockedBlocks"] == ["last"] or None, PATIENCE)
    waiting = {block["blockId"]: block["waitingFor"] for block in driver.show(run)["blockExecutions"]}
    driver.post(f"/executions/{run}/signals/last", {"payload": {"amount": 2}})
    ended = driver.ended(run, PATIENCE)
    # Then
    blocks = {block["blockId"]: block for block in ended["blockExecutions"]}
    assert waiting["last"] == {"kind": "signal", "until": None, "signals": ["last"], "mode": "any"}
    fired, began = parse_instant(blocks["second"]["output"]["firedAt"]), parse_instant(blocks["begin"]["completedAt"])
    assert fired is not None and began is not None and fired - began >= timedelta(seconds=1)
    assert blocks["early"]["output"] == {"timedOut": False, "signal": "early", "signals": {"early": {"amount": 1}}}
    assert blocks["never"]["output"] == {"timedOut": True, "signals": {}}
    assert (blocks["late"]["status"], blocks["intime"]["status"]) == ("completed", "skipped")
    assert (ended["status"], blocks["end"]["output"]["amount"]) == ("completed", 2)
    taken = {signal["name"]: signal["takenBy"] for signal in driver.get(f"/executions/{run}/signals")["signals"]}
    assert taken == {"early": "early", "last": "last"}
    checked = eventually(lambda: (lambda found: found if found["valid"] else None)(
        driver.get(f"/executions/{run}/verify")), PATIENCE)
    assert checked["counts"]["signals"] == 2
