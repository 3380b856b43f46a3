"""What is kept of a message that is set aside: enough to know it by and to see what was wrong, and never its token."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from inbound.messages import InboundMessage, id_of
from web.json_answer import rfc3339
from workflow_service.integrations import json_text

LONGEST_BODY = 64 * 1024
"""Bytes of a message whose body is kept; of a longer one the digest has to do."""
_TOKEN = re.compile(rb"eyJ[\w-]+\.[\w-]+\.[\w-]*")
_REDACTED = b"[redacted]"


def rejection(raw: bytes, message: InboundMessage | None, error: Mapping[str, Any], at: datetime) -> bytes:
    """Return what is kept, as JSON.

    Args:
        raw: what was sent.
        message: what it said; None if it could not be read.
        error: why it is set aside, in the API's one shape.
        at: when.
    """
    record: dict[str, Any] = {"id": id_of(raw), "error": error, "rejectedAt": rfc3339(at), "bytes": len(raw),
                              "digest": f"sha256:{hashlib.sha256(raw).hexdigest()}"}
    if message is not None:
        record["type"] = message.type
        names = {"approvalId": message.approval_id, "executionId": message.execution_id, "signal": message.signal}
        record |= {name: value for name, value in names.items() if value is not None}
        if len(raw) <= LONGEST_BODY:
            record["body"] = message.body
    return _TOKEN.sub(_REDACTED, json_text.encode(record))
