"""Where the stack keeps what it makes: all in one directory, nothing elsewhere."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.local import NAME, LocalDirectory
from sandbox.stack.errors import AlreadyRunning, NotWritable

_LARGEST_LOG_BYTES = 10 * 1024 * 1024
_FOLDERS = ("log", "tmp", "workspace", "store")


class StackDirectory(LocalDirectory):
    """The ``.local`` directory as the stack uses it."""

    @classmethod
    def below(cls, folder: Path) -> StackDirectory:
        """Return that of a folder."""
        return cls(folder.resolve() / NAME)

    @property
    def workspace(self) -> Path:
        """Where agents may leave files."""
        return self.path / "workspace"

    @property
    def temporary(self) -> Path:
        """Where the parts may have files that end with them."""
        return self.path / "tmp"

    @property
    def flower_password_file(self) -> Path:
        """The file with the password of Flower."""
        return self.path / "flower-password"

    def log(self, name: str) -> Path:
        """Return the log of a part."""
        return self.path / "log" / f"{name}.log"

    def store(self, name: str) -> Path:
        """Return the folder in which a part keeps what has to last; made if it is missing."""
        folder = self.path / "store" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def shorten_logs(self) -> None:
        """Put the content of long logs aside; they are emptied in place, as their writers only ever append."""
        for log in (self.path / "log").glob("*.log"):
            if log.stat().st_size > _LARGEST_LOG_BYTES:
                shutil.copyfile(log, log.with_suffix(".log.1"))
                os.truncate(log, 0)

    def private_text(self, file: Path) -> str:
        """Return the random text in a file; the first call makes it, readable for its owner alone."""
        try:
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as made:
                made.write(secrets.token_urlsafe(48) + "\n")
        except FileExistsError:
            pass  # it was made by an earlier start
        return file.read_text(encoding="utf-8").strip()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the directory and keep every other stack out of it.

        Raises:
            AlreadyRunning: another one is in it.
            NotWritable: the system does not allow it.
        """
        try:
            self._make()
            lock = open(self.path / "lock", "a", encoding="utf-8")
        except OSError as error:
            raise NotWritable(self.path, error.strerror or str(error)) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise AlreadyRunning(self.path.parent) from error
            self._clean()
            try:
                yield
            finally:
                self.forget()
                self._clean()

    def _make(self) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in _FOLDERS:
            (self.path / name).mkdir(exist_ok=True)
        # so that no repository of the person sees anything of it
        (self.path / ".gitignore").write_text("*\n", encoding="utf-8")

    def _clean(self) -> None:
        """Empty the temporary folder."""
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir(exist_ok=True)
