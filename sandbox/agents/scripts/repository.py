"""Reads a git repository through the ``git`` command, without trusting it.

Everything is read from what is committed at ``HEAD``, so bare and half checked-out repositories work as well, and an
empty one simply has no files. Hooks, external diff programs, file system monitors and network access are switched off,
since the configuration inside a foreign repository could name programs to run.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from sandbox.agents.scripts.protocol import ScriptError

_SETTINGS = {
    "safe.directory": "*", "core.hooksPath": "/dev/null", "core.fsmonitor": "false", "protocol.allow": "never",
    "log.showRoot": "false", "log.showSignature": "false",
    # Small windows into pack files keep a large repository within the script's memory limit.
    "core.packedGitWindowSize": "16m", "core.packedGitLimit": "128m",
}
_GIT_SECONDS = 20
_NO_MATCH = 1
_START = re.compile(r"\x01[0-9a-f]{40,64}")
_TODO = "TODO|FIXME|XXX|HACK"
_COUNT = re.compile(r"HEAD:(.*?)\0([0-9]+)\n", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What one commit did to one file."""

    path: str
    lines: int
    """Added and deleted."""


@dataclass(frozen=True, kw_only=True)
class Commit:
    """One commit; a first commit has no changes, because an import is no change."""

    sha: str
    author: str
    subject: str
    changes: tuple[Change, ...]


class Repository:
    """The committed content and the history of one repository."""

    def __init__(self, path: str) -> None:
        """Open a repository.

        Raises:
            ScriptError: there is none at the path.
        """
        if not Path(path).is_dir():
            raise ScriptError("not_a_repository", "configuration", f"There is no directory '{path}'.")
        self._path = path
        if self._run(["rev-parse", "--git-dir"]).returncode != 0:
            raise ScriptError("not_a_repository", "configuration", f"'{path}' is not a git repository.")
        self._prefix = self._run(["rev-parse", "--show-prefix"]).stdout.removesuffix("\n")
        self._head = self._run(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).stdout.strip() or None

    @property
    def head(self) -> str | None:
        """The hash of the commit at ``HEAD``; None before the first commit."""
        return self._head

    def files(self) -> dict[str, int]:
        """Return the size in bytes of each regular file by its path."""
        sizes: dict[str, int] = {}
        for entry in self._output(["ls-tree", "-r", "-l", "-z", "HEAD"]).split("\0"):
            attributes, _, path = entry.partition("\t")
            if attributes.startswith("100"):  # a regular file, not a link or a submodule
                sizes[path] = int(attributes.split()[3])
        return sizes

    def line_counts(self) -> dict[str, int]:
        """Return the number of lines of each text file that is not empty."""
        return self._counts(["-e", ""])

    def todo_counts(self) -> dict[str, int]:
        """Return the number of lines with a mark such as TODO in each file that has one."""
        return self._counts(["-w", "-E", "-e", _TODO])

    def commits(self, limit: int) -> list[Commit]:
        """Return the latest commits, the newest first."""
        text = self._output(["log", f"-n{limit}", "--numstat", "--relative", "--no-renames", "--no-ext-diff",
                             "--no-textconv", "-z", "--format=%x00%x01%H%x00%an%x00%s%x00"])
        return list(_commits(text.split("\0")))

    def text(self, path: str, limit: int) -> str:
        """Return a file's content.

        Args:
            path: as in ``files``.
            limit: in characters; the rest is left out.
        """
        return self._output(["show", "--no-ext-diff", "--no-textconv", f"HEAD:{self._prefix}{path}"])[:limit]

    def _counts(self, pattern: Sequence[str]) -> dict[str, int]:
        text = self._output(["grep", "-I", "-c", "-z", *pattern, "HEAD"], also=_NO_MATCH)
        return {path: int(count) for path, count in _COUNT.findall(text)}

    def _output(self, arguments: Sequence[str], also: int = 0) -> str:
        """Run git and return what it says; nothing before the first commit.

        Raises:
            ScriptError: it ends with an exit code other than 0 or ``also``.
        """
        if self._head is None:
            return ""
        ended = self._run(arguments)
        if ended.returncode not in (0, also):
            raise ScriptError("git_failed", "agent", f"git {arguments[0]} failed: {ended.stderr.strip()[:300]}")
        return ended.stdout

    def _run(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        try:
            return subprocess.run(
                ["git", *settings, "--no-pager", "-C", self._path, *arguments], env=_environment(), check=False,
                capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=_GIT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise ScriptError("git_timed_out", "transient", f"git {arguments[0]} took too long.") from error
        except FileNotFoundError as error:
            raise ScriptError("git_missing", "critical", "The program 'git' is not installed.") from error


def _environment() -> Mapping[str, str]:
    return {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"}


def _commits(parts: Sequence[str]) -> Iterator[Commit]:
    """Read git's log: a hash after a mark, author and subject, then one part for each file that was changed."""
    starts = [index for index, part in enumerate(parts) if _START.fullmatch(part)]
    for start, end in pairwise([*starts, len(parts)]):
        sha, author, subject, *numbers = parts[start:end]
        changes = [_change(line) for line in numbers if line.count("\t") >= 2]
        yield Commit(sha=sha[1:], author=author, subject=subject, changes=tuple(changes))


def _change(line: str) -> Change:
    added, deleted, path = line.removeprefix("\n").split("\t", 2)
    return Change(path=path, lines=sum(int(number) for number in (added, deleted) if number.isdigit()))
