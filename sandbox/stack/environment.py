"""The environment variables that all parts get."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import sandbox
from sandbox.stack.directory import StackDirectory

_PATHS = ("WORKFLOW_CONFIG", "AGENT_REGISTRY")
_LOOPBACK = ("127.0.0.1", "localhost")
_SOURCE = Path(sandbox.__file__).parents[1]


def environment(directory: StackDirectory, environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the person's environment, made fit for processes that work in the directory of the stack.

    Args:
        directory: of the stack.
        environ: the person's.
        folder: where the person is.
    """
    told = dict(environ)
    told.update({name: str((folder / told[name]).resolve()) for name in _PATHS if told.get(name)})
    told["PYTHONPATH"] = os.pathsep.join(_module_folders(told.get("PYTHONPATH", ""), folder))
    # no proxy can reach our own servers
    without = ",".join(filter(None, [told.get("NO_PROXY") or told.get("no_proxy"), *_LOOPBACK]))
    return {**told, "NO_PROXY": without, "no_proxy": without, "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(directory.temporary)}


def _module_folders(given: str, folder: Path) -> list[str]:
    """Return where modules are found: as the person said, and where we are ourselves unless that is known anyway."""
    folders = [str((folder / path).resolve()) for path in given.split(os.pathsep) if path]
    installed = str(_SOURCE) in (sysconfig.get_path("purelib"), *folders)
    return folders if installed else [*folders, str(_SOURCE)]
