"""``HttpStateService`` against a State Management Service that refuses, lies and vanishes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.unit.integrations.rude_server import (
    Behaviour,
    Connection,
    RudeServer,
    closed_port,
    hang,
    hang_up,
    raw,
    reply,
    reset,
)
from workflow_service.domain.changes import StateChange, StateChanges
from workflow_service.domain.errors import Invalid, Unavailable
from workflow_service.domain.execution import Execution
from workflow_service.domain.recovery import Checkpoint, RecoveryPoint
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus
from workflow_service.integrations.http import JsonClient, Retries
from workflow_service.integrations.state_service import HttpStateService

NOON = datetime(2026, 3, 1, 12, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=1)))
EXECUTION = Execution(workspace_id="w1", execution_id="e1", template_id="t1", template_version="1.0.0",
                      created_by="ada", created_at=NOON, input={"a": 1}, context={"c": None}, version=3)
POINT = RecoveryPoint(point_id="e1-5", workspace_id="w1", execution_id="e1", timestamp=NOON,
                      state={"b1": {"status": "completed", "epoch": 1}}, completed_blocks=("b1",))
CHECKPOINT = Checkpoint(workspace_id="w1", execution_id="e1", block_id="b1", epoch=1, fence=2,
                        status=BlockStatus.RUNNING, retry_count=0)
BAD = {"code": "invalid_request", "message": "Not such."}


def service_at(url: str, **changes: Any) -> HttpStateService:
    """Return a service whose client does not wait between attempts."""
    return HttpStateService(JsonClient(url, service="State Management Service", timeout=timedelta(seconds=1),
                                       retries=Retries(sleep=lambda seconds: None)), **changes)


def checkpoints(count: int, **fields: Any) -> list[Checkpoint]:
    """Return checkpoints of as many blocks."""
    return [Checkpoint(workspace_id="w1", execution_id="e1", block_id=f"b{number}", epoch=1, fence=1,
                       status=BlockStatus.COMPLETED, retry_count=0, **fields) for number in range(count)]


def sent(server: RudeServer) -> list[list[str]]:
    """Return the ids of the blocks in each call that the server got."""
    return [[one["blockId"] for one in request.json["checkpoints"]] for request in server.requests]


class Picky:
    """A service that refuses batches with one of these blocks in them, and records the others."""

    def __init__(self, server: RudeServer, guilty: Sequence[str], refusal: Behaviour) -> None:
        """Take the blocks and how they are refused."""
        self._server = server
        self._guilty = set(guilty)
        self._refusal = refusal
        self.recorded: list[str] = []

    def __call__(self, connection: Connection) -> bool:
        """Answer the last request."""
        blocks = sent(self._server)[-1]
        if self._guilty & set(blocks):
            return self._refusal(connection)
        self.recorded += blocks
        return reply(200, {"accepted": len(blocks), "stale": 0})(connection)


class TestOnTheWire:
    """What is sent."""

    def test_an_execution_that_has_not_started(self, server: RudeServer) -> None:
        service_at(server.will(reply(200, {})).url).put_play(EXECUTION)
        (request,) = server.requests
        assert (request.method, request.target) == ("PUT", "/workspaces/w1/plays/e1")
        assert request.headers["x-correlation-id"] == "e1"
        assert request.json == {
            "templateId": "t1", "templateVersion": "1.0.0", "status": "pending", "createdBy": "ada",
            "startedAt": "2026-03-01T11:00:00.123Z", "input": {"a": 1}, "context": {"c": None}, "generation": 3}

    def test_an_execution_that_has_ended(self, server: RudeServer) -> None:
        ended = Execution(workspace_id="w1", execution_id="e1", template_id="t1", template_version="1.0.0",
                          created_by="ada", created_at=NOON, status=ExecutionStatus.FAILED,
                          started_at=datetime(2026, 3, 1, 12, tzinfo=UTC), error={"code": "c"},
                          completed_at=datetime(2026, 3, 2, tzinfo=UTC))
        service_at(server.will(reply(200, {})).url).put_play(ended)
        body = server.requests[0].json
        assert (body["startedAt"], body["completedAt"], body["status"]) == (
            "2026-03-01T12:00:00.000Z", "2026-03-02T00:00:00.000Z", "failed")

    def test_checkpoints(self, server: RudeServer) -> None:
        full = Checkpoint(workspace_id="w1", execution_id="e1", block_id="~join:b2", epoch=2, fence=5, agent_id="a1",
                          status=BlockStatus.FAILED, retry_count=3, input={}, output={"o": 1}, error={"code": "c"},
                          started_at=NOON, completed_at=NOON)
        service_at(server.will(reply(200, {})).url).checkpoint([CHECKPOINT, full])
        (request,) = server.requests
        assert (request.method, request.target) == ("POST", "/checkpoints")
        at = "2026-03-01T11:00:00.123Z"
        assert request.json == {"checkpoints": [
            {"workspaceId": "w1", "executionId": "e1", "blockId": "b1", "epoch": 1, "fence": 2, "status": "running",
             "retryCount": 0},
            {"workspaceId": "w1", "executionId": "e1", "blockId": "~join:b2", "epoch": 2, "fence": 5,
             "status": "failed", "agentId": "a1", "input": {}, "output": {"o": 1}, "error": {"code": "c"},
             "retryCount": 3, "startedAt": at, "completedAt": at}]}

    def test_a_recovery_point(self, server: RudeServer) -> None:
        service_at(server.will(reply(200, {})).url).put_recovery_point(POINT)
        (request,) = server.requests
        assert (request.method, request.target) == ("PUT", "/workspaces/w1/plays/e1/recovery-points/e1-5")
        assert request.json == {"timestamp": "2026-03-01T11:00:00.123Z", "completedBlocks": ["b1"],
                                "state": {"b1": {"status": "completed", "epoch": 1}}}

    def test_no_checkpoints_are_no_call(self, server: RudeServer) -> None:
        service_at(server.url).checkpoint([])
        assert not server.requests

    def test_many_checkpoints_are_few_calls(self, server: RudeServer) -> None:
        service_at(server.will(reply(200, {})).url).checkpoint(checkpoints(2001))
        assert [len(batch) for batch in sent(server)] == [1000, 1000, 1]

    def test_large_checkpoints_are_sent_apart(self, server: RudeServer) -> None:
        service = service_at(server.will(reply(200, {})).url, largest_body=1000)
        service.checkpoint(checkpoints(4, output={"text": "x" * 300}))
        service.checkpoint(checkpoints(1, output={"text": "x" * 3000}))
        assert sent(server) == [["b0", "b1"], ["b2", "b3"], ["b0"]]


class TestUnavailable:
    """What may be better later."""

    @pytest.mark.parametrize("only", [
        hang_up, reset, reply(500), reply(503, {"code": "busy"}), reply(429), reply(401, {"code": "who"}),
        reply(404, {"code": "no_such_path", "message": "m"}), reply(404), reply(400, b"<html>"),
        reply(302, Location="/"), reply(200, b"{"), raw(b"hello")])
    def test_all_calls_say_so(self, server: RudeServer, only: Behaviour) -> None:
        service = service_at(server.will(only).url)
        for call in (lambda: service.put_play(EXECUTION), lambda: service.checkpoint([CHECKPOINT]),
                     lambda: service.put_recovery_point(POINT), lambda: service.context("w1"),
                     lambda: service.changes(0, timedelta()), lambda: service.recovery_points("w1", "e1")):
            with pytest.raises(Unavailable):
                call()

    def test_too_slow(self, server: RudeServer) -> None:
        with pytest.raises(Unavailable):
            service_at(server.will(hang).url).checkpoint([CHECKPOINT])

    def test_nobody_listens(self) -> None:
        with pytest.raises(Unavailable) as raised:
            service_at(f"http://127.0.0.1:{closed_port()}").put_play(EXECUTION)
        assert "127.0.0.1" not in str(raised.value)

    def test_a_restart_is_not_noticed(self, server: RudeServer) -> None:
        server.will(reset, reply(502, b"<html>"), reply(200, {}))
        service_at(server.url).checkpoint([CHECKPOINT])
        assert len(server.requests) == 3


class TestRefused:
    """What no repetition makes better."""

    @pytest.mark.parametrize("only", [reply(400, BAD), reply(422, BAD), reply(413), reply(413, b"<html>")])
    def test_a_report_that_is_refused(self, server: RudeServer, only: Behaviour) -> None:
        service = service_at(server.will(only).url)
        with pytest.raises(Invalid) as raised:
            service.put_play(EXECUTION)
        assert [issue.path for issue in raised.value.issues] == ["e1"]
        with pytest.raises(Invalid):
            service.put_recovery_point(POINT)
        assert len(server.requests) == 2

    @pytest.mark.parametrize("refusal", [reply(400, BAD), reply(413)])
    def test_a_guilty_checkpoint_does_not_keep_the_others_back(self, server: RudeServer, refusal: Behaviour) -> None:
        picky = Picky(server, ["b3", "b60"], refusal)
        with pytest.raises(Invalid) as raised:
            service_at(server.will(picky).url).checkpoint(checkpoints(100))
        assert [issue.path for issue in raised.value.issues] == ["e1:b3", "e1:b60"]
        assert picky.recorded == [f"b{number}" for number in range(100) if number not in (3, 60)]
        assert len(server.requests) < 40

    def test_what_is_no_json_does_not_keep_the_others_back(self, server: RudeServer) -> None:
        batch = [*checkpoints(2), Checkpoint(workspace_id="w1", execution_id="e1", block_id="bad", epoch=1, fence=1,
                                             status=BlockStatus.COMPLETED, retry_count=0, output={"x": float("nan")})]
        with pytest.raises(Invalid) as raised:
            service_at(server.will(reply(200, {})).url).checkpoint(batch)
        assert [issue.path for issue in raised.value.issues] == ["e1:bad"]
        assert sent(server) == [["b0", "b1"]]

    def test_a_service_that_vanishes_meanwhile_is_unavailable(self, server: RudeServer) -> None:
        server.will(reply(400, BAD), hang_up)
        with pytest.raises(Unavailable):
            service_at(server.url).checkpoint(checkpoints(2))


class TestRead:
    """What we are told."""

    CHANGE = {"cursor": 6, "workspaceId": "w1", "executionId": "e1", "blockId": None, "kind": "play",
              "at": "2026-03-01T11:00:00.123456Z", "source": "engine"}

    def test_the_context(self, server: RudeServer) -> None:
        server.will(reply(200, {"context": {"a": [1]}, "version": 2}))
        assert service_at(server.url).context("w1") == {"a": [1]}
        assert server.requests[0].target == "/workspaces/w1/context"

    @pytest.mark.parametrize("body", [None, [], {}, {"context": None}, {"context": [1]}])
    def test_no_context(self, server: RudeServer, body: Any) -> None:
        with pytest.raises(Unavailable):
            service_at(server.will(reply(200, body)).url).context("w1")

    ENTRY = {"pointId": "e1-5", "timestamp": "2026-03-01T11:00:00.123Z", "completedBlocks": ["b1"],
             "state": {"b1": {"status": "completed", "epoch": 1}}}

    def test_recovery_points(self, server: RudeServer) -> None:
        later = {**self.ENTRY, "pointId": "e1-6", "timestamp": "2026-03-01T13:00:00+01:00"}
        server.will(reply(200, {"recoveryPoints": [later, self.ENTRY]}))
        first, second = service_at(server.url).recovery_points("w1", "e1")
        assert first == replace(POINT, timestamp=datetime(2026, 3, 1, 11, 0, 0, 123_000, tzinfo=UTC))
        assert (second.point_id, second.timestamp) == ("e1-6", datetime(2026, 3, 1, 12, tzinfo=UTC))
        assert server.requests[0].target == "/workspaces/w1/plays/e1/recovery-points"

    def test_an_execution_that_it_does_not_know_has_no_recovery_points(self, server: RudeServer) -> None:
        server.will(reply(404, {"code": "not_found", "message": "There is no play 'e1' in this workspace."}))
        assert service_at(server.url).recovery_points("w1", "e1") == ()

    @pytest.mark.parametrize("body", [
        None, [], {}, {"recoveryPoints": None}, {"recoveryPoints": [1]}, {"recoveryPoints": [{}]},
        {"recoveryPoints": [{**ENTRY, "timestamp": "2026-03-01T11:00:00"}]},
        {"recoveryPoints": [{**ENTRY, "state": None}]}, {"recoveryPoints": [{**ENTRY, "completedBlocks": [1]}]},
        {"recoveryPoints": [{**ENTRY, "completedBlocks": "b1"}]}])
    def test_no_recovery_points(self, server: RudeServer, body: Any) -> None:
        with pytest.raises(Unavailable):
            service_at(server.will(reply(200, body)).url).recovery_points("w1", "e1")

    def test_changes(self, server: RudeServer) -> None:
        server.will(reply(200, {"changes": [self.CHANGE], "next": 6}))
        assert service_at(server.url).changes(5, timedelta(seconds=60)) == StateChanges(next_cursor=6, changes=(
            StateChange(cursor=6, workspace_id="w1", execution_id="e1", block_id=None, kind="play", source="engine",
                        at=datetime(2026, 3, 1, 11, 0, 0, 123_456, tzinfo=UTC)),))
        assert server.requests[0].target == "/changes?after=5&limit=1000&waitMs=10000"

    def test_waiting_for_changes_takes_longer_than_other_calls(self, server: RudeServer) -> None:
        def late(connection: Connection) -> bool:
            connection.wait(1.2)
            return reply(200, {"changes": [], "next": 0})(connection)

        changes = service_at(server.will(late).url).changes(0, timedelta(seconds=1))
        assert changes == StateChanges(changes=(), next_cursor=0)

    @pytest.mark.parametrize("body", [
        None, [], {"changes": []}, {"next": 1}, {"changes": {}, "next": "1"}, {"changes": [None], "next": 1},
        {"changes": [{**CHANGE, "cursor": "6"}], "next": 1}, {"changes": [{**CHANGE, "at": "noon"}], "next": 1},
        {"changes": [{**CHANGE, "at": "2026-03-01T11:00:00"}], "next": 1},
        {"changes": [{**CHANGE, "workspaceId": None}], "next": 1}])
    def test_no_changes(self, server: RudeServer, body: Any) -> None:
        with pytest.raises(Unavailable):
            service_at(server.will(reply(200, body)).url).changes(0, timedelta())
