"""The process that serves the queue, with the whole service around it, on each broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
import requests

from sandbox.servers.ports import free_port
from tests.inbound.brokers import Post, a_post
from tests.support.cluster import SECRET, Cluster, running_cluster
from tests.support.driver import Driver, eventually
from tests.support.rabbitmq import require_rabbitmq, running_rabbitmq
from tests.support.scenarios import echo, template
from tests.support.scrape import samples
from web.tokens import issue_token

pytestmark = pytest.mark.acceptance

PATIENCE = timedelta(seconds=60)
METRICS_PORT = free_port()


@pytest.fixture(scope="module", params=["valkey", "rabbitmq"])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running service on one of the brokers, with a template that asks a person."""
    with ExitStack() as stack:
        broker_url = None
        if request.param == "rabbitmq":
            require_rabbitmq()
            broker_url = stack.enter_context(running_rabbitmq(tmp_path_factory.mktemp("broker"))).url
        running = stack.enter_context(running_cluster(tmp_path_factory.mktemp("cluster"), broker_url))
        running.start_web()
        running.start_worker("blocks", "blocks")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("METRICS_PORT", str(METRICS_PORT))
            process = running.start("inbound", ["inbound"], lambda: running.processes["inbound"].is_running)
        eventually(lambda: "inbound_connected" in process.logs() or None, PATIENCE)
        yield running


@pytest.fixture
def driver(cluster: Cluster) -> Driver:
    """Somebody who looks over HTTP at what became of messages."""
    return Driver(cluster.url, SECRET)


@pytest.fixture
def post(cluster: Cluster) -> Post:
    """Sends messages."""
    return a_post(cluster.broker_url)


def send(post: Post, kind: str, key: str, body: dict[str, Any], **more: str) -> None:
    """Send a message."""
    token = issue_token(SECRET, "ada", "admin", "default", timedelta(minutes=5))
    post.send(json.dumps({"type": kind, "token": token, "id": key, "body": body, **more}).encode())


def executions(driver: Driver, template_id: str) -> list[dict[str, Any]]:
    """Return those of a template."""
    found: list[dict[str, Any]] = driver.get("/executions", templateId=template_id)["executions"]
    return found


def started(driver: Driver, template_id: str) -> str:
    """Return the id of the execution of a template, once there is one."""
    return str(eventually(lambda: executions(driver, template_id) or None, PATIENCE)[0]["executionId"])


def test_an_execution_is_started_and_its_approval_answered(cluster: Cluster, driver: Driver, post: Post) -> None:
    # Given
    driver.store(template("asks", [echo("only", humanInLoop={"required": True, "type": "approval"})]))
    # When: each message comes twice, as when it was delivered again
    for _ in range(2):
        send(post, "start_execution", "order 1", {"templateId": "asks"})
    execution_id = started(driver, "asks")
    approval = eventually(lambda: next(iter(driver.pending(execution_id)), None), PATIENCE)
    for _ in range(2):
        send(post, "respond_to_approval", "answer 1", {"approved": True}, approvalId=approval["approvalId"])
    # Then
    assert driver.ended(execution_id, PATIENCE)["status"] == "completed"
    assert len(executions(driver, "asks")) == 1
    assert driver.get(f"/approvals/{approval['approvalId']}")["approver"] == "ada"
    # And: it says what it did
    shown = samples(requests.get(f"http://127.0.0.1:{METRICS_PORT}/metrics", timeout=PATIENCE.total_seconds()).content)
    assert shown["workflow_executions_started_total"] == 1
    # And: a message that nobody can do anything about
    post.send(b"no JSON")
    record = json.loads(eventually(post.rejected, PATIENCE))
    assert record["error"]["error"] == "malformed_json"
    assert "eyJ" not in cluster.processes["inbound"].logs()


def test_a_message_waits_for_the_store(cluster: Cluster, driver: Driver, post: Post) -> None:
    # Given
    driver.store(template("late", [echo("only")]))
    process = cluster.processes["inbound"]
    cluster.mongodb.process.kill()
    # When
    send(post, "start_execution", "order 2", {"templateId": "late"})
    eventually(lambda: "message_waits" in process.logs() or None, PATIENCE)
    cluster.mongodb.process.start()
    # Then
    assert driver.ended(started(driver, "late"), PATIENCE)["status"] == "completed"
    assert post.rejected() is None


def test_it_ends_when_it_is_told_to_and_what_came_meanwhile_is_done_by_the_next(
        cluster: Cluster, driver: Driver, post: Post) -> None:
    driver.store(template("meanwhile", [echo("only")]))
    process = cluster.processes["inbound"]
    process.stop()
    assert not process.is_running and "Traceback" not in process.logs()
    send(post, "start_execution", "order 3", {"templateId": "meanwhile"})
    process.start()
    assert driver.ended(started(driver, "meanwhile"), PATIENCE)["status"] == "completed"
