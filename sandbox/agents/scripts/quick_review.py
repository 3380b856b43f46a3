"""The agent ``quick-review``: looks over the latest commits of a repository that gives no cause for worry."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from sandbox.agents.scripts.protocol import serve
from sandbox.agents.scripts.repository import Commit, Repository

_KINDS = (
    ("fix", re.compile(r"^(fix|bugfix|hotfix|revert)\b|\bfix(es|ed)?\b", re.IGNORECASE)),
    ("documentation", re.compile(r"^docs?\b|\b(readme|documentation|changelog)\b", re.IGNORECASE)),
    ("test", re.compile(r"^tests?\b|\btests?\b", re.IGNORECASE)),
    ("maintenance", re.compile(r"^(chore|ci|build|refactor|style)\b|\b(bump|upgrade|refactor)", re.IGNORECASE)),
    ("feature", re.compile(r"^(feat|add|implement|support)", re.IGNORECASE)),
)
_LARGE_COMMIT = 1000


def review_quickly(given: dict[str, Any]) -> dict[str, Any]:
    """Sort the latest commits by kind and point at the large ones."""
    commits = Repository(given["repository"]).commits(given.get("commits", 30))
    kinds = Counter(_kind(commit.subject) for commit in commits)
    findings = [{"commit": commit.sha, "text": f"{commit.subject} changes {_size(commit)} lines"}
                for commit in commits if _size(commit) > _LARGE_COMMIT]
    return {"depth": "quick", "kinds": dict(kinds), "findings": findings, "review": _review(kinds, findings)}


def _kind(subject: str) -> str:
    return next((name for name, pattern in _KINDS if pattern.search(subject)), "other")


def _size(commit: Commit) -> int:
    return sum(change.lines for change in commit.changes)


def _review(kinds: Counter[str], findings: list[dict[str, Any]]) -> str:
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()) or "no commits yet"
    return "\n".join([f"- quick review: {counted}", *(f"- large commit: {found['text']}" for found in findings)])


if __name__ == "__main__":
    serve(review_quickly)
