"""The names of queues and tasks, as operators see them in Flower."""

from __future__ import annotations

from workflow_service.domain.routing import USUAL_QUEUE

BLOCKS = USUAL_QUEUE
"""The queue of block work that names no other."""
CONTROL = "control"
"""The queue of repair, served by workers of its own so that it never waits behind what it repairs."""

RUN_BLOCK = "blocks.run"
"""Run a block and go on with its run."""
RUN_JOINED_BLOCK = "blocks.run_joined"
"""The same within the header of a chord, which counts results."""

SWEEP_BLOCKS = "sweeps.blocks"
SWEEP_EXECUTIONS = "sweeps.executions"
SWEEP_WAITS = "sweeps.waits"
SWEEP_APPROVALS = "sweeps.approvals"
SWEEP_CHECKPOINTS = "sweeps.checkpoints"
FOLLOW_STATE_CHANGES = "sweeps.state_changes"
SWEEPS = (SWEEP_BLOCKS, SWEEP_EXECUTIONS, SWEEP_WAITS, SWEEP_APPROVALS, SWEEP_CHECKPOINTS, FOLLOW_STATE_CHANGES)
"""All of them, sent by Celery beat."""
