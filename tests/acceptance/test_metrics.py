"""What Prometheus sees of a running service: two processes of the API, a worker, a sweep."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
import requests

from sandbox.servers.ports import free_port
from tests.support.cluster import SECRET, Cluster, running_cluster
from tests.support.driver import Driver, eventually
from tests.support.scenarios import echo, template
from tests.support.scrape import samples
from web.tokens import issue_token

pytestmark = pytest.mark.acceptance
_PATIENCE = timedelta(seconds=40)
_PORTS = {"blocks": free_port(), "control": free_port()}
_GATE = {"required": True, "type": "approval"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running service whose workers show their metrics, with two processes behind the API."""
    with running_cluster(tmp_path_factory.mktemp("metrics")) as running, pytest.MonkeyPatch.context() as patch:
        environment = dict(running.environment)
        patch.setattr(Cluster, "environment", property(lambda _: environment))
        environment["WEB_CONCURRENCY"] = "2"
        running.start_web()
        environment["METRICS_PORT"] = str(_PORTS["blocks"])
        running.start_worker("blocks", "blocks")
        environment["METRICS_PORT"] = str(_PORTS["control"])
        running.start_control()
        yield running


def _of_api(cluster: Cluster) -> dict[str, float]:
    token = issue_token(SECRET, "prometheus", "viewer", "default", timedelta(minutes=5))
    answer = requests.get(f"{cluster.url}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=15)
    assert answer.ok, answer.text
    return samples(answer.content)


def _of_worker(name: str) -> dict[str, float]:
    return samples(requests.get(f"http://127.0.0.1:{_PORTS[name]}/metrics", timeout=15).content)


def _sum(cluster: Cluster, name: str) -> float:
    return sum(found.get(name, 0.0) for found in (_of_api(cluster), _of_worker("blocks"), _of_worker("control")))


def _sum_if_any(cluster: Cluster, name: str) -> float | None:
    return _sum(cluster, name) or None


def test_the_figures_move_with_the_work(cluster: Cluster) -> None:
    driver = Driver(cluster.url, SECRET)
    driver.store(template("measured", [echo("one"), {**echo("two", ["one"]), "humanInLoop": _GATE}]))
    execution_id = driver.start("measured")
    eventually(lambda: driver.pending(execution_id), _PATIENCE)

    def parked() -> bool | None:
        found = _of_api(cluster)
        return (found["workflow_approvals_pending"], found['workflow_parked_blocks{kind="approval"}'],
                found['workflow_executions{status="waiting"}']) == (1, 1, 1) or None
    eventually(parked, _PATIENCE)
    assert _of_api(cluster)["workflow_figures_up"] == 1

    driver.approve(execution_id, _PATIENCE)
    assert driver.ended(execution_id, _PATIENCE)["status"] == "completed"
    for name, value in {'workflow_blocks_total{outcome="completed"}': 2, 'workflow_blocks_total{outcome="parked"}': 1,
                        "workflow_executions_started_total": 1, 'workflow_approvals_total{outcome="responded"}': 1,
                        'workflow_executions_ended_total{status="completed"}': 1}.items():
        assert eventually(partial(_sum_if_any, cluster, name), _PATIENCE) == value, name
    blocks = _of_worker("blocks")
    assert blocks['workflow_agent_call_duration_seconds_count{outcome="completed"}'] == 2
    assert blocks['workflow_cache_lookups_total{kind="agents",outcome="hit"}'] >= 1
    assert _of_worker("control")['workflow_sweep_duration_seconds_count{sweep="blocks"}'] >= 1
    assert _sum(cluster, 'workflow_publishes_total{result="sent"}') >= 1
    assert _sum(cluster, 'workflow_publishes_total{result="failed"}') == 0


def test_each_process_of_the_api_gives_the_requests_of_all(cluster: Cluster) -> None:
    name = 'workflow_http_requests_total{endpoint="health.Health",method="GET",status="200"}'
    before = _of_api(cluster).get(name, 0.0)
    for _ in range(20):  # a new connection each time, so that both processes are met
        assert requests.get(f"{cluster.url}/health", timeout=5).ok
    for _ in range(10):
        assert _of_api(cluster)[name] == before + 20


def test_without_a_token_nothing_is_told(cluster: Cluster) -> None:
    assert requests.get(f"{cluster.url}/metrics", timeout=5).status_code == 401
