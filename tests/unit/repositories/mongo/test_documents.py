"""What the document classes declare fits the domain."""

from __future__ import annotations

from dataclasses import fields

import pytest

from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.execution import Execution
from workflow_service.domain.recovery import Checkpoint
from workflow_service.domain.wait import Wait
from workflow_service.repositories.mongo.approvals import ApprovalDocument
from workflow_service.repositories.mongo.blocks import BlockDocument
from workflow_service.repositories.mongo.checkpoints import CheckpointDocument
from workflow_service.repositories.mongo.codec import StoredDocument
from workflow_service.repositories.mongo.executions import ExecutionDocument
from workflow_service.repositories.mongo.waits import WaitDocument

PAIRS = [(BlockDocument, BlockExecution), (ExecutionDocument, Execution), (WaitDocument, Wait),
         (ApprovalDocument, Approval), (CheckpointDocument, Checkpoint)]
OURS = {"id", "schema_version", "writer", "kept_at"}
OTHER_NAMES = {"context": "globalContext", "remaining": "remainingMs", "timeout": "timeoutMs",
               "stopped_for": "stoppedForMs"}
"""Fields whose stored name is not theirs in camelCase: the customer's word, and numbers that name their unit."""


def camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


@pytest.mark.parametrize(("document", "domain"), PAIRS)
def test_every_field_of_the_domain_is_stored(document: type[StoredDocument], domain: type) -> None:
    assert set(document._fields) - OURS == {field.name for field in fields(domain)}


@pytest.mark.parametrize(("document", "domain"), PAIRS)
def test_stored_names_are_the_customers(document: type[StoredDocument], domain: type) -> None:
    for field in fields(domain):
        assert document._fields[field.name].db_field == OTHER_NAMES.get(field.name, camel_case(field.name))
