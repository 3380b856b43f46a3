"""The rules of a template about what its blocks do besides calling one agent."""

from __future__ import annotations

from collections.abc import Iterator

from workflow_service.domain import edges, expressions
from workflow_service.domain.errors import Issue
from workflow_service.domain.flow import (
    MAX_EARLY_JOIN_EDGES,
    BlockKind,
    FailureAction,
    JoinMode,
    JoinPolicy,
    Late,
    Map,
    SignalWait,
    Timer,
)
from workflow_service.domain.instants import parse_instant
from workflow_service.domain.template import Block, Document, Template

_KINDS = tuple(kind.value for kind in BlockKind if kind is not BlockKind.AGENT)
_WORKING = (BlockKind.AGENT, BlockKind.WORKFLOW)
_WAITING = (BlockKind.WAIT, BlockKind.WAIT_FOR)
_TAKEN_NAMES = (*expressions.VARIABLES, "output", "value", "index", "iteration", "last")
"""What the item of a map can't be called."""


def flow_issues(template: Template) -> Iterator[Issue]:
    """Yield what is wrong with the kinds of blocks, maps, loops, timers, joins and failure policies of a template."""
    ways_in = edges.predecessors(template.blocks)
    for index, block in enumerate(template.blocks):
        path = f"blocks[{index}]"
        yield from _kind_issues(block, path)
        yield from _repeat_issues(block, path)
        if block.wait is not None:
            yield from _timer_issues(block.wait, f"{path}.wait")
        if block.wait_for is not None:
            yield from _signal_issues(block.wait_for, template.document["blocks"][index]["waitFor"], f"{path}.waitFor")
        yield from _join_issues(block.join_policy, len(ways_in[block.block_id]), f"{path}.joinPolicy")
        yield from _failure_issues(block, f"{path}.onFailure")


def _kind_issues(block: Block, path: str) -> Iterator[Issue]:
    said = [kind.value for kind, value in (
        (BlockKind.WORKFLOW, block.workflow), (BlockKind.WAIT, block.wait), (BlockKind.WAIT_FOR, block.wait_for),
        (BlockKind.END, block.end)) if value is not None]
    for name in said[1:]:
        yield Issue(path=f"{path}.{name}", code="several_kinds", message=f"The block says '{said[0]}' already.",
                    allowed=_KINDS)
    for name, value in (("agentId", block.agent_id), ("toolType", block.tool_type)):
        if not said and not value:
            yield Issue(path=f"{path}.{name}", code="required", allowed=_KINDS,
                        message=f"A block needs '{name}', unless it says what is done instead.")
        if said and value:
            yield Issue(path=f"{path}.{name}", code="not_allowed",
                        message=f"No agent does a block that says '{said[0]}'.")
    if block.kind in _WAITING and block.timeout is not None:
        yield Issue(path=f"{path}.timeout", code="not_allowed", message="This is for one call of an agent. A block "
                    f"that says '{block.kind.value}' has its time in there.")


def _repeat_issues(block: Block, path: str) -> Iterator[Issue]:
    repeats = [name for name, value in (("map", block.map), ("loop", block.loop)) if value is not None]
    for name in repeats:
        if block.kind not in _WORKING:
            yield Issue(path=f"{path}.{name}", code="not_allowed",
                        message=f"There is nothing to repeat in a block that says '{block.kind.value}'.")
    if len(repeats) > 1:
        yield Issue(path=f"{path}.loop", code="map_or_loop",
                    message="A block has either a map or a loop; put one of them into a workflow of its own.")
    if block.map is not None:
        yield from _map_issues(block.map, f"{path}.map", _TAKEN_NAMES)


def _map_issues(level: Map, path: str, taken: tuple[str, ...]) -> Iterator[Issue]:
    if level.name in taken:
        yield Issue(path=f"{path}.as", code="name_taken", message=f"'{level.name}' means something else here.")
    if level.inner is not None:
        yield from _map_issues(level.inner, f"{path}.map", (*taken, level.name))


def _timer_issues(timer: Timer, path: str) -> Iterator[Issue]:
    if (timer.duration is None) == (timer.until is None):
        yield Issue(path=path, code="duration_or_until", message="A timer has either a 'duration' or 'until'.",
                    allowed=("duration", "until"))
    elif timer.until is not None and "${" not in timer.until and parse_instant(timer.until) is None:
        yield Issue(path=f"{path}.until", code="bad_instant",
                    message="This is no instant of RFC 3339 with its time zone, such as 2030-01-31T12:00:00Z.")


def _signal_issues(wait: SignalWait, document: Document, path: str) -> Iterator[Issue]:
    for place, name in enumerate(wait.signals):
        if name in wait.signals[:place]:
            yield Issue(path=f"{path}.signals[{place}]", code="duplicate_signal",
                        message=f"'{name}' stands in the list already.")
    if wait.timeout is None and "onTimeout" in document:
        yield Issue(path=f"{path}.onTimeout", code="contradiction",
                    message="Without 'timeout' the block waits for ever, and this never happens.")


def _join_issues(policy: JoinPolicy, ways_in: int, path: str) -> Iterator[Issue]:
    if policy.mode is not JoinMode.N and policy.count != 1:
        yield Issue(path=f"{path}.count", code="not_allowed", message="Only the mode 'n' counts.", allowed=("n",))
    if policy.mode is JoinMode.ALL:
        if policy.late is Late.CANCEL:
            yield Issue(path=f"{path}.late", code="nothing_is_late", allowed=("any", "n"),
                        message="Nothing comes late to a block that begins when all before it have ended.")
        return
    if ways_in > MAX_EARLY_JOIN_EDGES:
        yield Issue(path=path, code="too_many", allowed=(f"at most {MAX_EARLY_JOIN_EDGES}",),
                    message=f"{ways_in} ways lead into the block; one that begins before all of them may have fewer.")
    if policy.mode is JoinMode.N and policy.count > ways_in:
        yield Issue(path=f"{path}.count", code="out_of_range", allowed=(f"1 to {ways_in}",),
                    message=f"Only {ways_in} ways lead into the block.")


def _failure_issues(block: Block, path: str) -> Iterator[Issue]:
    policy = block.on_failure
    if (policy.action is FailureAction.BRANCH) != bool(policy.next_blocks):
        yield Issue(path=f"{path}.nextBlocks", code="branch_or_nothing",
                    message="The action 'branch' needs the blocks of its branch, the others have none.")
    for place, name in enumerate(policy.next_blocks):
        if name in edges.branch_targets(block):
            yield Issue(path=f"{path}.nextBlocks[{place}]", code="two_ways",
                        message=f"'{name}' is a branch of the block's success already.")
