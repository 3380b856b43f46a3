"""Short lives, each of which goes wrong when a guard is missing; each returns what is wrong in the end."""

from __future__ import annotations

from datetime import timedelta

from tests.support.protocol.scenes import started
from tests.support.protocol.templates import block, gate, template
from tests.support.protocol.world import LEASE, World
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus


def _settled(world: World) -> list[str]:
    world.run_all()
    world.settle_down()
    return world.wrong()


def _not_completed(world: World) -> list[str]:
    found = _settled(world)
    assert world.execution is not None
    return found if world.execution.status is ExecutionStatus.COMPLETED else [*found, world.execution.status.value]


def slow_owner(worlds: list[World]) -> list[str]:
    """An owner is slow; another claims the block; then the result of the first comes."""
    world = started(worlds, block("A"), block("B", "A"))
    world.work("A", until="blocks.change A:1f1v2/running A:1f1v3/completed")
    world.pass_time(2 * LEASE)
    world.sweep(world.processes[1], "blocks")
    world.stage.lead("sweep")
    world.work("A", by=1, until="executions.get")
    world.stage.lead("p1.worker")
    return _settled(world)


def message_in_a_pause(worlds: list[World]) -> list[str]:
    """A message comes when the execution is paused."""
    world = started(worlds, block("A"), block("B", "A"))
    world.operate(world.processes[1], "pause")
    world.run_all()
    world.work("A")
    return _settled(world)


def early_answer(worlds: list[World]) -> list[str]:
    """A person answers before the block is parked; no sweep comes, only messages."""
    world = started(worlds, gate("G"))
    world.work("G", until="blocks.change G:1f1v2/running G:1f1v3/awaiting")
    world.answer_all()
    world.stage.lead("decider")
    world.stage.lead("worker")
    world.work_all()
    return [] if world.block_status("G") is BlockStatus.COMPLETED else ["G was not woken"]


def death_before_the_release(worlds: list[World]) -> list[str]:
    """A worker dies when its block has completed and nobody was told."""
    world = started(worlds, block("A"), block("B", "A"))
    world.work("A", until="blocks.change B:")
    world.crash(world.processes[0])
    return _settled(world)


def restart_before_the_close(worlds: list[World]) -> list[str]:
    """All has ended; before the execution is closed, an operator restarts it."""
    world = started(worlds, block("A"))
    world.work("A", until="executions.change")
    world.operate(world.processes[1], "restart", "A")
    world.stage.lead("restart")
    world.stage.lead("worker")
    return _settled(world)


def release_after_a_restart(worlds: list[World]) -> list[str]:
    """A is restarted when its result was about to be told to D."""
    world = started(worlds, block("A"), block("B"), block("D", "A", "B"))
    world.work("B")
    world.work("A", until="blocks.first_open")
    world.operate(world.processes[1], "restart", "A")
    world.stage.lead("restart")
    world.stage.lead("worker")
    world.work("D")
    return _settled(world)


def one_after_the_other(worlds: list[World]) -> list[str]:
    """Three blocks share one slot."""
    return _settled(started(worlds, block("A"), block("B"), block("C"), maxParallelBlocks=1))


def one_after_the_other_without_sweep(worlds: list[World]) -> list[str]:
    """Three blocks share one slot; no sweep comes, only messages."""
    world = started(worlds, block("A"), block("B"), block("C"), maxParallelBlocks=1)
    world.work_all()
    return [name for name in "ABC" if world.block_status(name) is not BlockStatus.COMPLETED]


def message_twice(worlds: list[World]) -> list[str]:
    """A message comes twice; the second worker has read the block when the first claims it."""
    world = started(worlds, block("A"))
    world.messages.append(world.messages[0])
    world.work("A", until="blocks.change A:")
    world.work("A", by=1)
    world.stage.lead("p1.worker")
    return _settled(world)


def close_and_restart_of_a_gate(worlds: list[World]) -> list[str]:
    """Who closed the execution withdraws its requests only after it was restarted and has asked anew."""
    world = started(worlds, gate("G"))
    world.work("G")
    world.flush_all()
    world.answer_all()
    world.run_all()
    world.work("G", until="waits.open_of")
    world.operate(world.processes[1], "restart", "G")
    world.stage.lead("restart")
    world.work("G", by=1)
    world.flush_all()
    world.stage.lead("worker(G:1)")
    return _settled(world)


