"""The agent ``release-risk``: how risky a release of a repository is, from measures that anybody can repeat.

Each factor turns one measure into a risk from 0 to 1; the score is their weighted mean. The weights are a judgement,
the measures are not: both are in the output.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sandbox.agents.scripts.languages import is_code, is_test
from sandbox.agents.scripts.protocol import serve
from sandbox.agents.scripts.repository import Commit, Repository

_HIGH, _MEDIUM = 0.5, 0.25
_FULL_CHURN = 1.0
"""Changed lines per line at which churn counts as risk 1."""
_FULL_TODOS = 10.0
"""Marks per thousand lines at which they count as risk 1."""
_FULL_FILE = 3000
"""Lines of a file at which it counts as risk 1."""
_ENOUGH_TESTS = 0.3
"""Share of the code that is tests at which their lack counts as risk 0."""
_MOST_FILES = 10


def measure_risk(given: dict[str, Any]) -> dict[str, Any]:
    """Measure and score a repository; one without files scores 0."""
    repository = Repository(given["repository"])
    lines, todos = repository.line_counts(), repository.todo_counts()
    commits = repository.commits(given.get("commits", 100))
    factors = _factors(lines, sum(todos.values()), commits)
    score = round(sum(factor["weight"] * factor["risk"] for factor in factors), 3)
    return {
        "score": score, "level": "high" if score >= _HIGH else "medium" if score >= _MEDIUM else "low",
        "factors": factors, "commits": len(commits), "authors": len({commit.author for commit in commits}),
        "todos": sum(todos.values()), "hotspots": _hotspots(commits, lines), "largestFiles": _largest(lines)}


def _factors(lines: dict[str, int], todos: int, commits: list[Commit]) -> list[dict[str, Any]]:
    total = sum(lines.values())
    code = {path: count for path, count in lines.items() if is_code(path)}
    changed = sum(change.lines for commit in commits for change in commit.changes)
    churn = changed / total if total else 0.0
    density = 1000 * todos / total if total else 0.0
    longest = max(code.values(), default=0)
    tests = sum(count for path, count in code.items() if is_test(path)) / sum(code.values()) if code else 1.0
    return [
        _factor("churn", "changed lines per line", churn, 0.3, churn / _FULL_CHURN),
        _factor("todos", "marks such as TODO per 1000 lines", density, 0.2, density / _FULL_TODOS),
        _factor("longestFile", "lines of the longest code file", longest, 0.2, longest / _FULL_FILE),
        _factor("testShare", "share of code that is tests", tests, 0.3, 1 - tests / _ENOUGH_TESTS)]


def _factor(name: str, measure: str, value: float, weight: float, risk: float) -> dict[str, Any]:
    return {"name": name, "measure": measure, "value": round(value, 3), "weight": weight,
            "risk": round(min(1.0, max(0.0, risk)), 3)}


def _hotspots(commits: list[Commit], lines: dict[str, int]) -> list[dict[str, Any]]:
    """Return the files that are changed most often, of those that still exist."""
    times: Counter[str] = Counter()
    changed: Counter[str] = Counter()
    for commit in commits:
        for change in commit.changes:
            times[change.path] += 1
            changed[change.path] += change.lines
    known = sorted((path for path in times if path in lines), key=lambda path: (-times[path], -changed[path], path))
    return [{"path": path, "commits": times[path], "changedLines": changed[path], "lines": lines[path]}
            for path in known[:_MOST_FILES]]


def _largest(lines: dict[str, int]) -> list[dict[str, Any]]:
    ranked = sorted((path for path in lines if is_code(path)), key=lambda path: (-lines[path], path))
    return [{"path": path, "lines": lines[path]} for path in ranked[:_MOST_FILES]]


if __name__ == "__main__":
    serve(measure_risk)
