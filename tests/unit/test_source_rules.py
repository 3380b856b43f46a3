"""Rules of the source that no linter knows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_PACKAGES = ("workflow_service", "tasks", "web", "inbound", "migrations", "cli", "sandbox", "benchmarks")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _imports_within(tree: ast.AST) -> Iterator[int]:
    """Yield the lines of imports inside functions."""
    for function in ast.walk(tree):
        if isinstance(function, _FUNCTIONS):
            yield from (node.lineno for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom))


@pytest.mark.parametrize("package", _PACKAGES)
def test_nothing_is_imported_inside_a_function(package: str) -> None:
    found = [f"{path.relative_to(_ROOT)}:{line}" for path in sorted((_ROOT / package).rglob("*.py"))
             for line in _imports_within(ast.parse(path.read_text(encoding="utf-8")))]
    assert not found


def test_an_import_inside_a_function_is_seen() -> None:
    assert list(_imports_within(ast.parse("import a\n\ndef f():\n    import b\n"))) == [4]
