"""The commands against a service that answers as the real one does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Shell
from tests.unit.cli.documents import ENDED, STARTED, approval, block, execution, template
from tests.unit.cli.fake_service import FakeService


def test_import_sends_yaml_as_it_is(client: Shell, service: FakeService, tmp_path: Path) -> None:
    service.answers("POST /api/v1/templates", template(a=[], b=["a"]), status=201)
    text = "templateId: review  # the one\nblocks: []\n"
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
    answer = client("templates", "import", "t.yaml")
    assert (answer.exit_code, answer.stdout) == (0, "Stored review 1.0.0 with 2 blocks.\n")
    assert service.requests[0]["body"] == text
    assert service.requests[0]["token"] == "Bearer a-token"


def test_import_tells_where_yaml_is_wrong(client: Shell, service: FakeService) -> None:
    answer = client("templates", "import", "-", given="a: b\n  c: [\n")
    assert answer.exit_code == 1
    assert answer.stderr == "Error: <stdin> is not YAML or JSON (line 2, column 4).\n"
    assert not service.requests


def test_import_sends_json_as_json(client: Shell, service: FakeService) -> None:
    service.answers("POST /api/v1/templates", {**template(a=[]), "status": "draft"}, status=201)
    answer = client("templates", "import", "-", given='\n{"templateId": "review"}')
    assert answer.stdout == "Stored review 1.0.0 with 1 blocks, draft.\n"
    assert service.requests[0]["body"] == {"templateId": "review"}


def test_import_tells_where_json_is_wrong(client: Shell, service: FakeService) -> None:
    answer = client("templates", "import", "-", given='{"a": 1,\n "b" 2}')
    assert (answer.exit_code, answer.stderr) == (1, "Error: <stdin> is not YAML or JSON (line 2, column 6).\n")
    assert not service.requests


def test_update_a_template(client: Shell, service: FakeService) -> None:
    service.answers("PUT /api/v1/templates/review", {**template(a=[]), "version": "1.0.1"})
    for arguments in ([], ["--if-match", "1.0.0"]):
        answer = client("templates", "update", "-", *arguments, given="templateId: review\nname: Review\n")
        assert (answer.exit_code, answer.stdout) == (0, "The latest version of review is 1.0.1.\n")
    assert [request["body"] for request in service.requests] == ["templateId: review\nname: Review\n"] * 2
    assert [request["ifMatch"] for request in service.requests] == [None, '"1.0.0"']


@pytest.mark.parametrize("given", ["name: Review\n", "[]\n", "templateId: 7\n", "templateId: ''\n"])
def test_update_of_nobody_knows_what(client: Shell, service: FakeService, given: str) -> None:
    answer = client("templates", "update", "-", given=given)
    assert answer.exit_code == 1 and "templateId" in answer.stderr
    assert service.requests == []


def test_update_that_somebody_else_was_faster_with(client: Shell, service: FakeService) -> None:
    service.answers("PUT /api/v1/templates/review", {"message": "The latest version is 1.0.1, not 1.0.0."}, status=412)
    answer = client("templates", "update", "-", "--if-match", "1.0.0", given="templateId: review\n")
    assert (answer.exit_code, answer.stderr) == (1, "Error: The latest version is 1.0.1, not 1.0.0.\n")


def test_versions_of_a_template(client: Shell, service: FakeService) -> None:
    service.answers("GET /api/v1/templates/review/versions", {"versions": [
        {"version": "1.0.0", "createdAt": STARTED, "createdBy": "ada"},
        {"version": "1.0.1", "createdAt": ENDED, "createdBy": "bob"}]})
    lines = [line for line in client("templates", "versions", "review").stdout.splitlines() if "1.0." in line]
    assert [("ada" in line, "bob" in line) for line in lines] == [(True, False), (False, True)]


def test_list_templates(client: Shell, service: FakeService) -> None:
    service.answers("GET /api/v1/templates", {"templates": [template(a=[])], "total": 3})
    answer = client("templates", "list", "--search", "rev")
    assert "review" in answer.stdout and "1 of 3" in answer.stderr
    assert service.requests[0]["query"] == {"limit": ["20"], "search": ["rev"]}


def test_show_a_template(client: Shell, service: FakeService) -> None:
    service.answers("GET /api/v1/templates/review", template(first=[], second=["first"]))
    answer = client("templates", "show", "review")
    assert "second" in answer.stdout and answer.exit_code == 0


@pytest.mark.parametrize("arguments", [
    ("templates", "list"), ("executions", "list"), ("executions", "show", "e1"), ("approvals", "list"),
    ("approvals", "show", "a1"), ("templates", "show", "review"), ("executions", "start", "review"),
    ("approvals", "respond", "a1", "--approve")])
def test_json_is_the_answer_of_the_api(client: Shell, service: FakeService, arguments: tuple[str, ...]) -> None:
    answers = {
        "GET /api/v1/templates": {"templates": [], "total": 0},
        "GET /api/v1/executions": {"executions": [], "total": 0},
        "GET /api/v1/executions/e1": execution("running", block("a", "running")),
        "GET /api/v1/approvals/pending": {"approvals": [approval()]}, "GET /api/v1/approvals/a1": approval(),
        "GET /api/v1/templates/review": template(a=[]),
        "POST /api/v1/executions": {"executionId": "e1", "status": "running"},
        "POST /api/v1/approvals/a1/respond": {"success": True}}
    for request, body in answers.items():
        service.answers(request, body)
    answer = client(*arguments, "--json")
    assert answer.exit_code == 0 and not answer.stderr
    assert json.loads(answer.stdout) in answers.values()


def test_start_prints_the_id_alone(client: Shell, service: FakeService) -> None:
    service.answers("POST /api/v1/executions", {"executionId": "e1", "status": "running"}, status=201)
    answer = client("executions", "start", "review", "--input", '{"a": 1}', "--version", "2.0.0")
    assert (answer.exit_code, answer.stdout) == (0, "e1\n")
    assert service.requests[0]["body"] == {"templateId": "review", "input": {"a": 1}, "templateVersion": "2.0.0"}


def test_start_with_a_key_and_attributes(client: Shell, service: FakeService) -> None:
    service.answers("POST /api/v1/executions", {"executionId": "e1", "status": "running"}, status=201)
    client("executions", "start", "review", "--idempotency-key", "order 7", "--attribute", "order=7", "--attribute",
           "by=a=b", "--attribute", "vip=true", "--attribute", "none=null", "--attribute", "empty=")
    assert service.requests[0]["key"] == "order 7"
    assert service.requests[0]["body"]["attributes"] == {
        "order": 7, "by": "a=b", "vip": True, "none": "null", "empty": ""}


@pytest.mark.parametrize("command", [("start", "review"), ("list",)])
def test_an_attribute_without_a_value_is_wrong_usage(client: Shell, service: FakeService,
                                                     command: tuple[str, ...]) -> None:
    answer = client("executions", *command, "--attribute", "order")
    assert answer.exit_code == 2 and "order" in answer.stderr and not service.requests


@pytest.mark.parametrize("given", ["@input.json", "@-"])
def test_start_reads_the_input_from_a_file(client: Shell, service: FakeService, tmp_path: Path, given: str) -> None:
    service.answers("POST /api/v1/executions", {"executionId": "e1", "status": "running"}, status=201)
    (tmp_path / "input.json").write_text('{"b": 2}', encoding="utf-8")
    client("executions", "start", "review", "--input", given, given='{"b": 2}')
    assert service.requests[0]["body"] == {"templateId": "review", "input": {"b": 2}}


@pytest.mark.parametrize("given", ["[1]", "{", "@missing.json", "1", '{"a": NaN}'])
def test_an_input_that_is_no_object_is_wrong_usage(client: Shell, service: FakeService, given: str) -> None:
    answer = client("executions", "start", "review", "--input", given)
    assert answer.exit_code == 2 and "--input" in answer.stderr and not service.requests


def test_show_an_execution(client: Shell, service: FakeService) -> None:
    failed = block("b", "failed", retryCount=2, error={"code": "agent_error", "message": "It broke."})
    service.answers("GET /api/v1/executions/e1", execution("failed", block("a", "completed"), failed))
    answer = client("executions", "show", "e1")
    assert "2.5 s" in answer.stdout
    assert "b: agent_error: It broke." in answer.stdout
    assert "executions restart e1 --dry-run" in answer.stdout


def test_a_waiting_execution_tells_what_to_do(client: Shell, service: FakeService) -> None:
    service.answers("GET /api/v1/executions/e1", execution("waiting", block("a", "awaiting_approval")))
    assert "approvals list --execution e1" in client("executions", "show", "e1").stdout


def test_list_executions(client: Shell, service: FakeService) -> None:
    service.answers("GET /api/v1/executions", {"executions": [execution("running")], "total": 1})
    answer = client("executions", "list", "--status", "running", "--template", "review")
    assert "e1" in answer.stdout
    assert service.requests[0]["query"] == {"limit": ["20"], "status": ["running"], "templateId": ["review"]}


def test_list_with_all_filters(client: Shell, service: FakeService) -> None:
    service.answers("GET /api/v1/executions", {"executions": [execution("running")], "total": 3, "nextCursor": "abc"})
    answer = client(
        "executions", "list", "--status", "failed", "--status", "cancelled", "--tag", "legal", "--by", "ada", "--error",
        "timeout", "--attribute", "order=7", "--attribute", "x=a=b", "--started-after", "2026-01-01T00:00:00Z",
        "--ended-before", "2026-02-01T00:00:00Z", "--limit", "1", "--cursor", "xyz")
    assert "1 of 3" in answer.stderr and "--cursor abc" in answer.stderr
    assert service.requests[0]["query"] == {
        "limit": ["1"], "status": ["failed", "cancelled"], "tag": ["legal"], "createdBy": ["ada"],
        "errorCode": ["timeout"], "attribute": ["order:7", "x:a=b"], "startedAfter": ["2026-01-01T00:00:00Z"],
        "endedBefore": ["2026-02-01T00:00:00Z"], "cursor": ["xyz"]}


def test_watch_prints_each_change_and_ends_well(client: Shell, service: FakeService) -> None:
    service.answers("GET /api/v1/templates/review", template(a=[], b=["a"]))
    service.answers("GET /api/v1/executions/e1", execution("running", block("a", "running"), block("b")))
    service.answers("GET /api/v1/executions/e1", execution("running", block("a", "completed"), block("b", "running")))
    service.answers("GET /api/v1/executions/e1",
                    execution("completed", block("a", "completed"), block("b", "completed")))
    answer = client("executions", "watch", "e1")
    lines = [line.split(maxsplit=1)[1] for line in answer.stdout.splitlines()]
    assert answer.exit_code == 0
    assert [line for line in lines if line.startswith(("a ", "b "))][-1].split() == ["b", "completed"]
    assert lines[-1] == "review 1.0.0 is completed"


def test_watch_of_a_failed_execution_fails(client: Shell, service: FakeService) -> None:
    service.answers("GET /api/v1/executions/e1", execution("failed", block("a", "failed")))
    answer = client("executions", "watch", "e1")
    assert answer.exit_code == 1
    assert "The execution is failed" in answer.stderr


def test_watch_gives_up_in_time(client: Shell, service: FakeService) -> None:
    service.answers("GET /api/v1/executions/e1", execution("running", block("a", "running")))
    answer = client("executions", "watch", "e1", "--timeout", "1")
    assert answer.exit_code == 1 and "1 s" in answer.stderr


def test_list_approvals(client: Shell, service: FakeService) -> None:
    service.answers("GET /api/v1/approvals/pending", {"approvals": [approval()]})
    answer = client("approvals", "list", "--execution", "e1")
    assert "a1" in answer.stdout and "edit: Publish" in answer.stdout


def test_list_of_no_approvals_says_so(client: Shell, service: FakeService) -> None:
    service.answers("GET /api/v1/approvals/pending", {"approvals": []})
    assert client("approvals", "list").stdout == "Nothing waits for your answer.\n"


def test_show_an_approval(client: Shell, service: FakeService) -> None:
    service.answers("GET /api/v1/approvals/a1", approval())
    answer = client("approvals", "show", "a1")
    assert "# Draft\nof Bob" in answer.stdout and "The response may have: notes" in answer.stdout


@pytest.mark.parametrize(("option", "approved"), [("--approve", True), ("--reject", False)])
def test_respond(client: Shell, service: FakeService, option: str, approved: bool) -> None:
    service.answers("POST /api/v1/approvals/a1/respond", {"success": True})
    answer = client("approvals", "respond", "a1", option, "--response", '{"notes": "# Mine"}', "--comments", "Fine.")
    assert answer.exit_code == 0
    assert service.requests[0]["body"] == {"approved": approved, "response": {"notes": "# Mine"}, "comments": "Fine."}


def test_an_answer_that_says_neither_is_wrong_usage(client: Shell, service: FakeService) -> None:
    answer = client("approvals", "respond", "a1")
    assert answer.exit_code == 2 and not service.requests


def test_a_refused_request_is_told_and_fails(client: Shell, service: FakeService) -> None:
    service.answers("POST /api/v1/approvals/a1/respond", {"message": "Approval 'a1' is approved already."}, status=409)
    answer = client("approvals", "respond", "a1", "--approve")
    assert (answer.exit_code, answer.stderr) == (1, "Error: Approval 'a1' is approved already.\n")


def test_a_service_that_is_away_is_told_in_a_line(shell: Shell) -> None:
    answer = shell("templates", "list", "--url", "http://127.0.0.1:1", "--token", "t")
    assert answer.exit_code == 1 and answer.stderr.count("\n") == 1
