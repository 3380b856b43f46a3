"""What every adapter of the port ``StateService`` must do.

It runs on the one in memory, and on the one over HTTP with the reference State Management Service behind it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Protocol
from uuid import uuid4

import pytest
import requests

from tests.support.services import running_state_service
from workflow_service.domain.changes import StateChanges
from workflow_service.domain.errors import Invalid, Unavailable
from workflow_service.domain.execution import Execution
from workflow_service.domain.recovery import Checkpoint, RecoveryPoint
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus
from workflow_service.integrations.http import JsonClient, Retries
from workflow_service.integrations.memory.state import InMemoryStateService
from workflow_service.integrations.state_documents import checkpoint_document, play_document, recovery_point_document
from workflow_service.integrations.state_service import HttpStateService
from workflow_service.services.ports import StateService

PATIENCE_SECONDS = 10.0
BEYOND_THE_END = 2**53 - 1
NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
Seen = Mapping[str, Any] | None
"""A thing as the service shows it, in the names of its contract; None if it is not there."""


class StateServiceWithChanges(StateService, Protocol):
    """The port, and the changes."""

    def changes(self, after: int, wait: timedelta) -> StateChanges:
        """Return the changes after a cursor."""


class World(Protocol):
    """A State Management Service, seen from outside."""

    @property
    def service(self) -> StateServiceWithChanges:
        """The adapter under test."""

    def play(self, workspace_id: str) -> Seen:
        """Return the execution ``e1``."""

    def block(self, workspace_id: str, block_id: str) -> Seen:
        """Return a block of ``e1``."""

    def points(self, workspace_id: str) -> list[Mapping[str, Any]]:
        """Return the recovery points of ``e1``."""

    def set_context(self, workspace_id: str, context: Mapping[str, Any]) -> None:
        """Change the shared context as somebody else."""

    def go_down(self) -> None:
        """Let the service vanish."""

    def come_back(self) -> None:
        """Let the service be there again."""


class InMemoryWorld:
    """The adapter in memory."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.service = InMemoryStateService()

    def play(self, workspace_id: str) -> Seen:
        """Return the execution ``e1``."""
        found = self.service.play(workspace_id, "e1")
        return None if found is None else play_document(found)

    def block(self, workspace_id: str, block_id: str) -> Seen:
        """Return a block of ``e1``."""
        found = self.service.block(workspace_id, "e1", block_id)
        return None if found is None else checkpoint_document(found)

    def points(self, workspace_id: str) -> list[Mapping[str, Any]]:
        """Return the recovery points of ``e1``."""
        return [{"pointId": point.point_id, **recovery_point_document(point)}
                for point in self.service.recovery_points(workspace_id, "e1")]

    def set_context(self, workspace_id: str, context: Mapping[str, Any]) -> None:
        """Change the shared context as somebody else."""
        self.service.set_context(workspace_id, context)

    def go_down(self) -> None:
        """Let the service vanish."""
        self.service.set_available(False)

    def come_back(self) -> None:
        """Let the service be there again."""
        self.service.set_available(True)


