"""The tool type ``script`` with real scripts in real processes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.agent_service.errors import AgentServiceError, Cancelled, TimedOut
from sandbox.agent_service.tools.base import ToolCall
from sandbox.agent_service.tools.script import ScriptTool
from tests.unit.sandbox.agent_service.conftest import PATIENCE_SECONDS, MakeCall, is_running, until

LIMITS = {"memoryMb": 256, "cpuSeconds": 1, "fileMb": 1}


@pytest.fixture
def tool(tmp_path: Path) -> ScriptTool:
    """Give a tool with directories of its own."""
    return ScriptTool(scratch_directory=tmp_path / "scratch", workspace_directory=tmp_path / "workspace")


@pytest.fixture
def script(tmp_path: Path, make_call: MakeCall) -> Callable[..., ToolCall]:
    """Give a call of a script with some source; it reads its input as ``given``."""
    def build(source: str, seconds: float = 10.0, **given: Any) -> ToolCall:
        head = "import json, os, sys, time, subprocess, resource\ngiven = json.load(sys.stdin)\n"
        (tmp_path / "script.py").write_text(head + source)
        return make_call("script", {"file": "script.py", "limits": LIMITS}, seconds=seconds, **given)
    return build


def test_input_goes_in_and_output_comes_out(tool: ScriptTool, script: Callable[..., ToolCall]) -> None:
    assert tool.run(script("print(json.dumps({'got': given}))", a=["ä", 1])).output == {"got": {"a": ["ä", 1]}}


def test_the_script_has_a_scratch_directory_and_hardly_an_environment(
        tool: ScriptTool, script: Callable[..., ToolCall], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "secret")
    source = "open('x', 'w').write('x')\nprint(json.dumps({'environment': dict(os.environ), 'cwd': os.getcwd()}))"
    output = tool.run(script(source)).output
    assert set(output["environment"]) == {"PATH", "HOME", "TMPDIR", "LANG", "AGENT_WORKSPACE_DIR"}
    assert output["environment"]["AGENT_WORKSPACE_DIR"] == str(tmp_path / "workspace")
    assert output["cwd"].startswith(str(tmp_path / "scratch"))
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize(("source", "code", "failure_class"), [
    ("print(json.dumps({'error': {'code': 'no_luck', 'class': 'transient', 'message': 'm'}})); sys.exit(1)",
     "no_luck", "transient"),
    ("print(json.dumps({'error': {'code': 'no_luck', 'class': 'odd', 'message': 'm'}})); sys.exit(1)",
     "script_failed", "agent"),
    ("raise ValueError('secret')", "script_failed", "agent"),
    ("os.kill(os.getpid(), 9)", "script_failed", "agent"),
    ("print('not json')", "invalid_answer", "agent"),
    ("print('[1]')", "invalid_answer", "agent"),
    ("print('{\"a\": NaN}')", "invalid_answer", "agent"),
    ("pass", "invalid_answer", "agent"),
    ("x = bytearray(600_000_000)", "limit_exceeded", "configuration"),
    ("open('big', 'wb').write(b'x' * 2_000_000)", "limit_exceeded", "configuration"),
    ("print('x' * 2_000_000)", "limit_exceeded", "configuration"),
    ("while True: pass", "limit_exceeded", "configuration"),
])
def test_failures(
        tool: ScriptTool, script: Callable[..., ToolCall], source: str, code: str, failure_class: str) -> None:
    with pytest.raises(AgentServiceError) as raised:
        tool.run(script(source))
    assert (raised.value.code, raised.value.failure_class) == (code, failure_class)
    assert "secret" not in raised.value.message
    assert "Traceback" not in raised.value.message


def test_a_script_over_its_time_is_killed_with_its_children(
        tool: ScriptTool, script: Callable[..., ToolCall], tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with pytest.raises(TimedOut):
        tool.run(script(_LINGERING, seconds=1.5, pids=str(pids)))
    _assert_gone(pids)


def test_a_cancelled_script_is_killed_with_its_children(
        tool: ScriptTool, script: Callable[..., ToolCall], tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    call = script(_LINGERING, pids=str(pids))
    outcome: list[BaseException] = []

    def run() -> None:
        try:
            tool.run(call)
        except Cancelled as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    until(pids.exists)
    call.cancellation.request()
    thread.join(PATIENCE_SECONDS)
    assert len(outcome) == 1
    _assert_gone(pids)


def test_a_script_that_leaves_a_child_behind_is_cleaned_up(
        tool: ScriptTool, script: Callable[..., ToolCall], tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    source = _LINGERING.removesuffix("time.sleep(60)\n") + "print('{}')"
    assert tool.run(script(source, pids=str(pids))).output == {}
    _assert_gone(pids, without_script=True)


_LINGERING = """
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
with open(given['pids'] + '.new', 'w') as file:
    file.write(f'{os.getpid()} {child.pid}')
os.rename(given['pids'] + '.new', given['pids'])
time.sleep(60)
"""


def _assert_gone(pids: Path, without_script: bool = False) -> None:
    remaining = [int(pid) for pid in pids.read_text().split()[1 if without_script else 0:]]
    until(lambda: not any(map(is_running, remaining)))
