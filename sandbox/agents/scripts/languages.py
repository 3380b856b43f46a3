"""What a file is, judged by its name."""

from __future__ import annotations

from pathlib import PurePosixPath

OTHER = "Other"
"""Files that no language claims."""

_CODE = {
    ".py": "Python", ".pyi": "Python", ".js": "JavaScript", ".mjs": "JavaScript", ".cjs": "JavaScript",
    ".jsx": "JavaScript", ".ts": "TypeScript", ".tsx": "TypeScript", ".go": "Go", ".rs": "Rust", ".java": "Java",
    ".kt": "Kotlin", ".scala": "Scala", ".c": "C", ".h": "C", ".cc": "C++", ".cpp": "C++", ".cxx": "C++",
    ".hpp": "C++", ".cs": "C#", ".rb": "Ruby", ".php": "PHP", ".swift": "Swift", ".m": "Objective-C",
    ".sh": "Shell", ".bash": "Shell", ".pl": "Perl", ".lua": "Lua", ".r": "R", ".jl": "Julia", ".ex": "Elixir",
    ".exs": "Elixir", ".erl": "Erlang", ".hs": "Haskell", ".clj": "Clojure", ".dart": "Dart", ".sql": "SQL",
    ".vue": "Vue", ".zig": "Zig",
}
_TEXT = {
    ".md": "Markdown", ".rst": "reStructuredText", ".txt": "Text", ".html": "HTML", ".css": "CSS", ".scss": "CSS",
    ".json": "JSON", ".jsonl": "JSON", ".yaml": "YAML", ".yml": "YAML", ".toml": "TOML", ".cfg": "Configuration",
    ".ini": "Configuration", ".xml": "XML", ".csv": "CSV", ".tf": "Terraform", ".proto": "Protocol Buffers",
}
_BY_NAME = {"Makefile": "Makefile", "Dockerfile": "Dockerfile", "LICENSE": "Text", "README": "Text"}
_TEST_DIRECTORIES = frozenset({"test", "tests", "spec", "specs", "__tests__", "testing"})
_TEST_MARKS = ("_test.", ".test.", ".spec.", "_spec.")


def language_of(path: str) -> str:
    """Return the language of a file."""
    file = PurePosixPath(path)
    suffix = file.suffix.lower()
    return _BY_NAME.get(file.name) or _CODE.get(suffix) or _TEXT.get(suffix) or OTHER


def is_code(path: str) -> bool:
    """Say whether a file is program text, not documentation or configuration."""
    return PurePosixPath(path).suffix.lower() in _CODE


def is_test(path: str) -> bool:
    """Say whether a file belongs to the tests."""
    file = PurePosixPath(path)
    name = file.name.lower()
    return (name.startswith("test_") or any(mark in name for mark in _TEST_MARKS)
            or any(part.lower() in _TEST_DIRECTORIES for part in file.parts[:-1]))
