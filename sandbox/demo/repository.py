"""The git repository that the demo reviews."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sandbox.demo.errors import DemoFailed

_PATIENCE_S = 10


def find_repository(path: Path) -> Path:
    """Return the top of the repository that a path is in.

    Raises:
        DemoFailed: it is in none, or in one without a commit.
    """
    top = Path(_git(path, "rev-parse", "--show-toplevel", otherwise=f"{path} is not in a git repository; "
                                                                    "name one with --repo."))
    _git(top, "rev-parse", "--verify", "HEAD", otherwise=f"The repository {top} has no commit yet.")
    return top


def _git(path: Path, *arguments: str, otherwise: str) -> str:
    # a repository of another owner may be read here: nothing of it is run
    command = ["git", "-c", "safe.directory=*", "-C", str(path), *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    except FileNotFoundError as error:
        raise DemoFailed("The demo needs git, which is not installed.") from error
    except subprocess.TimeoutExpired as error:
        raise DemoFailed(f"git did not answer within {_PATIENCE_S} s in {path}.") from error
    if answer.returncode:
        raise DemoFailed(otherwise)
    return answer.stdout.strip()
