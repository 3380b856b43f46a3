"""The examples in the OpenAPI document; the tests hold that they are right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Example = Mapping[str, Any]

TEMPLATE: Example = {
    "templateId": "contract-review",
    "name": "Contract review",
    "description": "Extracts the clauses of a contract, lets a lawyer look at the risky ones, and files the result.",
    "version": "1.0.0",
    "tags": ["legal", "documents"],
    "metadata": {"estimatedDuration": 600_000, "complexity": "medium", "category": "legal"},
    "blocks": [
        {
            "blockId": "extract",
            "name": "Extract clauses",
            "agentId": "document-reader",
            "toolType": "use_case",
            "configuration": {"document": "${input.document}"},
            "retryPolicy": {"maxRetries": 3, "backoffStrategy": "exponential", "retryConditions": ["transient"]},
        },
        {
            "blockId": "review",
            "name": "Legal review",
            "agentId": "risk-rater",
            "toolType": "api",
            "configuration": {"clauses": "${blocks.extract.output.clauses}"},
            "dependencies": ["extract"],
            "humanInLoop": {
                "required": True,
                "type": "edit",
                "approvalLevel": "approver",
                "inputSchema": {"type": "object", "properties": {"notes": {"type": "string"}}},
            },
        },
    ],
    "globalSettings": {"timeout": 3_600_000, "maxParallelBlocks": 4},
}
STORED_TEMPLATE: Example = {
    **TEMPLATE, "status": "published", "createdAt": "2025-08-21T09:30:00.000Z", "createdBy": "ada",
    "updatedAt": "2025-08-21T09:30:00.000Z",
    "updatedBy": "ada"}
TEMPLATE_UPDATE: Example = {name: value for name, value in TEMPLATE.items() if name not in ("templateId", "version")}
START: Example = {
    "templateId": "contract-review", "input": {"document": "s3://contracts/4711.pdf"}, "workspaceId": "acme"}
STARTED: Example = {"executionId": "0f8e2c1d9b3a4c5e8f7a6b5c4d3e2f1a", "status": "running"}
RESPONSE: Example = {"approved": True, "response": {"notes": "Clause 7 is fine."}, "comments": "Checked with finance."}

_AT_WORK = [{"blockId": "extract", "status": "running"}]
PAUSE: Example = {"clock": "stop", "reason": "The document reader gives wrong clauses."}
PAUSED: Example = {"success": True, "status": "pausing", "clock": "stopped", "inFlight": _AT_WORK}
RESUMED: Example = {"success": True, "status": "running", "holds": []}
CANCEL: Example = {"mode": "force", "reason": "The contract was withdrawn."}
CANCELLED: Example = {"success": True, "status": "cancelling", "inFlight": _AT_WORK}
RESTART: Example = {"fromBlock": "review", "inputPatch": {"document": "s3://contracts/4712.pdf"}, "dryRun": True}
RESTARTED: Example = {
    "success": True, "status": "failed", "dryRun": True, "templateVersion": "1.0.0", "runsAgain": ["review"],
    "reuses": ["extract"], "asksAgain": ["review"], "mayRepeat": ["review"]}
SIMULATE: Example = {
    "input": {"document": "s3://contracts/4711.pdf"},
    "mocks": {"extract": {"output": {"clauses": [7]}, "durationMs": 90_000}},
    "decide": {"review": {"decision": "approve", "response": {"notes": "Clause 7 is fine."}, "afterMs": 7_200_000}},
    "fail": {"agent:risk-rater": "transient*2"}}
SIMULATE_GIVEN: Example = {"template": TEMPLATE, **SIMULATE}
SKIP: Example = {"output": {"clauses": [7]}, "reason": "Read by hand."}
CANCEL_BLOCK: Example = {"region": True, "reason": "The customer has withdrawn this part."}
CONTROLLED: Example = {"success": True, "status": "running"}
SEND_SIGNAL: Example = {"payload": {"paid": True, "amount": 120}}
SENT_SIGNAL: Example = {
    "signalId": "8c1d2e3f4a5b4c6d8e7f9a0b1c2d3e4f", "executionId": "0f8e2c1d9b3a4c5e8f7a6b5c4d3e2f1a",
    "name": "payment", "sentAt": "2025-08-21T09:30:00.000Z", "sentBy": "ada", "takenBy": None}
SIGNALS: Example = {"signals": [{**SENT_SIGNAL, **SEND_SIGNAL}], "total": 1}
PLACE_HOLD: Example = {"scope": "agent", "target": "document-reader", "reason": "It gives wrong clauses."}
HOLD: Example = {
    "holdId": "5b1c9d0e7f2a4b3c8d6e1f0a9b8c7d6e", "scope": "agent", "target": "document-reader", "clock": "stop",
    "reason": "It gives wrong clauses.", "createdBy": "olga", "createdAt": "2025-08-21T09:30:00.000Z",
    "status": "applied"}
