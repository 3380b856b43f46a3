"""Fifteen workflows as they are run in production, on real processes: each block once, in its order, side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from tests.support.cluster import Cluster
from tests.support.dags import Dag, every_dag, template_document_of
from tests.support.driver import Driver, effects_of, most_at_once
from tests.support.records import Records, reading_records
from workflow_service.domain.invariants import Record, violations
from workflow_service.domain.statuses import ExecutionStatus

pytestmark = [pytest.mark.acceptance,
              pytest.mark.parametrize("cluster", ["valkey"], indirect=True, scope="module")]

PATIENCE = timedelta(seconds=90)
DELAY_MS = 10
"""How long each block takes, so that blocks that may run side by side are seen to."""


@pytest.fixture(scope="module")
def records(cluster: Cluster) -> Iterator[Records]:
    """What is stored."""
    with reading_records(cluster) as reading:
        yield reading


@every_dag()
def test_each_block_runs_once_in_its_order_and_beside_others(cluster: Cluster, driver: Driver, records: Records,
                                                             dag: Dag) -> None:
    # Given
    document = template_document_of(dag)
    for block in document["blocks"]:
        block["configuration"]["delayMs"] = DELAY_MS
    template_id = driver.store(document)
    # When
    execution_id = driver.start(template_id)
    ended = records.ended(execution_id, PATIENCE)
    # Then
    assert ended.status is ExecutionStatus.COMPLETED
    effects = effects_of(cluster.agents.url, execution_id)
    assert Counter(effect["blockId"] for effect in effects) == {block["blockId"]: 1 for block in document["blocks"]}
    assert not too_early(document, effects)
    record = records.told(execution_id, PATIENCE)
    assert completions(record) == dict.fromkeys(record.plan.nodes, 1)
    assert [entry.sequence for entry in record.history] == [*range(1, records.stored_events(execution_id) + 1)]
    assert not violations(record)
    at_once = most_at_once((effect["startedAt"], effect["endedAt"]) for effect in effects)
    assert (at_once > 1) == (record.plan.widest_level > 1)


def too_early(document: dict[str, Any], effects: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return each pair of blocks of which the second began before the first, which it depends on, had ended."""
    spans = {effect["blockId"]: effect for effect in effects}
    return [(before, block["blockId"]) for block in document["blocks"] for before in block["dependencies"]
            if spans[block["blockId"]]["startedAt"] < spans[before]["endedAt"]]


def completions(record: Record) -> Counter[str]:
    """Return how often each block completed, by the history."""
    return Counter(str(entry.event.block_id) for entry in record.history if entry.event.type == "block_completed")
