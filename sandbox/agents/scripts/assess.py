"""The agent ``release-assessment``: holds the measures against the release policy."""

from __future__ import annotations

import re
from typing import Any

from sandbox.agents.scripts.protocol import ScriptError, serve

_COMMIT = re.compile(r"^Commit: (?P<sha>[0-9a-f]{40,64})\nAuthor: (?P<author>.*)\nDate: (?P<date>.*)\n"
                     r"Message: (?P<subject>.*)$", re.MULTILINE)
_POLICY_FIELDS = ("highRiskScore", "requiredFiles", "maxLinesPerFile", "maxTodosPerThousandLines", "minTestShare")


def assess(given: dict[str, Any]) -> dict[str, Any]:
    """Check each rule of the policy and name the level of risk.

    High is a score of at least the policy's ``highRiskScore`` or two broken rules; one broken rule is at least medium.
    """
    risk, policy = given["risk"], given["policy"]
    missing = [field for field in _POLICY_FIELDS if field not in policy]
    if missing:
        raise ScriptError("invalid_policy", "configuration", f"The release policy lacks '{missing[0]}'.")
    rules = _rules(given["size"], risk, policy)
    broken = [rule for rule in rules if not rule["kept"]]
    commits = [match.groupdict() for match in _COMMIT.finditer(given["history"])]
    level = _level(risk, policy, len(broken))
    return {"level": level, "score": risk["score"], "rules": rules, "brokenRules": len(broken), "commits": commits,
            "facts": _facts(given["size"], risk, rules), "changes": _changes(commits)}


def _level(risk: dict[str, Any], policy: dict[str, Any], broken: int) -> str:
    if risk["score"] >= policy["highRiskScore"] or broken >= 2:
        return "high"
    return "medium" if broken or risk["level"] != "low" else "low"


def _rules(size: dict[str, Any], risk: dict[str, Any], policy: dict[str, Any]) -> list[dict[str, Any]]:
    measured = {factor["name"]: factor["value"] for factor in risk["factors"]}
    present = {name.split(".")[0].upper() for name in size["topLevel"]}
    longest, todos, tests = measured["longestFile"], measured["todos"], measured["testShare"]
    return [
        *(_rule(f"has {name}", True, name.upper() in present, name.upper() in present)
          for name in policy["requiredFiles"]),
        _rule("lines of the longest code file", policy["maxLinesPerFile"], longest,
              longest <= policy["maxLinesPerFile"]),
        _rule("marks such as TODO per 1000 lines", policy["maxTodosPerThousandLines"], todos,
              todos <= policy["maxTodosPerThousandLines"]),
        _rule("share of code that is tests", policy["minTestShare"], tests, tests >= policy["minTestShare"])]


def _rule(rule: str, limit: Any, found: Any, kept: bool) -> dict[str, Any]:
    return {"rule": rule, "limit": limit, "found": found, "kept": kept}


def _facts(size: dict[str, Any], risk: dict[str, Any], rules: list[dict[str, Any]]) -> str:
    """Write the figures as a Markdown list."""
    languages = ", ".join(f"{entry['language']} {entry['lines']}" for entry in size["languages"][:5]) or "none"
    lines = [f"- {size['files']} files, {size['lines']} lines of text ({languages})",
             f"- {risk['commits']} commits looked at, by {risk['authors']} authors; {risk['todos']} marks such as TODO",
             f"- risk score {risk['score']}"]
    lines += [f"- policy: {rule['rule']}: {_found(rule)}" for rule in rules]
    return "\n".join(lines)


def _found(rule: dict[str, Any]) -> str:
    verdict = "kept" if rule["kept"] else "BROKEN"
    return verdict if isinstance(rule["limit"], bool) else f"{rule['found']} (limit {rule['limit']}): {verdict}"


def _changes(commits: list[dict[str, Any]]) -> str:
    return "\n".join(f"- {commit['subject']} ({commit['sha'][:10]})" for commit in commits) or "- none yet"


if __name__ == "__main__":
    serve(assess)
