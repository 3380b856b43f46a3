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
    **TEMPLATE, "createdAt": "2025-08-21T09:30:00.000Z", "updatedAt": "2025-08-21T09:30:00.000Z", "createdBy": "ada"}
START: Example = {
    "templateId": "contract-review", "input": {"document": "s3://contracts/4711.pdf"}, "workspaceId": "acme"}
STARTED: Example = {"executionId": "0f8e2c1d9b3a4c5e8f7a6b5c4d3e2f1a", "status": "running"}
RESPONSE: Example = {"approved": True, "response": {"notes": "Clause 7 is fine."}, "comments": "Checked with finance."}
