"""Tasks that run blocks: ids in, nothing out. They never raise for what an agent does; outcomes are stored."""

from __future__ import annotations

import logging

from tasks import names
from tasks.app import app
from tasks.worker import process
from workflow_service.domain.commands import RunBlock
from workflow_service.domain.errors import WorkflowServiceError

log = logging.getLogger(__name__)


@app.task(name=names.RUN_BLOCK)
def run(workspace_id: str, execution_id: str, block_id: str, epoch: int, brings: str | None) -> None:
    """Run a block and go on with its run."""
    command = RunBlock(workspace_id=workspace_id, execution_id=execution_id, block_id=block_id, epoch=epoch,
                       brings=brings)
    try:
        process.application().engine.blocks.run(command)
    except WorkflowServiceError as error:  # the store is away
        log.warning("left to the sweep: %s", error, extra={"execution_id": execution_id, "block_id": block_id})
    except Exception:  # a chord must be able to count to its end, whatever bug there is
        log.exception("left to the sweep", extra={"execution_id": execution_id, "block_id": block_id})


@app.task(name=names.RUN_JOINED_BLOCK, ignore_result=False)
def run_joined(workspace_id: str, execution_id: str, block_id: str, epoch: int, brings: str | None) -> None:
    """Run a block in the header of a chord; it returns normally whatever happens, so the chord counts to its end."""
    run(workspace_id, execution_id, block_id, epoch, brings)