def resume_before_paused(worlds: list[World]) -> list[str]:
    """Nothing runs; before that is shown the pause is lifted and the next block has begun."""
    world = started(worlds, block("A"), block("B", "A"))
    world.operate(world.processes[0], "pause")
    world.stage.lead("pause", until="/pausing['operator'] v")
    world.operate(world.processes[1], "resume")
    world.stage.lead("resume")
    world.work("A", by=1, until="agent works")
    world.stage.lead("pause")
    return _not_completed(world)


def force_while_the_agent_works(worlds: list[World]) -> list[str]:
    """The agent is at work when its execution is cancelled by force."""
    world = started(worlds, block("A"))
    world.work("A", until="agent works")
    world.operate(world.processes[1], "force")
    world.stage.lead("force")
    return _settled(world)


def restart_while_the_agent_works(worlds: list[World]) -> list[str]:
    """The agent is at work when its block is restarted."""
    world = started(worlds, block("A"))
    world.work("A", until="agent works")
    world.operate(world.processes[1], "restart", "A")
    world.stage.lead("restart")
    world.work("A", by=1, until="agent works")
    return _settled(world)


def hold_before_the_start(worlds: list[World]) -> list[str]:
    """A hold is applied when an execution is on its way and not stored."""
    world = World(document=template("t", block("A")))
    worlds.append(world)
    world.start(world.processes[0])
    world.stage.lead("start", until="executions.insert")
    world.operate(world.processes[1], "hold")
    world.stage.lead("hold")
    world.stage.lead("start")
    world.work_all()
    return _settled(world)


def hold_of_what_has_ended(worlds: list[World]) -> list[str]:
    """A hold is applied when an execution has ended; then it is restarted."""
    world = started(worlds, block("A"))
    world.work("A")
    world.flush_all()
    world.operate(world.processes[1], "hold")
    world.run_all()
    world.operate(world.processes[0], "restart", "A")
    world.run_all()
    world.work_all()
    return _settled(world)


def hold_and_lift_at_once(worlds: list[World]) -> list[str]:
    """A hold is lifted before who places it has given it to the execution; no sweep comes."""
    world = _lifted_while_it_is_placed(worlds)
    world.stage.lead("hold")
    assert world.execution is not None
    return list(world.execution.holds)


def death_after_a_stale_hold(worlds: list[World]) -> list[str]:
    """The same, and who places it dies when the execution has the hold and all that was told of it."""
    world = _lifted_while_it_is_placed(worlds)
    world.stage.lead("hold", until="executions.get")
    world.stage.lead("hold", until="executions.change")
    world.stage.step(world.stage.actors[0])
    world.flush(world.processes[0])
    world.stage.lead("flush")
    world.crash(world.processes[0])
    return _not_completed(world)


def _lifted_while_it_is_placed(worlds: list[World]) -> World:
    world = started(worlds, block("A"))
    world.operate(world.processes[0], "hold")
    world.stage.lead("hold", until="executions.change")
    world.operate(world.processes[1], "lift")
    world.stage.lead("lift")
    return world


def cancel_in_a_restart(worlds: list[World]) -> list[str]:
    """A restart is cancelled when it is about to read the block that it resets."""
    world = started(worlds, block("A"))
    world.work("A")
    world.flush_all()
    world.operate(world.processes[0], "restart", "A")
    world.stage.lead("restart", until="blocks.get w e:A")
    world.operate(world.processes[1], "cancel")
    world.stage.lead("cancel")
    return _settled(world)


def cancel_before_a_reset(worlds: list[World]) -> list[str]:
    """A restart is cancelled when it is about to reset a block, and has looked for the last time."""
    world = started(worlds, block("A"))
    world.work("A")
    world.flush_all()
    world.operate(world.processes[0], "restart", "A")
    world.stage.lead("restart", until="blocks.change A")
    world.operate(world.processes[1], "cancel")
    world.stage.lead("cancel")
    world.stage.lead("restart")
    return _settled(world)


def long_pause(worlds: list[World]) -> list[str]:
    """The execution is paused for longer than its time-out."""
    world = started(worlds, block("A"), timeout=60_000)
    world.operate(world.processes[0], "pause")
    world.run_all()
    world.flush_all()
    world.pass_time(timedelta(minutes=2))
    world.sweep(world.processes[0], "executions")
    return _settled(world)


def pause_of_a_request(worlds: list[World]) -> list[str]:
    """A request would be overdue, but the execution is paused and its clock stands still."""
    world = started(worlds, gate("G", wait_s=60))
    world.work("G")
    world.flush_all()
    world.operate(world.processes[0], "pause")
    world.run_all()
    world.pass_time(timedelta(minutes=2))
    world.sweep(world.processes[0], "approvals")
    return _settled(world)
