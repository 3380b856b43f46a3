"""``HttpAgentService`` against an Agent Service that breaks the contract in every way."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.integrations.rude_server import (
    Behaviour,
    Connection,
    RudeServer,
    closed_port,
    drip,
    flood,
    hang,
    hang_up,
    raw,
    reply,
    reset,
    reset_in_body,
)
from workflow_service.domain.agents import Accepted, Agent, AgentAnswer, AgentCall, Completed, Failure, FailureClass
from workflow_service.domain.errors import Unavailable
from workflow_service.integrations.agent_service import HttpAgentService
from workflow_service.integrations.http import Answer, JsonClient, Retries
from workflow_service.integrations.http_errors import TimedOut

KEY = "e1:b~1:2"
CALL = AgentCall(agent_id="a1", idempotency_key=KEY, workspace_id="w1", execution_id="e1", block_id="b~1",
                 tool_type="api", input={"x": [1, {"y": "é"}]}, timeout=timedelta(seconds=2))
DONE = {"id": KEY, "status": "completed", "output": {"z": 1}, "usage": {"durationMs": 3}}
TRANSIENT, AGENT = FailureClass.TRANSIENT, FailureClass.AGENT
CONFIGURATION, CRITICAL = FailureClass.CONFIGURATION, FailureClass.CRITICAL


def service_at(url: str, *, client_timeout: timedelta = timedelta(seconds=2), **changes: Any) -> HttpAgentService:
    """Return a service whose client does not wait between attempts, nor long for anything."""
    client = JsonClient(url, service="Agent Service", timeout=client_timeout, largest_answer=100_000,
                        retries=Retries(sleep=lambda seconds: None))
    return HttpAgentService(client, **changes)


class TimingOut(JsonClient):
    """Writes down how long each call may take, and gives none of them an answer."""

    def __init__(self) -> None:
        """Have a time-out that no call is to use."""
        super().__init__("http://127.0.0.1:9", service="Agent Service", timeout=timedelta(hours=1))
        self.patience: list[timedelta | None] = []

    def call(self, method: str, path: str, *, timeout: timedelta | None = None, **rest: Any) -> Answer:
        """Take no time at all and be too late."""
        self.patience.append(timeout)
        raise TimedOut("The Agent Service did not answer in time.")


@pytest.fixture
def agents(server: RudeServer) -> Iterator[HttpAgentService]:
    """Give the service at the rude server."""
    yield service_at(server.url)


def code_and_class(answer: AgentAnswer) -> tuple[str, FailureClass]:
    """Return what kind of failure an answer is."""
    assert isinstance(answer, Failure)
    assert answer.message
    return answer.code, answer.failure_class


class TestRun:
    """Calls of agents."""

    def test_the_call_on_the_wire(self, server: RudeServer, agents: HttpAgentService) -> None:
        server.will(reply(200, DONE))
        assert agents.run(CALL) == Completed(output={"z": 1}, usage={"durationMs": 3})
        (request,) = server.requests
        assert (request.method, request.target) == ("POST", "/agents/a1/executions")
        assert request.headers["idempotency-key"] == KEY
        assert request.headers["x-correlation-id"] == "e1"
        assert request.json == {"workspaceId": "w1", "executionId": "e1", "blockId": "b~1", "toolType": "api",
                                "input": {"x": [1, {"y": "é"}]}, "timeoutMs": 2000}

    def test_an_agent_may_take_its_time(self, server: RudeServer, agents: HttpAgentService) -> None:
        server.will(reply(202, {"id": KEY, "status": "running", "retryAfterMs": 1500}))
        assert agents.run(CALL) == Accepted(ask_again_after=timedelta(seconds=1.5))

    @pytest.mark.parametrize(("given", "pause"), [
        ({}, 1000), ({"retryAfterMs": None}, 1000), ({"retryAfterMs": 0}, 0), ({"retryAfterMs": 0.4}, 1),
        ({"retryAfterMs": 10**18}, 86_400_000), ({"retryAfterMs": 1e300}, 86_400_000)])
    def test_the_pause_is_bounded(self, server: RudeServer, agents: HttpAgentService, given: dict[str, Any],
                                  pause: int) -> None:
        server.will(reply(202, {"id": KEY, "status": "running", **given}))
        assert agents.run(CALL) == Accepted(ask_again_after=timedelta(milliseconds=pause))

    def test_usage_may_be_missing(self, server: RudeServer, agents: HttpAgentService) -> None:
        server.will(reply(200, {"id": KEY, "status": "completed", "output": {}}))
        assert agents.run(CALL) == Completed(output={}, usage={})

    def test_the_time_out_of_the_call_counts(self, server: RudeServer) -> None:
        agents = service_at(server.will(hang).url, grace=timedelta(milliseconds=100))
        began = time.monotonic()
        failure = agents.run(replace(CALL, timeout=timedelta(milliseconds=200)))
        assert code_and_class(failure) == ("agent_timed_out", TRANSIENT)
        assert 0.25 < time.monotonic() - began < 1.5

    def test_an_agent_may_take_longer_than_other_calls(self, server: RudeServer) -> None:
        def late(connection: Connection) -> bool:
            connection.wait(0.4)
            return reply(200, DONE)(connection)

        agents = service_at(server.will(late).url, client_timeout=timedelta(milliseconds=200))
        assert isinstance(agents.run(CALL), Completed)

    def test_only_a_run_takes_longer_than_eight_seconds(self) -> None:
        client = TimingOut()
        agents = HttpAgentService(client, grace=timedelta(seconds=1))
        assert code_and_class(agents.run(replace(CALL, timeout=timedelta(seconds=60)))) == (
            "agent_timed_out", TRANSIENT)
        with pytest.raises(Unavailable):
            agents.result("a1", KEY)
        assert not agents.stop("a1", KEY)
        with pytest.raises(Unavailable):
            agents.agents()
        assert client.patience == [timedelta(seconds=seconds) for seconds in (61, 8, 8, 8)]

    @pytest.mark.parametrize("ask", [
        lambda agents: agents.result("a1", KEY) == Completed(output={"z": 1}, usage={"durationMs": 3}),
        lambda agents: agents.stop("a1", KEY), lambda agents: agents.agents() == ()])
    def test_other_calls_do_not_take_the_time_out_of_the_client(
            self, server: RudeServer, ask: Callable[[HttpAgentService], bool]) -> None:
        def late(connection: Connection) -> bool:
            connection.wait(0.4)
            return reply(200, {**DONE, "agents": []})(connection)

        assert ask(service_at(server.will(late).url, client_timeout=timedelta(milliseconds=200)))

    def test_a_time_out_of_less_than_a_millisecond_is_one(self, server: RudeServer, agents: HttpAgentService) -> None:
        server.will(reply(200, DONE))
        agents.run(replace(CALL, timeout=timedelta(microseconds=1)))
        assert server.requests[0].json["timeoutMs"] == 1

    def test_a_service_that_restarts_is_not_noticed(self, server: RudeServer, agents: HttpAgentService) -> None:
        server.will(reset, reply(503), reply(200, DONE))
        assert isinstance(agents.run(CALL), Completed)
        assert {request.headers["idempotency-key"] for request in server.requests} == {KEY}

    @pytest.mark.parametrize("value", [float("nan"), object(), "\udead", {1, 2}])
    def test_an_input_that_is_no_json(self, server: RudeServer, agents: HttpAgentService, value: Any) -> None:
        server.will(reply(200, DONE))
        assert code_and_class(agents.run(replace(CALL, input={"x": value}))) == ("invalid_input", CONFIGURATION)
        assert not server.requests

    def test_nobody_listens(self) -> None:
        agents = service_at(f"http://127.0.0.1:{closed_port()}")
        assert code_and_class(agents.run(CALL)) == ("agent_service_unreachable", TRANSIENT)
        with pytest.raises(Unavailable):
            agents.result("a1", KEY)
        assert not agents.stop("a1", KEY)

    @pytest.mark.parametrize(("only", "code", "failure_class"), [
        (hang_up, "agent_service_unreachable", TRANSIENT),
        (reset, "agent_service_unreachable", TRANSIENT),
        (reset_in_body, "agent_service_unreachable", TRANSIENT),
        (drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"), "agent_timed_out", TRANSIENT),
        (raw(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id":'), "bad_answer", AGENT),
        (raw(b"hello\r\n"), "bad_answer", AGENT),
        (flood, "bad_answer", AGENT),
        (reply(200), "bad_answer", AGENT),
        (reply(204), "bad_answer", AGENT),
        (reply(200, b"<html>"), "bad_answer", AGENT),
        (reply(200, []), "bad_answer", AGENT),
        (reply(200, {}), "bad_answer", AGENT),
        (reply(200, {**DONE, "id": "e1:other:2"}), "bad_answer", AGENT),
        (reply(200, {**DONE, "id": 7}), "bad_answer", AGENT),
        (reply(200, {**DONE, "status": "done"}), "bad_answer", AGENT),
        (reply(200, {**DONE, "status": ["completed"]}), "bad_answer", AGENT),
        (reply(200, {**DONE, "output": None}), "bad_answer", AGENT),
        (reply(200, {**DONE, "output": "text"}), "bad_answer", AGENT),
        (reply(200, {**DONE, "usage": [1]}), "bad_answer", AGENT),
        (reply(200, {**DONE, "output": {"n": 2**64}}), "bad_answer", AGENT),
        (reply(202, {"id": KEY, "status": "running", "retryAfterMs": "soon"}), "bad_answer", AGENT),
        (reply(202, {"id": KEY, "status": "running", "retryAfterMs": -1}), "bad_answer", AGENT),
        (reply(202, {"id": KEY, "status": "running", "retryAfterMs": True}), "bad_answer", AGENT),
        (reply(500), "http_500", TRANSIENT),
        (reply(500, b"Traceback"), "http_500", TRANSIENT),
        (reply(503, {"message": "no code"}), "http_503", TRANSIENT),
        (reply(408), "http_408", TRANSIENT),
        (reply(429), "http_429", TRANSIENT),
        (reply(400), "http_400", CONFIGURATION),
        (reply(401, b"<html>"), "http_401", CONFIGURATION),
        (reply(404, {"detail": "Not Found"}), "http_404", CONFIGURATION),
        (reply(302, Location="/login"), "http_302", CONFIGURATION),
        (reply(503, {"code": "c", "class": "agent", "message": "m"}), "c", AGENT),
        (reply(400, {"code": "c", "class": "transient", "message": "m"}), "c", TRANSIENT),
        (reply(409, {"code": "cancelled", "class": "critical", "message": "m"}), "cancelled", CRITICAL),
        (reply(422, {"code": "c", "class": "configuration"}), "c", CONFIGURATION),
        (reply(500, {"code": "c", "class": "odd", "message": 7}), "c", TRANSIENT),
        (reply(400, {"code": "c", "class": ["agent"]}), "c", CONFIGURATION),
        (reply(429, {"code": "c"}), "c", TRANSIENT),
    ])
    def test_every_way_to_fail_is_a_failure(self, server: RudeServer, only: Behaviour, code: str,
                                            failure_class: FailureClass) -> None:
        server.will(only)
        call = replace(CALL, timeout=timedelta(milliseconds=300))
        assert code_and_class(service_at(server.url, grace=timedelta(0)).run(call)) == (code, failure_class)

    @pytest.mark.parametrize(("only", "seconds"), [
        (reply(429, Retry_After="7"), 7), (reply(429, {"code": "c"}, Retry_After="7"), 7),
        (reply(503, {"code": "c", "retryAfterMs": 1500}, Retry_After="7"), 1.5),
        (reply(503, {"code": "c", "retryAfterMs": "x"}, Retry_After="7"), 7), (reply(429), None)])
    def test_the_service_may_ask_us_to_wait(self, server: RudeServer, agents: HttpAgentService, only: Behaviour,
                                            seconds: float | None) -> None:
        server.will(only)
        failure = agents.run(CALL)
        assert isinstance(failure, Failure)
        assert failure.retry_after == (None if seconds is None else timedelta(seconds=seconds))

    def test_endless_words_are_cut(self, server: RudeServer, agents: HttpAgentService) -> None:
        server.will(reply(500, {"code": "c" * 1000, "class": "agent", "message": "m" * 10_000}))
        failure = agents.run(CALL)
        assert isinstance(failure, Failure)
        assert (len(failure.code), len(failure.message)) == (128, 2000)


class TestResult:
    """Asking for the result of a call that was accepted."""

    @pytest.mark.parametrize(("body", "expected"), [
        (DONE, Completed(output={"z": 1}, usage={"durationMs": 3})),
        ({"id": KEY, "status": "running", "retryAfterMs": 20}, Accepted(ask_again_after=timedelta(milliseconds=20))),
        ({"id": KEY, "status": "failed", "error": {"code": "c", "class": "transient", "message": "m",
                                                   "retryAfterMs": 5}},
         Failure(code="c", failure_class=TRANSIENT, message="m", retry_after=timedelta(milliseconds=5))),
        ({"id": KEY, "status": "failed", "error": {"code": "c", "class": "odd", "message": "m"}},
         Failure(code="c", failure_class=AGENT, message="m")),
        ({"id": KEY, "status": "cancelled"},
         Failure(code="cancelled", failure_class=CRITICAL, message="The call was cancelled.")),
    ])
    def test_what_became_of_it(self, server: RudeServer, agents: HttpAgentService, body: dict[str, Any],
                               expected: AgentAnswer) -> None:
        server.will(reply(200, body))
        assert agents.result("a1", KEY) == expected
        assert server.requests[0].target == "/agents/a1/executions/e1%3Ab~1%3A2"

    @pytest.mark.parametrize("body", [{"id": KEY, "status": "failed"}, {"id": KEY, "status": "failed", "error": "e"},
                                      {"id": KEY, "status": "failed", "error": {"class": "agent"}}, "running"])
    def test_half_an_answer(self, server: RudeServer, agents: HttpAgentService, body: Any) -> None:
        server.will(reply(200, body))
        with pytest.raises(Unavailable):
            agents.result("a1", KEY)

    @pytest.mark.parametrize("only", [
        hang_up, reset, reset_in_body, raw(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id":'),
        raw(b"hello\r\n"), flood,
        reply(200), reply(204), reply(200, b"<html>"), reply(200, []), reply(200, {}),
        reply(200, {**DONE, "id": "e1:other:2"}), reply(200, {**DONE, "id": 7}), reply(200, {**DONE, "status": "done"}),
        reply(200, {**DONE, "output": None}), reply(200, {**DONE, "usage": [1]}),
        reply(200, {**DONE, "output": {"n": 2**64}}),
        reply(200, {"id": KEY, "status": "running", "retryAfterMs": "soon"}),
        reply(302, Location="/login"), reply(401, b"<html>"), reply(404), reply(404, {"detail": "Not Found"}),
        reply(404, b"execution_not_found"), reply(404, {"code": "agent_not_found", "class": "agent", "message": "m"}),
        reply(409, {"code": "cancelled", "class": "critical", "message": "m"}), reply(429, Retry_After="7"),
        reply(500), reply(500, {"code": "execution_not_found", "class": "configuration", "message": "m"}),
        reply(503, {"code": "c", "class": "agent", "message": "m"})])
    def test_what_says_nothing_of_the_call_is_no_result(self, server: RudeServer, agents: HttpAgentService,
                                                        only: Behaviour) -> None:
        server.will(only)
        with pytest.raises(Unavailable):
            agents.result("a1", KEY)

    def test_a_call_that_nobody_knows_is_lost(self, server: RudeServer, agents: HttpAgentService) -> None:
        server.will(reply(404, {"code": "execution_not_found", "class": "configuration", "message": "m"}))
        assert code_and_class(agents.result("a1", KEY)) == ("execution_lost", TRANSIENT)


class TestStop:
    """Stopping a call."""

    @pytest.mark.parametrize(("only", "is_certain"), [
        (reply(200, {"id": KEY, "status": "cancelled"}), True), (reply(200, {"id": KEY, "status": "completed"}), True),
        (reply(200, {"id": KEY, "status": "failed"}), True), (reply(200, {"id": KEY, "status": "running"}), False),
        (reply(202, {"id": KEY, "status": "stopping"}), False), (reply(200, {"id": "x", "status": "cancelled"}), False),
        (reply(204), False), (reply(200, b"ok"), False), (reply(500), False), (hang_up, False),
        (reply(404, {"code": "agent_not_found", "class": "agent", "message": "m"}), True),
        (reply(404), False)])
    def test_only_what_the_service_says_is_certain(self, server: RudeServer, agents: HttpAgentService, only: Behaviour,
                                                   is_certain: bool) -> None:
        server.will(only)
        assert agents.stop("a1", KEY) is is_certain
        request = server.requests[0]
        assert (request.method, request.target) == ("DELETE", "/agents/a1/executions/e1%3Ab~1%3A2")


class TestAgents:
    """The registry."""

    ENTRY = {"agentId": "a1", "name": "A", "type": "t", "toolTypes": ["api"], "capabilities": ["c"],
             "status": "unavailable", "inputSchema": {"type": "object"}, "outputSchema": {}, "more": 1}

    def test_entries_become_agents(self, server: RudeServer, agents: HttpAgentService) -> None:
        server.will(reply(200, {"agents": [self.ENTRY, {"agentId": "a2", "type": "t", "toolTypes": []}]}))
        assert tuple(agents.agents()) == (
            Agent(agent_id="a1", name="A", type="t", tool_types=("api",), capabilities=("c",), status="unavailable",
                  input_schema={"type": "object"}),
            Agent(agent_id="a2", name="a2", type="t", tool_types=()))

    @pytest.mark.parametrize("wrong", [
        {"agentId": None}, {"agentId": ""}, {"name": 7}, {"type": None}, {"toolTypes": "api"}, {"toolTypes": [1]},
        {"toolTypes": None}, {"capabilities": {"c": 1}}, {"status": 1}, {"inputSchema": True}])
    def test_wrong_entries_are_left_out(self, server: RudeServer, agents: HttpAgentService,
                                        wrong: dict[str, Any]) -> None:
        server.will(reply(200, {"agents": [{**self.ENTRY, **wrong}, "text", {**self.ENTRY, "agentId": "a2"}]}))
        assert [agent.agent_id for agent in agents.agents()] == ["a2"]

    @pytest.mark.parametrize("only", [reply(200, []), reply(200, {"agents": {}}), reply(200), reply(200, b"{"),
                                      reply(500), reply(404, {"code": "c"}), hang_up])
    def test_no_registry(self, server: RudeServer, agents: HttpAgentService, only: Behaviour) -> None:
        server.will(only)
        with pytest.raises(Unavailable):
            agents.agents()

    def test_it_is_kept_for_a_while(self, server: RudeServer) -> None:
        clock = [0.0]
        agents = service_at(server.url, registry_ttl=timedelta(seconds=5), now=lambda: clock[0])
        server.will(reply(200, {"agents": [self.ENTRY]}), reply(200, {"agents": []}))
        assert len(agents.agents()) == len(agents.agents()) == 1
        clock[0] = 5.0
        assert len(agents.agents()) == 0
        assert len(server.requests) == 2

    def test_an_old_one_stays_while_the_service_is_away(self, server: RudeServer) -> None:
        clock = [0.0]
        agents = service_at(server.url, registry_ttl=timedelta(seconds=5), now=lambda: clock[0])
        server.will(reply(200, {"agents": [self.ENTRY]}), reply(500), reply(200, {"agents": []}))
        for clock[0], known, requests in [(0.0, 1, 1), (5.0, 1, 2), (9.9, 1, 2), (10.0, 0, 3)]:
            assert (len(agents.agents()), len(server.requests)) == (known, requests)
