"""The agent ``repository-size``: how large a repository is, by language."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from sandbox.agents.scripts.languages import language_of
from sandbox.agents.scripts.protocol import serve
from sandbox.agents.scripts.repository import Repository

_MOST_LANGUAGES = 12
_MOST_NAMES = 200


def measure_size(given: dict[str, Any]) -> dict[str, Any]:
    """Count files, lines and bytes of what is committed."""
    repository = Repository(given["repository"])
    sizes, lines = repository.files(), repository.line_counts()
    top_level = sorted({path.split("/")[0] for path in sizes})
    return {
        "name": Path(given["repository"]).resolve().name, "commit": repository.head, "files": len(sizes),
        "textFiles": len(lines), "lines": sum(lines.values()),
        "bytes": sum(sizes.values()), "languages": _languages(sizes, lines), "topLevel": top_level[:_MOST_NAMES]}


def _languages(sizes: dict[str, int], lines: dict[str, int]) -> list[dict[str, Any]]:
    files_of = Counter(language_of(path) for path in sizes)
    lines_of: Counter[str] = Counter()
    for path, count in lines.items():
        lines_of[language_of(path)] += count
    ranked = sorted(files_of, key=lambda language: (-lines_of[language], language))
    return [{"language": language, "files": files_of[language], "lines": lines_of[language]}
            for language in ranked[:_MOST_LANGUAGES]]


if __name__ == "__main__":
    serve(measure_size)
