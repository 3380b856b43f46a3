"""Documents of the API with everything that a test does not care about."""

from __future__ import annotations

from typing import Any

STARTED = "2026-01-02T03:04:05.000Z"
ENDED = "2026-01-02T03:04:07.500Z"


def block(block_id: str, status: str = "pending", **changed: Any) -> dict[str, Any]:
    """Return a block of an execution."""
    has_begun = status not in ("pending", "ready", "skipped")
    return {"blockId": block_id, "executionId": "e1", "agentId": f"agent-of-{block_id}", "status": status,
            "startedAt": STARTED if has_begun else None, "completedAt": ENDED if status == "completed" else None,
            "input": None, "output": None, "error": None, "retryCount": 0, "humanInteractions": [],
            "nextAttemptAt": None, "suppliedBy": None, **changed}


def execution(status: str, *blocks: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """Return an execution."""
    return {"executionId": "e1", "templateId": "review", "templateVersion": "1.0.0", "workspaceId": "default",
            "status": status, "startedAt": STARTED, "completedAt": ENDED if status == "completed" else None,
            "createdBy": "ada", "currentBlocks": [], "completedBlocks": [], "failedBlocks": [], "blockedBlocks": [],
            "blockExecutions": list(blocks), "globalContext": {}, "recoveryPoints": [], "holds": [],
            "clock": "running", "reason": None, "generation": 1, "inFlight": [], **changed}


def template(**dependencies: list[str]) -> dict[str, Any]:
    """Return a template with these blocks and what each depends on."""
    return {"templateId": "review", "name": "Review", "version": "1.0.0", "tags": ["demo"], "updatedAt": STARTED,
            "blocks": [{"blockId": name, "agentId": "echo", "toolType": "api", "dependencies": sources}
                       for name, sources in dependencies.items()]}


def restarted(**changed: Any) -> dict[str, Any]:
    """Return the answer to a restart from the block b of a, b, c and d."""
    return {"success": True, "status": "failed", "dryRun": True, "templateVersion": "1.0.0",
            "runsAgain": ["b", "c", "d"], "reuses": ["a"], "asksAgain": ["c"], "mayRepeat": ["b", "c"], **changed}


def hold(hold_id: str = "h1", **changed: Any) -> dict[str, Any]:
    """Return a standing hold on a template."""
    return {"holdId": hold_id, "scope": "template", "target": "review", "clock": "stop", "reason": "An audit.",
            "createdBy": "olga", "createdAt": STARTED, "status": "applied", **changed}


def approval(approval_id: str = "a1", **changed: Any) -> dict[str, Any]:
    """Return a pending approval."""
    return {"approvalId": approval_id, "workspaceId": "default", "executionId": "e1", "blockId": "publish",
            "type": "edit", "status": "pending", "title": "Publish", "payload": {"notes": "# Draft\nof Bob"},
            "inputSchema": {"properties": {"notes": {"type": "string"}}}, "assignedTo": "approver",
            "escalationLevel": 0, "requestedAt": STARTED, "overdueAt": ENDED, "respondedAt": None, "approver": None,
            "response": None, "comments": None, **changed}
