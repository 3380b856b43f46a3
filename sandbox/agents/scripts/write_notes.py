"""The agent ``notes-writer``: leaves the release notes in a directory of the workspace."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

from sandbox.agents.scripts.protocol import ScriptError, serve

_NAME = "RELEASE_NOTES.md"


def write_notes(given: dict[str, Any]) -> dict[str, Any]:
    """Write the file whole or not at all; a second time gives the same file.

    Raises:
        ScriptError: the directory is outside the workspace (also through a link), or cannot be written.
    """
    workspace = Path(os.environ["AGENT_WORKSPACE_DIR"]).resolve()
    directory = (workspace / given["outputDirectory"]).resolve()
    if not directory.is_relative_to(workspace):
        raise ScriptError("outside_workspace", "configuration", "The output directory is outside the workspace.")
    content = given["notes"].encode()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _replace(directory / _NAME, content)
    except OSError as error:
        raise ScriptError("cannot_write", "configuration", f"{_NAME} cannot be written: {error.strerror}.") from error
    return {"path": str(directory / _NAME), "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _replace(target: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        file.write(content)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(target)


if __name__ == "__main__":
    serve(write_notes)
