"""All failpoints, in the order in which an execution may reach them.

Most of them are recognised by the change that is written: what the document was, and what it becomes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.execution import Execution
from workflow_service.domain.statuses import ApprovalStatus, BlockStatus, ExecutionStatus, WaitStatus
from workflow_service.domain.wait import Wait
from workflow_service.failpoints.failpoint import Failpoint, Predicate, When

_RUNNING, _READY, _PENDING = BlockStatus.RUNNING, BlockStatus.READY, BlockStatus.PENDING


def _any(arguments: Sequence[Any], result: Any) -> bool:
    return True


def _some_documents(arguments: Sequence[Any], result: Any) -> bool:
    return bool(arguments[0])


def _change(is_meant: Callable[[Any, Any], bool]) -> Predicate:
    """Return the predicate of a ``change``, from one of what was and what is to be; a change that failed is none."""
    return lambda arguments, result: result is not False and is_meant(arguments[0], arguments[1])


def _is_opened(before: Execution, after: Execution) -> bool:
    return (before.status, after.status) == (ExecutionStatus.PENDING, ExecutionStatus.RUNNING)


def _is_cancelled(before: Execution, after: Execution) -> bool:
    return before.status is not after.status is ExecutionStatus.CANCELLING


def _begins_restart(before: Execution, after: Execution) -> bool:
    return before.restart_targets is None and after.restart_targets is not None


def _ends_restart(before: Execution, after: Execution) -> bool:
    return before.restart_targets is not None and after.restart_targets is None


def _is_closed(before: Execution, after: Execution) -> bool:
    return after.status.is_terminal and not before.status.is_terminal


def _is_claimed(before: BlockExecution, after: BlockExecution) -> bool:
    return after.status is _RUNNING and after.fence > before.fence


def _is_completed(before: BlockExecution, after: BlockExecution) -> bool:
    return (before.status, after.status) == (_RUNNING, BlockStatus.COMPLETED)


def _is_made_ready(before: BlockExecution, after: BlockExecution) -> bool:
    return (before.status, after.status) == (_PENDING, _READY)


def _is_joined(before: BlockExecution, after: BlockExecution) -> bool:
    return before.status is _PENDING and after.satisfied > 1 and after.status in (_READY, _RUNNING)


def _awaits_retry(before: BlockExecution, after: BlockExecution) -> bool:
    return after.status is BlockStatus.RETRY_WAIT


def _is_retried(before: BlockExecution, after: BlockExecution) -> bool:
    return (before.status, after.status) == (BlockStatus.RETRY_WAIT, _READY)


def _is_parked(before: BlockExecution, after: BlockExecution) -> bool:
    return after.status.is_parked


def _is_woken(before: BlockExecution, after: BlockExecution) -> bool:
    return before.status.is_parked and after.status is _READY


def _is_reset(before: BlockExecution, after: BlockExecution) -> bool:
    return after.epoch > before.epoch


def _is_decided(before: Approval, after: Approval) -> bool:
    return after.status in (ApprovalStatus.APPROVED, ApprovalStatus.REJECTED)


def _is_fired(before: Wait, after: Wait) -> bool:
    return after.status is WaitStatus.FIRED


def _before(name: str, description: str, port: str, method: str, holds: Predicate) -> Failpoint:
    return Failpoint(name=name, description=description, port=port, method=method, when=When.BEFORE, holds=holds)


def _after(name: str, description: str, port: str, method: str, holds: Predicate) -> Failpoint:
    return Failpoint(name=name, description=description, port=port, method=method, when=When.AFTER, holds=holds)


_EXECUTIONS, _BLOCKS, _WAITS, _APPROVALS = "stores.executions", "stores.blocks", "stores.waits", "stores.approvals"

FAILPOINTS: Sequence[Failpoint] = (
    _after("execution_stored", "An execution is stored; its blocks are not.", _EXECUTIONS, "insert", _any),
    _after("blocks_stored", "The blocks of an execution are stored; it has not started.", _BLOCKS, "insert_all", _any),
    _after("execution_started", "An execution has started; nothing of it was sent.", _EXECUTIONS, "change",
           _change(_is_opened)),
    _after("claimed", "A block is claimed; its agent was not called.", _BLOCKS, "change", _change(_is_claimed)),
    Failpoint(name="agent_called", description="The agent is at work, and was for a tenth of a second.", port="agents",
              method="run", when=When.DURING, holds=_any),
    _after("agent_answered", "The agent has answered; nothing of it is stored.", "agents", "run", _any),
    _after("completed", "The completion of a block is stored; its successors were not told.", _BLOCKS, "change",
           _change(_is_completed)),
    _after("edge_decided", "Who has ended has looked whether it was the last before a join.", _BLOCKS, "first_open",
           _any),
    _before("joining", "All edges of a join are decided; it is not ready yet.", _BLOCKS, "change", _change(_is_joined)),
    _after("ready", "A block was made ready by its predecessor; it was not sent.", _BLOCKS, "change",
           _change(_is_made_ready)),
    _after("retry_stored", "A failed attempt is stored; the block waits for the next one.", _BLOCKS, "change",
           _change(_awaits_retry)),
    _after("retry_due", "The sweep has made a block ready for its next attempt; it was not sent.", _BLOCKS, "change",
           _change(_is_retried)),
    _before("sending", "Something is about to be sent to the workers.", "dispatcher", "dispatch", _any),
    _after("wait_stored", "What a block waits for is stored; the block is not parked.", _WAITS, "insert", _any),
    _after("parked", "A block is parked; nobody was told, and its message is not acknowledged.", _BLOCKS, "change",
           _change(_is_parked)),
    _after("decided", "A person's decision is stored; the wait for it has not fired.", _APPROVALS, "change",
           _change(_is_decided)),
    _after("wait_fired", "A wait has fired; its block is parked still.", _WAITS, "change", _change(_is_fired)),
    _after("woken", "A parked block was made ready; it was not sent.", _BLOCKS, "change", _change(_is_woken)),
    _after("cancelling", "It is stored that an execution is cancelled; none of its blocks is.", _EXECUTIONS, "change",
           _change(_is_cancelled)),
    _after("restart_intended", "The intent of a restart is stored; no block is reset.", _EXECUTIONS, "change",
           _change(_begins_restart)),
    _after("block_reset", "A restart has reset one block.", _BLOCKS, "change", _change(_is_reset)),
    _after("restart_ended", "A restart is at its end; what it made ready was not sent.", _EXECUTIONS, "change",
           _change(_ends_restart)),
    _after("closed", "The end of an execution is stored; nobody was told.", _EXECUTIONS, "change", _change(_is_closed)),
    _after("relayed", "Events are in the history; checkpoints were not sent.", "events", "append", _some_documents),
    _before("unmarked", "Events and checkpoints were told; it is not stored that they were.", _BLOCKS, "rest",
            _some_documents),
)
"""Each of them."""

BY_NAME: Mapping[str, Failpoint] = {failpoint.name: failpoint for failpoint in FAILPOINTS}
"""The same by name."""
