"""The tool type ``script``: a Python file of the registry in a process of its own, within limits.

The script reads the input as JSON from its standard input and writes the output as a JSON object to its standard
output. To fail in an orderly way it writes ``{"error": {"code", "class", "message"}}`` and ends with another exit code
than 0. Files stand in for pipes, so that a limit on file size also bounds the output and neither side can block. The
limits keep an agent's mistakes from harming its neighbours; they are no wall against a hostile script, which can still
read what the service's user can read.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.agent_service.agents import schema_fault
from sandbox.agent_service.errors import AgentServiceError, WorkFailed
from sandbox.agent_service.strict_json import parse_json
from sandbox.agent_service.tools import launcher
from sandbox.agent_service.tools.base import ToolCall, ToolResult

_LOG = logging.getLogger(__name__)
_PACKAGE_ROOT = Path(__file__).parents[3]
_MEGABYTE = 1024 * 1024
_ERROR_SCHEMA = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$"},
        "class": {"enum": ["transient", "agent", "configuration", "critical"]},
        "message": {"type": "string", "maxLength": 1000},
    },
    "required": ["code", "class", "message"],
}


class ScriptTool:
    """Runs the agent's script once."""

    def __init__(self, *, scratch_directory: Path, workspace_directory: Path) -> None:
        """Remember where scripts may write.

        Args:
            scratch_directory: each run gets a directory in it, which is removed afterwards.
            workspace_directory: told to the script as ``AGENT_WORKSPACE_DIR``.
        """
        scratch_directory.mkdir(parents=True, exist_ok=True)
        workspace_directory.mkdir(parents=True, exist_ok=True)
        self._scratch = scratch_directory.resolve()
        self._workspace = workspace_directory.resolve()

    def run(self, call: ToolCall) -> ToolResult:
        """Start the script, wait for it within the time limit, read its output."""
        with tempfile.TemporaryDirectory(dir=self._scratch, ignore_cleanup_errors=True) as name:
            scratch = Path(name)
            (scratch / "input.json").write_text(json.dumps(dict(call.request.input)), encoding="utf-8")
            exit_code = self._run(call, scratch)
            return ToolResult(output=_output(call, scratch, exit_code))

    def _run(self, call: ToolCall, scratch: Path) -> int:
        with _lifeline() as pipe, (scratch / "input.json").open("rb") as stdin, \
                (scratch / "output.json").open("wb") as stdout, (scratch / "errors.txt").open("wb") as stderr:
            call.cancellation.check()
            process = subprocess.Popen(
                _command(call, pipe), stdin=stdin, stdout=stdout, stderr=stderr, cwd=scratch,
                env=self._environment(scratch), pass_fds=(pipe,), start_new_session=True)
            try:
                with call.cancellation.stopping_by(lambda: _kill(process)):
                    return process.wait(call.seconds_left())
            except subprocess.TimeoutExpired as error:
                raise call.timed_out() from error
            finally:
                _kill(process)
                process.wait()

    def _environment(self, scratch: Path) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(scratch), "TMPDIR": str(scratch),
                "LANG": "C.UTF-8", "AGENT_WORKSPACE_DIR": str(self._workspace)}


@contextmanager
def _lifeline() -> Iterator[int]:
    """Give the reading end of a pipe that closes when this process ends."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


def _command(call: ToolCall, pipe: int) -> list[str]:
    limits = call.settings.get("limits", {})
    numbers = {
        "memory": limits.get("memoryMb", 512) * _MEGABYTE, "file": limits.get("fileMb", 20) * _MEGABYTE,
        "cpu": limits.get("cpuSeconds", 30), "open_files": 256, "core": 0}
    script = call.agent.directory / call.settings["file"]
    return [sys.executable, "-I", str(Path(launcher.__file__)), str(script.resolve()), str(_PACKAGE_ROOT),
            json.dumps(numbers), str(pipe)]


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the script and what it started: its process group, which is its own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _output(call: ToolCall, scratch: Path, exit_code: int) -> Mapping[str, Any]:
    try:
        answer = parse_json((scratch / "output.json").read_bytes() or b"null")
    except ValueError:
        answer = None
    if exit_code == 0 and isinstance(answer, dict):
        return answer
    failure = _failure(exit_code, answer)
    _LOG.warning("Script of agent %s ended with %d, %s: %s", call.agent.agent_id, exit_code, failure.code,
                 _last_words(scratch))
    raise failure


def _failure(exit_code: int, answer: Any) -> AgentServiceError:
    if exit_code == launcher.MEMORY_EXIT:
        return WorkFailed("limit_exceeded", "configuration", "The script wanted more memory than it may have.")
    if exit_code == launcher.FILE_EXIT:
        return WorkFailed("limit_exceeded", "configuration", "The script wrote a larger file than it may.")
    if exit_code == -signal.SIGXCPU:
        return WorkFailed("limit_exceeded", "configuration", "The script used more processor time than it may.")
    error = answer.get("error") if isinstance(answer, dict) else None
    if exit_code != 0 and isinstance(error, dict) and schema_fault(_ERROR_SCHEMA, "error", error) is None:
        return WorkFailed(error["code"], error["class"], error["message"])
    if exit_code == 0:
        return WorkFailed("invalid_answer", "agent", "The script did not write a JSON object.")
    return WorkFailed("script_failed", "agent", f"The script ended with exit code {exit_code}.")


def _last_words(scratch: Path) -> str:
    return (scratch / "errors.txt").read_bytes()[-2000:].decode("utf-8", errors="replace")
