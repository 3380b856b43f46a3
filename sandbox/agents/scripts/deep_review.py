"""The agent ``deep-review``: reads the files where trouble is likely, line by line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from sandbox.agents.scripts.protocol import serve
from sandbox.agents.scripts.repository import Repository

_MOST_FILES = 10
_MOST_FINDINGS_PER_FILE = 5
_LARGEST_TEXT = 1_000_000
_LONG_FUNCTION = 60
_LONG_LINE = 160
_TODO = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def review_deeply(given: dict[str, Any]) -> dict[str, Any]:
    """Review the files that were named, as far as they exist."""
    repository = Repository(given["repository"])
    known = repository.line_counts()
    paths = [path for path in dict.fromkeys(given["paths"]) if path in known][:_MOST_FILES]
    findings = [{"path": path, "line": line, "text": text}
                for path in paths for line, text in _findings(path, repository.text(path, _LARGEST_TEXT))]
    return {"depth": "deep", "reviewed": paths, "findings": findings, "review": _review(paths, findings)}


def _findings(path: str, text: str) -> list[tuple[int, str]]:
    found = list(_python_findings(text)) if path.endswith(".py") else []
    found += _line_findings(text)
    return sorted(found)[:_MOST_FINDINGS_PER_FILE]


def _python_findings(text: str) -> Iterator[tuple[int, str]]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        yield getattr(error, "lineno", None) or 1, "is not valid Python"
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > _LONG_FUNCTION:
                yield node.lineno, f"function {node.name} has {length} lines"
        elif isinstance(node, ast.ExceptHandler) and node.type is None:
            yield node.lineno, "catches every exception without naming one"


def _line_findings(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        mark = _TODO.search(line)
        if mark:
            yield number, f"is marked {mark.group(1)}"
        elif len(line) > _LONG_LINE:
            yield number, f"has {len(line)} characters"


def _review(paths: list[str], findings: list[dict[str, Any]]) -> str:
    if not paths:
        return "- deep review: there was no file to read"
    head = f"- deep review of {len(paths)} files: {len(findings)} findings"
    return "\n".join([head, *(f"- `{found['path']}` line {found['line']} {found['text']}" for found in findings)])


if __name__ == "__main__":
    serve(review_deeply)
