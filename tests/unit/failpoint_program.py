"""A process that makes four calls of ports, one failpoint armed: it says which call it makes before it makes it."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from tests.unit.failpoint_ports import some_ports
from workflow_service.config.moments import MomentKind
from workflow_service.domain import blocks
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.statuses import BlockStatus
from workflow_service.failpoints.arming import arm
from workflow_service.repositories.memory.blocks import BlocksInMemory
from workflow_service.services.engine import Ports

_LEASE = timedelta(seconds=1)


class SlowAgents:
    """Agents that take as long as they are told."""

    def run(self, seconds: float) -> None:
        """Work."""
        time.sleep(seconds)


def say(line: str) -> None:
    """Tell the test where this process is."""
    print(line, flush=True)


def claim(ports: Ports, name: str) -> None:
    """Store a block that is ready, then claim it."""
    ready = BlockExecution(workspace_id="default", execution_id="e", block_id=name, agent_id="echo",
                           status=BlockStatus.READY)
    ports.stores.blocks.insert_all([ready])
    say(f"claim {name}")
    claimed = blocks.claim(ready, "test", datetime.now(UTC), _LEASE)
    assert ports.stores.blocks.change(ready, claimed)
    assert not ports.stores.blocks.change(ready, claimed)


def main(named: str) -> None:
    """Make the calls."""
    ports = some_ports()
    ports = replace(ports, stores=replace(ports.stores, blocks=BlocksInMemory()), agents=cast(Any, SlowAgents()))
    ports = arm(ports, MomentKind().read(named))
    agents = cast(Any, ports.agents)
    claim(ports, "first")
    claim(ports, "second")
    say("fast agent")
    agents.run(0)
    say("slow agent")
    agents.run(1)


main(sys.argv[1])