class HttpWorld:
    """The adapter over HTTP, and the reference service."""

    def __init__(self, url: str, client: JsonClient, kill: Callable[[], None], restart: Callable[[], None]) -> None:
        """Take the service."""
        self.service = HttpStateService(client)
        self._url = url
        self._kill = kill
        self._restart = restart

    def play(self, workspace_id: str) -> Seen:
        """Return the execution ``e1``."""
        seen = self._get(f"/workspaces/{workspace_id}/plays/e1")
        if seen is None or seen["status"] == "unknown":
            return None
        return {**seen, "context": seen["globalContext"]}

    def block(self, workspace_id: str, block_id: str) -> Seen:
        """Return a block of ``e1``."""
        return self._get(f"/workspaces/{workspace_id}/plays/e1/blocks/{block_id}")

    def points(self, workspace_id: str) -> list[Mapping[str, Any]]:
        """Return the recovery points of ``e1``."""
        seen = self._get(f"/workspaces/{workspace_id}/plays/e1/recovery-points")
        return [] if seen is None else seen["recoveryPoints"]

    def set_context(self, workspace_id: str, context: Mapping[str, Any]) -> None:
        """Change the shared context as somebody else."""
        requests.patch(f"{self._url}/workspaces/{workspace_id}/context", timeout=PATIENCE_SECONDS,
                       json={"context": context, "source": "somebody"}).raise_for_status()

    def go_down(self) -> None:
        """Kill the service."""
        self._kill()

    def come_back(self) -> None:
        """Start the service again."""
        self._restart()

    def _get(self, path: str) -> dict[str, Any] | None:
        answer = requests.get(self._url + path, timeout=PATIENCE_SECONDS)
        if answer.status_code == requests.codes.not_found:
            return None
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="module", params=["memory", "http"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a State Management Service."""
    if request.param == "memory":
        yield InMemoryWorld()
        return
    with running_state_service(tmp_path_factory.mktemp("state")) as server, JsonClient(
            server.url, service="State Management Service", timeout=timedelta(seconds=PATIENCE_SECONDS),
            retries=Retries(attempts=2, first_delay=timedelta(milliseconds=1))) as client:
        yield HttpWorld(server.url, client, server.process.kill, server.process.restart)


@pytest.fixture
def state(world: World) -> StateServiceWithChanges:
    """Give the adapter under test."""
    return world.service


@pytest.fixture
def workspace() -> str:
    """Give the id of a workspace of its own."""
    return f"w-{uuid4().hex}"


def execution(workspace_id: str, **changes: Any) -> Execution:
    """Return an execution."""
    usual: dict[str, Any] = {"workspace_id": workspace_id, "execution_id": "e1", "template_id": "t-1",
                             "template_version": "1.2.3", "created_by": "ada", "created_at": NOON}
    return Execution(**{**usual, **changes})


def checkpoint(workspace_id: str, block_id: str = "b1", **changes: Any) -> Checkpoint:
    """Return a checkpoint."""
    usual: dict[str, Any] = {"workspace_id": workspace_id, "execution_id": "e1", "block_id": block_id, "epoch": 1,
                             "fence": 1, "status": BlockStatus.COMPLETED, "retry_count": 0}
    return Checkpoint(**{**usual, **changes})


def point(workspace_id: str, point_id: str = "e1-1", **changes: Any) -> RecoveryPoint:
    """Return a recovery point."""
    usual: dict[str, Any] = {"point_id": point_id, "workspace_id": workspace_id, "execution_id": "e1",
                             "timestamp": NOON, "state": {"b1": {"status": "completed", "epoch": 1}},
                             "completed_blocks": ("b1",)}
    return RecoveryPoint(**{**usual, **changes})


def shows(seen: Seen, **fields: Any) -> bool:
    """Say whether a thing is there and has these fields."""
    return seen is not None and {name: seen.get(name) for name in fields} == fields


def instant(seen: Seen, field: str) -> datetime | None:
    """Return an instant of a thing."""
    assert seen is not None
    return datetime.fromisoformat(seen[field]) if seen.get(field) else None


def changes_of(state: StateServiceWithChanges, workspace_id: str, after: int) -> list[tuple[str, str | None, str]]:
    """Return the changes of a workspace: kind, block and source."""
    found = state.changes(after, timedelta()).changes
    return [(change.kind, change.block_id, change.source) for change in found if change.workspace_id == workspace_id]


def end_of_changes(state: StateServiceWithChanges) -> int:
    """Return the cursor after all that was changed."""
    return state.changes(BEYOND_THE_END, timedelta()).next_cursor


class TestExecutions:
    """Plays."""

    def test_one_that_has_not_started(self, world: World, state: StateService, workspace: str) -> None:
        assert world.play(workspace) is None
        state.put_play(execution(workspace, input={"a": [1, "é"]}, context={"c": {"d": None}}))
        seen = world.play(workspace)
        assert shows(seen, status="pending", templateId="t-1", templateVersion="1.2.3", createdBy="ada", generation=0,
                     input={"a": [1, "é"]}, context={"c": {"d": None}})
        assert (instant(seen, "startedAt"), instant(seen, "completedAt")) == (NOON, None)

    def test_one_that_has_ended(self, world: World, state: StateService, workspace: str) -> None:
        paris = timezone(timedelta(hours=1))
        state.put_play(execution(workspace, status=ExecutionStatus.COMPLETED, started_at=NOON + timedelta(seconds=1),
                                 completed_at=datetime(2026, 3, 2, 0, 30, tzinfo=paris)))
        seen = world.play(workspace)
        assert instant(seen, "startedAt") == NOON + timedelta(seconds=1)
        assert instant(seen, "completedAt") == datetime(2026, 3, 1, 23, 30, tzinfo=UTC)

    @pytest.mark.parametrize("status", list(ExecutionStatus))
    def test_every_status(self, world: World, state: StateService, workspace: str, status: ExecutionStatus) -> None:
        state.put_play(execution(workspace, status=status))
        assert shows(world.play(workspace), status=status.value)

    @pytest.mark.parametrize(("generation", "status"), [(1, "running"), (2, "failed"), (3, "failed")])
    def test_an_older_version_changes_nothing(self, world: World, state: StateService, workspace: str,
                                              generation: int, status: str) -> None:
        state.put_play(execution(workspace, status=ExecutionStatus.RUNNING, version=2))
        state.put_play(execution(workspace, status=ExecutionStatus.FAILED, version=generation))
        assert shows(world.play(workspace), status=status, generation=max(generation, 2))

    def test_one_that_was_opened_again_is_not_complete(self, world: World, state: StateService,
                                                       workspace: str) -> None:
        ended = execution(workspace, status=ExecutionStatus.FAILED, completed_at=NOON)
        state.put_play(ended)
        state.put_play(replace(ended, status=ExecutionStatus.RUNNING, completed_at=None, version=2))
        assert instant(world.play(workspace), "completedAt") is None

    def test_workspaces_are_apart(self, world: World, state: StateService, workspace: str) -> None:
        state.put_play(execution(workspace, created_by="ada"))
        state.put_play(execution(f"{workspace}-2", created_by="bob"))
        assert shows(world.play(workspace), createdBy="ada") and shows(world.play(f"{workspace}-2"), createdBy="bob")

    def test_what_is_no_json_is_refused(self, world: World, state: StateService, workspace: str) -> None:
        with pytest.raises(Invalid):
            state.put_play(execution(workspace, input={"x": float("nan")}))
        assert world.play(workspace) is None


class TestBlocks:
    """Checkpoints."""

    def test_all_of_a_block(self, world: World, state: StateService, workspace: str) -> None:
        assert world.block(workspace, "b1") is None
        state.checkpoint([checkpoint(
            workspace, epoch=2, fence=7, status=BlockStatus.FAILED, retry_count=3, agent_id="a-1", input={"i": 1},
            output={"o": [None]}, error={"code": "c"}, started_at=NOON, completed_at=NOON + timedelta(seconds=1))])
        seen = world.block(workspace, "b1")
        assert shows(seen, blockId="b1", executionId="e1", agentId="a-1", status="failed", epoch=2, fence=7,
                     retryCount=3, input={"i": 1}, output={"o": [None]}, error={"code": "c"})
        assert (instant(seen, "startedAt"), instant(seen, "completedAt")) == (NOON, NOON + timedelta(seconds=1))

    @pytest.mark.parametrize("status", list(BlockStatus))
    def test_every_status(self, world: World, state: StateService, workspace: str, status: BlockStatus) -> None:
        state.checkpoint([checkpoint(workspace, status=status, fence=0)])
        assert shows(world.block(workspace, "b1"), status=status.value)

    @pytest.mark.parametrize("block_id", ["~b2~1", "b:0:12", "x" * 128])
    def test_ids_that_the_engine_composes(self, world: World, state: StateService, workspace: str,
                                          block_id: str) -> None:
        state.checkpoint([checkpoint(workspace, block_id)])
        assert shows(world.block(workspace, block_id), status="completed")

    @pytest.mark.parametrize(("epoch", "fence", "is_newer"), [
        (1, 1, False), (2, 4, False), (2, 5, False), (1, 99, False), (2, 6, True), (3, 0, True)])
    def test_a_late_one_changes_nothing(self, world: World, state: StateService, workspace: str, epoch: int,
                                        fence: int, is_newer: bool) -> None:
        state.checkpoint([checkpoint(workspace, epoch=2, fence=5, output={"from": "first"})])
        state.checkpoint([checkpoint(workspace, epoch=epoch, fence=fence, output={"from": "second"})])
        assert shows(world.block(workspace, "b1"), output={"from": "second" if is_newer else "first"})

    def test_a_newer_one_replaces_all_of_it(self, world: World, state: StateService, workspace: str) -> None:
        state.checkpoint([checkpoint(workspace, output={"o": 1}, error={"code": "c"}, completed_at=NOON)])
        state.checkpoint([checkpoint(workspace, fence=2, status=BlockStatus.RUNNING)])
        seen = world.block(workspace, "b1")
        assert shows(seen, status="running", output=None, error=None)
        assert instant(seen, "completedAt") is None

    def test_any_mix_in_one_call(self, world: World, state: StateService, workspace: str) -> None:
        state.checkpoint([
            checkpoint(workspace, "b1", fence=2, output={"from": "newer"}), checkpoint(f"{workspace}-2", "b1"),
            checkpoint(workspace, "b1", fence=1), checkpoint(workspace, "b2")])
        assert shows(world.block(workspace, "b1"), output={"from": "newer"})
        assert world.block(workspace, "b2") and world.block(f"{workspace}-2", "b1")
        assert world.block(f"{workspace}-2", "b2") is None

    def test_none(self, state: StateService) -> None:
        state.checkpoint([])

    def test_very_many(self, world: World, state: StateService, workspace: str) -> None:
        state.checkpoint([checkpoint(workspace, f"b{number}") for number in range(1500)])
        assert all(world.block(workspace, block_id) for block_id in ("b0", "b999", "b1000", "b1499"))

    def test_very_large_ones(self, world: World, state: StateService, workspace: str) -> None:
        output = {"text": "x" * 3_000_000}
        state.checkpoint([checkpoint(workspace, f"b{number}", output=output) for number in range(12)])
        assert shows(world.block(workspace, "b11"), output=output)

    def test_one_that_is_no_json_does_not_keep_the_others_back(self, world: World, state: StateService,
                                                               workspace: str) -> None:
        with pytest.raises(Invalid) as raised:
            state.checkpoint([checkpoint(workspace, "b1"), checkpoint(workspace, "b2", output={"x": float("inf")}),
                              checkpoint(workspace, "b3")])
        assert [issue.path for issue in raised.value.issues] == ["e1:b2"]
        assert world.block(workspace, "b1") and world.block(workspace, "b3") and not world.block(workspace, "b2")

    def test_blocks_may_come_before_their_execution(self, world: World, state: StateService, workspace: str) -> None:
        state.checkpoint([checkpoint(workspace)])
        state.put_recovery_point(point(workspace))
        assert world.play(workspace) is None
        state.put_play(execution(workspace))
        assert shows(world.play(workspace), status="pending")
        assert world.block(workspace, "b1") and world.points(workspace)

    def test_many_threads_at_once_end_with_the_newest(self, world: World, state: StateService, workspace: str) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda fence: state.checkpoint([checkpoint(workspace, fence=fence)]), range(40)))
        assert shows(world.block(workspace, "b1"), fence=39)


class TestRecoveryPoints:
    """Recovery points."""

    def test_they_are_kept_the_oldest_first(self, world: World, state: StateService, workspace: str) -> None:
        later = point(workspace, "e1-2", timestamp=NOON + timedelta(milliseconds=1), state={}, completed_blocks=())
        state.put_recovery_point(later)
        state.put_recovery_point(point(workspace, completed_blocks=("b1", "~b2~1")))
        assert tuple(state.recovery_points(workspace, "e1")) == (
            point(workspace, completed_blocks=("b1", "~b2~1")), later)
        assert [one["pointId"] for one in world.points(workspace)] == ["e1-1", "e1-2"]
        assert shows(world.points(workspace)[0], state={"b1": {"status": "completed", "epoch": 1}},
                     completedBlocks=["b1", "~b2~1"])

    def test_the_same_one_twice_is_one(self, state: StateService, workspace: str) -> None:
        for blocks in (("b1",), ("b1",), ("b1", "b2")):
            state.put_recovery_point(point(workspace, completed_blocks=blocks))
        assert tuple(state.recovery_points(workspace, "e1")) == (point(workspace, completed_blocks=("b1", "b2")),)

    def test_there_are_none(self, state: StateService, workspace: str) -> None:
        assert tuple(state.recovery_points(workspace, "e1")) == ()
        state.put_play(execution(workspace))
        assert tuple(state.recovery_points(workspace, "e1")) == ()
        state.put_recovery_point(point(workspace))
        assert tuple(state.recovery_points(f"{workspace}-2", "e1")) == ()
        assert tuple(state.recovery_points(workspace, "e2")) == ()


class TestContext:
    """The context that executions share."""

    def test_nobody_wrote_to_it(self, state: StateService, workspace: str) -> None:
        assert state.context(workspace) == {}

    def test_somebody_wrote_to_it(self, world: World, state: StateService, workspace: str) -> None:
        world.set_context(workspace, {"a": {"b": ["é", 1.5, True]}})
        assert state.context(workspace) == {"a": {"b": ["é", 1.5, True]}}
        assert state.context(f"{workspace}-2") == {}


class TestChanges:
    """Notifications."""

    def test_what_was_changed(self, world: World, state: StateServiceWithChanges, workspace: str) -> None:
        before = end_of_changes(state)
        state.put_play(execution(workspace))
        state.checkpoint([checkpoint(workspace, "b1"), checkpoint(workspace, "~b2")])
        state.put_recovery_point(point(workspace))
        world.set_context(workspace, {"a": 1})
        assert changes_of(state, workspace, before) == [
            ("play", None, "engine"), ("block", "b1", "engine"), ("block", "~b2", "engine"),
            ("recovery_point", None, "engine"), ("context", None, "somebody")]

    def test_what_changed_nothing(self, state: StateServiceWithChanges, workspace: str) -> None:
        state.put_play(execution(workspace, version=2))
        state.checkpoint([checkpoint(workspace, fence=2)])
        state.put_recovery_point(point(workspace))
        before = end_of_changes(state)
        for generation, fence in ((2, 2), (1, 1)):
            state.put_play(execution(workspace, version=generation))
            state.checkpoint([checkpoint(workspace, fence=fence)])
            state.put_recovery_point(point(workspace))
        assert changes_of(state, workspace, before) == []
        assert end_of_changes(state) == before

    def test_parts_of_an_unknown_execution_make_it_known(self, state: StateServiceWithChanges,
                                                         workspace: str) -> None:
        before = end_of_changes(state)
        state.checkpoint([checkpoint(workspace)])
        assert changes_of(state, workspace, before) == [("play", None, "engine"), ("block", "b1", "engine")]

    def test_cursors_lead_on(self, state: StateServiceWithChanges, workspace: str) -> None:
        before = end_of_changes(state)
        state.checkpoint([checkpoint(workspace, f"b{number}") for number in range(3)])
        page = state.changes(before, timedelta())
        assert [change.cursor for change in page.changes] == list(range(before + 1, before + 5))
        assert page.next_cursor == before + 4 == state.changes(page.next_cursor, timedelta()).next_cursor
        assert [change.cursor for change in state.changes(before + 3, timedelta()).changes] == [before + 4]
        assert all(change.at.tzinfo and change.execution_id == "e1" for change in page.changes)

    def test_pages_are_bounded(self, state: StateServiceWithChanges, workspace: str) -> None:
        before = end_of_changes(state)
        state.checkpoint([checkpoint(workspace, f"b{number}") for number in range(1200)])
        page = state.changes(before, timedelta())
        assert (len(page.changes), page.next_cursor) == (1000, before + 1000)
        assert len(state.changes(page.next_cursor, timedelta()).changes) == 201

    def test_a_reader_is_woken(self, state: StateServiceWithChanges, workspace: str) -> None:
        before = end_of_changes(state)
        began = time.monotonic()
        timer = threading.Timer(0.1, state.checkpoint, [[checkpoint(workspace)]])
        timer.start()
        try:
            changes = state.changes(before, timedelta(seconds=8)).changes
        finally:
            timer.join()
        assert changes and time.monotonic() - began < 4

    def test_a_reader_does_not_wait_for_ever(self, state: StateServiceWithChanges) -> None:
        before = end_of_changes(state)
        began = time.monotonic()
        assert state.changes(before, timedelta(milliseconds=300)) == StateChanges(changes=(), next_cursor=before)
        assert 0.2 < time.monotonic() - began < 4


def test_a_service_that_is_down_and_comes_back(world: World, state: StateServiceWithChanges, workspace: str) -> None:
    state.put_play(execution(workspace))
    state.checkpoint([checkpoint(workspace)])
    cursor = end_of_changes(state)
    world.go_down()
    try:
        for call in (lambda: state.put_play(execution(workspace)), lambda: state.checkpoint([checkpoint(workspace)]),
                     lambda: state.put_recovery_point(point(workspace)), lambda: state.context(workspace),
                     lambda: state.recovery_points(workspace, "e1"), lambda: state.changes(0, timedelta())):
            with pytest.raises(Unavailable):
                call()
    finally:
        world.come_back()
    assert world.play(workspace) and world.block(workspace, "b1") and not world.points(workspace)
    assert end_of_changes(state) == cursor
    state.put_recovery_point(point(workspace))
    assert len(world.points(workspace)) == 1
