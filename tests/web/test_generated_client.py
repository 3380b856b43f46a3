"""A client that a public generator makes of our OpenAPI document drives a real web process."""

from __future__ import annotations

import compileall
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import requests

from tests.web.served import SECRET
from tests.web.test_following import PATIENCE_S, Server, running
from web.api.schemas.examples import START, TEMPLATE
from web.tokens import issue_token

PACKAGE = "generated_workflow_client"
KNOWN_GAPS = {"Unsupported content type application/yaml"}
"""What the generator says that it leaves out: it knows no bodies in YAML, which is right of us to offer."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a web process with one template."""
    with running() as served:
        yield served


@pytest.fixture(scope="module")
def generated(server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the folder of a client made of the document that the process serves, and what the generator said."""
    folder = tmp_path_factory.mktemp("client")
    document = requests.get(server.url.replace("/v1", "/openapi.json"), timeout=PATIENCE_S)
    (folder / "openapi.json").write_bytes(document.content)
    # with no formatter afterwards
    (folder / "config.yaml").write_text(json.dumps({"post_hooks": []}), encoding="utf-8")
    program = str(Path(sys.executable).with_name("openapi-python-client"))
    done = subprocess.run([program, "generate", "--path", "openapi.json", "--config", "config.yaml", "--meta", "none",
                           "--output-path", PACKAGE], cwd=folder, env={**os.environ, "COLUMNS": "200"}, timeout=60,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout + done.stderr


@pytest.fixture(scope="module")
def client(server: Server, generated: tuple[Path, str]) -> Iterator["Client"]:
    """A user of the generated client."""
    folder, _ = generated
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        token = issue_token(SECRET, "ada", "admin", "acme", timedelta(minutes=30))
        connection = importlib.import_module(PACKAGE).AuthenticatedClient(
            base_url=server.url.removesuffix("/api/v1"), token=token, raise_on_unexpected_status=True,
            timeout=httpx.Timeout(PATIENCE_S))
        with connection:
            yield Client(connection)
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


class Client:
    """Calls operations by their names in the generated client."""

    def __init__(self, connection: Any) -> None:
        """Take the connection."""
        self._connection = connection
        self.models = importlib.import_module(f"{PACKAGE}.models")

    def call(self, operation: str, *given: str, **named: Any) -> Any:
        """Call an operation such as ``executions.get_execution`` and return what it answered, status and all."""
        module = importlib.import_module(f"{PACKAGE}.api.{operation}")
        return module.sync_detailed(*given, client=self._connection, **named)

    def ended(self, execution_id: str, *statuses: str) -> Any:
        """Return an execution once it has one of these statuses."""
        deadline = time.monotonic() + PATIENCE_S
        while (found := self.call("executions.get_execution", execution_id).parsed).status not in statuses:
            assert time.monotonic() < deadline, found.status
            time.sleep(0.05)
        return found


def _modules(folder: Path) -> list[str]:
    return [".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
            for path in sorted((folder / PACKAGE).rglob("*.py"))]


def test_the_generator_understands_all_but_yaml(generated: tuple[Path, str]) -> None:
    _, said = generated
    complaints = {line.strip() for line in said.splitlines() if line.startswith(("Unsupported", "Cannot", "Could not"))}
    assert complaints <= KNOWN_GAPS
    assert said.count("WARNING") == 2 and "ERROR" not in said, said  # the bodies of POST and PUT of templates


def test_every_module_compiles_and_can_be_imported(generated: tuple[Path, str], client: Client) -> None:
    folder, _ = generated
    assert compileall.compile_dir(folder / PACKAGE, quiet=2)
    imported: list[ModuleType] = [importlib.import_module(name) for name in _modules(folder)]
    assert len(imported) > 100


def test_every_operation_is_in_the_client(server: Server, generated: tuple[Path, str]) -> None:
    folder, _ = generated
    document = json.loads((folder / "openapi.json").read_bytes())
    named = {operation["operationId"].lower() for item in document["paths"].values() for method, operation in
             item.items() if method != "parameters"}
    made = {path.stem.replace("_", "") for path in (folder / PACKAGE / "api").glob("*/*.py")} - {"init"}
    assert made == named


def test_a_workflow_from_its_import_to_its_end(client: Client) -> None:
    models = client.models
    # Given a template that was imported
    document = {**TEMPLATE, "templateId": "by-client", "inputSchema": {
        "type": "object", "properties": {"document": {"type": "string"}}, "required": ["document"]}}
    stored = client.call("templates.create_template", body=models.WorkflowTemplate.from_dict(document))
    assert (stored.status_code, stored.headers["ETag"]) == (201, '"1.0.0"')
    assert stored.parsed.created_by == "ada" and stored.parsed.blocks[1].human_in_loop.required is True
    assert abs(datetime.now(UTC) - stored.parsed.created_at) < timedelta(minutes=5)

    # When it is started, twice with one key
    start = models.StartExecution.from_dict({**START, "templateId": "by-client", "attributes": {"order": 4711}})
    started, again = (client.call("executions.start_execution", body=start, idempotency_key="order-4711")
                      for _ in range(2))
    assert (started.status_code, again.status_code) == (201, 200)
    run = started.parsed.execution_id
    assert again.parsed.execution_id == run

    # Then it waits for a person, who is asked and answers
    waiting = client.ended(run, "waiting")
    assert waiting.blocked_blocks == ["review"] and waiting.completed_at is None
    [asked] = client.call("approvals.list_pending_approvals", execution_id=run).parsed.approvals
    assert asked.payload.additional_properties == {"clauses": [7]}
    answer = models.RespondToApproval.from_dict({"approved": True, "response": {"notes": "Clause 7."}})
    assert client.call("approvals.respond_to_approval", asked.approval_id, body=answer).parsed.success is True
    late = client.call("approvals.respond_to_approval", asked.approval_id, body=answer)
    assert (late.status_code, late.parsed.error) == (409, "already_decided")

    # And it comes to its end, and is found again
    ended = client.ended(run, "completed", "failed")
    assert ended.status == "completed" and ended.completed_at > ended.started_at
    assert ended.block_executions[1].output.additional_properties["given"]["notes"] == "Clause 7."
    page = client.call("executions.list_executions", attribute=["order:4711"],
                       status=[models.ListExecutionsStatusItem.COMPLETED]).parsed
    assert ([found.execution_id for found in page.executions], page.total) == ([run], 1)
    events = client.call("history.list_events", run, after=2, limit=3).parsed
    assert [event.sequence for event in events.events] == [3, 4, 5] and events.next_ == 5
    logs = client.call("history.get_execution_logs", run, block_id="review").parsed
    assert {entry.block_id for entry in logs.logs} == {"review"}


def test_lists_are_paged(client: Client) -> None:
    start = client.models.StartExecution.from_dict({**START, "attributes": {"batch": "pages"}})
    started = {client.call("executions.start_execution", body=start).parsed.execution_id for _ in range(3)}
    first = client.call("executions.list_executions", attribute=["batch:pages"], limit=2).parsed
    rest = client.call("executions.list_executions", attribute=["batch:pages"], limit=2,
                       cursor=first.next_cursor).parsed
    assert {found.execution_id for found in [*first.executions, *rest.executions]} == started
    assert (len(first.executions), len(rest.executions), rest.next_cursor) == (2, 1, None)


def test_an_execution_is_controlled(client: Client) -> None:
    models = client.models
    start = models.StartExecution.from_dict(dict(START))
    run = client.call("executions.start_execution", body=start).parsed.execution_id
    client.ended(run, "waiting")
    paused = client.call("control.pause_execution", run, body=models.Pause.from_dict({"reason": "Later."})).parsed
    assert (paused.success, paused.status, paused.clock) == (True, "paused", "stopped")
    assert client.call("control.resume_execution", run, body=models.Nothing()).parsed.holds == []
    client.call("control.cancel_execution", run, body=models.Cancel())
    assert client.ended(run, "cancelled").blocked_blocks == []


def test_faults_come_as_values(client: Client) -> None:
    start = client.models.StartExecution.from_dict({**START, "templateId": "nowhere"})
    answer = client.call("executions.start_execution", body=start)
    assert (answer.status_code, answer.parsed.code, answer.parsed.error) == (404, 404, "not_found")
    assert answer.parsed.request_id == answer.headers["X-Request-ID"]


def test_templates_get_new_versions(client: Client) -> None:
    models = client.models
    document = models.WorkflowTemplate.from_dict({**TEMPLATE, "templateId": "versions"})
    client.call("templates.create_template", body=document)
    update = {name: value for name, value in TEMPLATE.items() if name not in ("templateId", "version")}
    change = models.TemplateUpdate.from_dict({**update, "name": "Better"})
    stored = client.call("templates.update_template", "versions", body=change, if_match='"1.0.0"')
    assert (stored.parsed.version, stored.parsed.name) == ("1.0.1", "Better")
    other = models.TemplateUpdate.from_dict({**update, "name": "Best"})
    lost = client.call("templates.update_template", "versions", body=other, if_match='"1.0.0"')
    assert (lost.status_code, lost.parsed.error) == (412, "stale_version")
    found = client.call("templates.get_template", "versions", version="1.0.0").parsed
    assert found.name == TEMPLATE["name"]
    exported = client.call("reviews.export_template", "versions", format_=models.ExportTemplateFormat.JSON).parsed
    assert exported.to_dict()["name"] == "Better"
