"""``workflow-service simulate``, which needs no server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main

TEMPLATE = """
templateId: offer
name: Offer
version: 1.2.0
blocks:
  - {blockId: write, agentId: writer, toolType: use_case, configuration: {topic: "${input.topic}"}}
  - blockId: send
    agentId: mailer
    toolType: api
    dependencies: [write]
    humanInLoop: {required: true, approvalLevel: operator, timeout: 3600000}
    configuration: {text: "${blocks.write.output.text}"}
"""
MOCKS = """
input: {topic: Bees}
mocks:
  write: {output: {text: Dear}, durationMs: 30000}
decide: {send: {decision: approve, afterMs: 60000}}
"""
Shell = Callable[..., Result]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Runs ``workflow-service simulate`` beside a template and mocks, in an environment without settings."""
    for name in [name for name in os.environ if name.startswith("WORKFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.yaml").write_text(TEMPLATE, encoding="utf-8")
    (tmp_path / "m.yaml").write_text(MOCKS, encoding="utf-8")
    return lambda *arguments: CliRunner().invoke(main, ["simulate", *arguments])


def test_it_prints_what_would_happen(shell: Shell) -> None:
    answer = shell("t.yaml", "--mocks", "m.yaml", "--fail", "send=transient*2")
    assert (answer.exit_code, answer.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in answer.stdout.splitlines()]
    for line in ("0:00:30.0 write completed", "0:00:30.0 send asks the role operator",
                 "0:01:30.0 send was approved by simulation", "0:01:35.0 send started, attempt 3",
                 "write writer 1 0.0 s 30.0 s ✓ completed",
                 "Asks operator at 'send' after 30.0 s: approved 1 min 00 s later",
                 "✓ offer 1.2.0 completed after 1 min 36 s, 4 agent calls, 1 question to people"):
        assert line in lines


def test_it_prints_what_the_api_would_answer(shell: Shell) -> None:
    answer = shell("t.yaml", "--mocks", "m.yaml", "--json")
    told = json.loads(answer.stdout)
    assert (told["outcome"], told["durationMs"], told["startedAt"]) == ("completed", 91_000, "2026-01-01T00:00:00.000Z")
    assert [step["blockId"] for step in told["path"]] == ["write", "send"]


def test_options_stand_above_the_file(shell: Shell) -> None:
    options = ["--decide", "send=reject@2h", "--input", '{"topic": "Ants"}', "--json"]
    told = json.loads(shell("t.yaml", "--mocks", "m.yaml", *options).stdout)
    assert (told["outcome"], told["durationMs"]) == ("failed", 7_230_000)
    assert told["path"][0]["input"] == {"topic": "Ants"}


def test_a_question_that_nobody_answers(shell: Shell) -> None:
    answer = shell("t.yaml", "--input", '{"topic": "x"}', "--mocks", "mocks.json")
    assert (answer.exit_code, answer.stderr) == (1, "Error: mocks.json can't be read: No such file or directory.\n")
    Path("mocks.json").write_text('{"mocks": {"write": {"output": {"text": "Dear"}}}}', encoding="utf-8")
    lines = shell("t.yaml", "--input", '{"topic": "x"}', "--mocks", "mocks.json").stdout.splitlines()
    assert lines[-4:] == [
        "Asks operator at 'send' after 1.0 s: pending", "  no answer in 1 h 00 min: asks admin",
        "? offer 1.2.0 waiting after 1 h 00 min, 1 agent call, 1 question to people",
        "  It waits for ever: Block 'send' waits for a person's answer."]


def test_what_fails_is_named(shell: Shell) -> None:
    lines = shell("t.yaml", "--mocks", "m.yaml", "--fail", "agent:writer=critical").stdout.splitlines()
    assert lines[-3:] == [
        "Never reached: send", "✗ offer 1.2.0 failed after 30.0 s, 1 agent call, 0 questions to people",
        "  write: simulated_failure: 'agent:writer' was told to fail"]


@pytest.mark.parametrize(("outcome", "code"), [("completed", 0), ("failed", 1)])
def test_an_expectation(shell: Shell, outcome: str, code: int) -> None:
    answer = shell("t.yaml", "--mocks", "m.yaml", "--expect", outcome)
    assert answer.exit_code == code
    assert answer.stderr == ("" if code == 0 else "Error: It was expected to end as failed, not as completed.\n")


@pytest.mark.parametrize(("arguments", "message"), [
    (["--decide", "sned=approve"], "decide.sned: There is no block that asks a person 'sned' in what is simulated. "
                                   "(allowed: send)"),
    (["--decide", "send=maybe"], "decide.send: This should be one of [\"approve\", \"reject\"]. "
                                 "(allowed: approve, reject)"),
    (["--fail", "send=often"], "fail.send: This is no class of failures, with or without '*n'. "
                               "(allowed: transient, agent, configuration, critical, transient*2)"),
    (["--signal", "paid"], "signals[0].name: No block waits for a signal 'paid'."),
])
def test_bad_directives_are_named(shell: Shell, arguments: list[str], message: str) -> None:
    answer = shell("t.yaml", *arguments)
    assert (answer.exit_code, answer.stderr.splitlines()[1].strip()) == (1, message)


@pytest.mark.parametrize("arguments", [
    ["--decide", "send"], ["--decide", "send=approve@soon"], ["--fail", "=transient"], ["--signal", "paid={"],
    ["--input", "[]"], ["--expect", "luck"], []])
def test_wrong_usage(shell: Shell, arguments: list[str]) -> None:
    answer = shell(*(["t.yaml", *arguments] if arguments else []))
    assert (answer.exit_code, "Traceback" in answer.output) == (2, False)


@pytest.mark.parametrize(("text", "message"), [
    ("a: [", "t.yaml is not YAML that the service takes"), ("[1]", "t.yaml holds no object."),
    ("{}", "The template breaks its rules.\n  (whole): 'templateId' is a required property")])
def test_files_that_are_no_templates(shell: Shell, text: str, message: str) -> None:
    Path("t.yaml").write_text(text, encoding="utf-8")
    answer = shell("t.yaml")
    assert (answer.exit_code, message in answer.stderr) == (1, True), answer.stderr
