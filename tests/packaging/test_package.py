"""The wheel as it is published: built from the sdist, installed elsewhere, and run there without the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tests.tasks.nowhere import NOWHERE

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).parents[2]
PACKAGES = ("workflow_service", "tasks", "web", "inbound", "migrations", "cli", "sandbox")
DESCRIPTION = ("setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
MADE = shutil.ignore_patterns("__pycache__", "*.pyc")
MODULES = ("web.wsgi", "tasks.app", "tasks.blocks", "tasks.sweeps", "tasks.consumer", "inbound.__main__", "migrations",
           "cli.main", "sandbox.stack.command", "sandbox.demo.command")
PATIENCE_S = 300


def run(*argv: str | Path, cwd: Path, environ: dict[str, str] | None = None) -> str:
    """Run a program away from the repository and return what it said."""
    clean = {name: value for name, value in os.environ.items()
             if name not in ("PYTHONPATH", "JWT_SECRET", "PORT") and not name.endswith("_URL")}
    ended = subprocess.run([str(part) for part in argv], cwd=cwd, env={**clean, **(environ or {})}, text=True,
                           timeout=PATIENCE_S, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory with the sdist and the wheel."""
    source = tmp_path_factory.mktemp("source")
    for name in DESCRIPTION:
        shutil.copy(ROOT / name, source / name)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=MADE)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", source / "dist", source, cwd=source.parent)
    return source / "dist"


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the programs of a new environment with the wheel; only what we depend on is that of this environment."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, symlinks=True)
    site = next(home.glob("lib/python*/site-packages"))
    # a path in such a file is searched, but the .pth files in it, such as that of an editable install, are not read
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    run(sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", home / "bin" / "python", "install",
        "--no-deps", "--no-index", "--ignore-installed", next(built.glob("*.whl")), cwd=home)
    return home / "bin"


def test_sdist_and_wheel_hold_every_file_of_the_packages(built: Path) -> None:
    expected = {str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*")
                if path.is_file() and path.suffix != ".pyc"}
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel, tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        in_wheel = set(wheel.namelist())
        in_sdist = {name.partition("/")[2] for name in sdist.getnames()}
    assert expected - in_wheel == set()
    assert expected - in_sdist == set()
    assert not any(name.startswith("tests/") for name in in_wheel | in_sdist)


def test_every_process_finds_its_code_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    places = ", ".join(f"{name}.__file__" for name in MODULES)
    program = f"import {', '.join(MODULES)}; print({places}, sep=chr(10))"
    found = run(installed / "python", "-c", program, cwd=tmp_path, environ=NOWHERE).split()
    assert [path for path in found if path.startswith("/") and not path.startswith(str(installed.parent))] == []
    assert sum(path.startswith(str(installed.parent)) for path in found) == len(MODULES)


def test_the_command_line_is_there_with_the_commands_of_the_sandbox(installed: Path, tmp_path: Path) -> None:
    said = run(installed / "workflow-service", "--help", cwd=tmp_path)
    assert all(f"  {command} " in said for command in ("dev", "demo", "templates", "executions", "token"))


def test_the_demo_runs_to_its_end(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "counter.py").write_text("def count(words):\n    return len(words)\n", encoding="utf-8")
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for arguments in (["init", "--initial-branch", "main"], ["add", "counter.py"], ["commit", "--message", "Count"]):
        run("git", *identity, *arguments, cwd=tmp_path)
    said = run(installed / "workflow-service", "demo", cwd=tmp_path)
    assert "completed" in said
