"""Waits: which an execution has, and which of them are open."""

from __future__ import annotations

from tests.contract.repositories.builders import ELSEWHERE, HERE, LEASE, NOW, SECOND, new_wait
from workflow_service.domain.flow import SignalMode
from workflow_service.domain.statuses import WaitKind, WaitStatus
from workflow_service.domain.wait import fire
from workflow_service.services.ports import WaitRepository


def test_all_fields_come_back(wait_repository: WaitRepository) -> None:
    wait = new_wait(epoch=2, kind=WaitKind.AGENT, revision=3, status=WaitStatus.FIRED, version=4,
                    payload={"output": [1]}, deadline=NOW, ask_at=NOW + SECOND, is_movable=False,
                    signals=("yes", "no"), signal_mode=SignalMode.ALL, due_at=NOW + LEASE)
    wait_repository.insert(wait)
    assert wait_repository.get(HERE, "x1:b1:2:agent:3") == wait


def test_open_waits_of_one_execution(wait_repository: WaitRepository) -> None:
    for wait in (new_wait("b1"), new_wait("b2"), new_wait("b3", status=WaitStatus.CANCELLED),
                 new_wait("b4", workspace_id=ELSEWHERE), new_wait("b5", execution_id="x2")):
        wait_repository.insert(wait)
    fired = new_wait("b2")
    wait_repository.change(fired, fire(fired, {"approved": True}, NOW))
    assert wait_repository.open_of(HERE, "x1") == [new_wait("b1")]
    assert wait_repository.open_of(ELSEWHERE, "x1") == [new_wait("b4", workspace_id=ELSEWHERE)]


def test_all_waits_of_one_execution(wait_repository: WaitRepository) -> None:
    ours = [new_wait("b1"), new_wait("b1", epoch=2, kind=WaitKind.AGENT, revision=1),
            new_wait("b2", status=WaitStatus.FIRED, payload={"approved": True}),
            new_wait("b3", status=WaitStatus.CANCELLED)]
    for wait in (*ours, new_wait("b4", workspace_id=ELSEWHERE), new_wait("b5", execution_id="x2")):
        wait_repository.insert(wait)
    assert sorted(wait_repository.of_execution(HERE, "x1"), key=lambda wait: wait.id) == ours
    assert not wait_repository.of_execution(HERE, "x3")


def test_wait_fires_once(wait_repository: WaitRepository) -> None:
    wait = new_wait()
    wait_repository.insert(wait)
    assert wait_repository.change(wait, fire(wait, {"approved": True}, NOW))
    assert not wait_repository.change(wait, fire(wait, {"approved": False}, NOW))
    found = wait_repository.get(HERE, wait.id)
    assert found is not None and found.payload == {"approved": True}
