"""The tasks that run blocks: ids in, nothing out, and no exception whatever happens, or a chord would never end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tasks import blocks
from tests.tasks.engines import WorkerInMemory
from workflow_service.domain.commands import RunBlock
from workflow_service.domain.errors import NotFound, Unavailable

TASKS = [pytest.param(blocks.run, id="run"), pytest.param(blocks.run_joined, id="run_joined")]
IDS = ("acme", "run", "a", 2, "b")


class Worker:
    """A worker's process whose engine notes what it is to run and then raises."""

    def __init__(self, error: Exception | None = None) -> None:
        """Raise this, or do nothing."""
        self.commands: list[RunBlock] = []
        self._error = error

    def application(self) -> Any:
        """Return an application that can run blocks and nothing else."""
        return SimpleNamespace(engine=SimpleNamespace(blocks=self))

    def run(self, command: RunBlock) -> None:
        """Note the command."""
        self.commands.append(command)
        if self._error is not None:
            raise self._error


@pytest.mark.parametrize("task", TASKS)
def test_a_message_becomes_a_command(task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker()
    monkeypatch.setattr(blocks, "process", worker)
    assert task(*IDS) is None
    assert worker.commands == [
        RunBlock(workspace_id="acme", execution_id="run", block_id="a", epoch=2, brings="b")]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("error", [Unavailable("MongoDB"), NotFound("template", "t"), LookupError("gone"),
                                   ZeroDivisionError("a bug"), RuntimeError("cannot schedule new futures")],
                         ids=lambda error: type(error).__name__)
def test_no_error_leaves_a_task_and_each_is_logged(task: Any, error: Exception, monkeypatch: pytest.MonkeyPatch,
                                                   caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(blocks, "process", Worker(error))
    assert task(*IDS) is None
    record = caplog.records[-1]
    assert "left to the sweep" in record.getMessage()
    assert (record.__dict__["execution_id"], record.__dict__["block_id"]) == ("run", "a")


@pytest.mark.parametrize("task", TASKS)
def test_an_application_that_can_not_be_built_is_no_error_either(task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_application() -> Any:
        raise Unavailable("MongoDB")
    monkeypatch.setattr(blocks, "process", SimpleNamespace(application=no_application))
    assert task(*IDS) is None


@pytest.mark.parametrize("task", TASKS)
def test_a_message_about_a_block_that_is_not_there_is_dropped(task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = WorkerInMemory()
    monkeypatch.setattr(blocks, "process", worker)
    assert task(*IDS) is None
    assert set(worker.asked) == {"blocks.get"}
