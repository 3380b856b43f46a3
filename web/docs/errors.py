"""The page ``docs/errors.md``: every code that an error answer can have, out of the errors themselves.

``python -m web.docs.errors`` prints it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus

import web.errors
import workflow_service.domain.errors
from web.errors import FRAMEWORK_CODES, INTERNAL_ERROR, RETRY_AFTER_SECONDS, status_of
from workflow_service.domain.errors import WorkflowServiceError

FAULTS: Mapping[str, str] = {
    "additionalProperties": "A field that is not known here; `allowed` lists those that are.",
    "agent_not_available": "The agent is registered, and takes no work at the moment.",
    "anyOf": "The value fits none of the shapes that are allowed.",
    "bad_cursor": "It is not the cursor of a page of this list.",
    "bad_expression": "It is no CEL, or too long, or loops too deeply.",
    "bad_id": "It has other characters than letters, digits, `_` and `-`.",
    "bad_instant": "It is no instant of RFC 3339 with its time zone.",
    "bad_key": "A key that is empty, too long, or has characters that are not allowed.",
    "bad_pattern": "A regular expression that can't be compiled, or that repeats what repeats.",
    "bad_reference": "A `$ref` that leads to no place within the same schema; others are not fetched.",
    "bad_schema": "It is no JSON Schema.",
    "bad_value": "A value of another type, or too long; `allowed` lists the types.",
    "bad_version": "It has other characters than digits and dots.",
    "branch_or_nothing": "The action `branch` needs the blocks of its branch; the others have none.",
    "condition_or_default": "A branch has both a condition and `default: true`, or neither.",
    "contradiction": "Two fields that exclude each other, or one without the other.",
    "cycle": "The blocks wait for each other; the message names the circle.",
    "duplicate_block": "Two blocks have the same id.",
    "duration_or_until": "A timer has both a duration and an instant, or neither.",
    "enum": "None of the words that are allowed; `allowed` lists them.",
    "invalid": "The value breaks the rule that the message names.",
    "map_or_loop": "A block has either a map or a loop.",
    "duplicate_signal": "The name of a signal stands in a list twice.",
    "maximum": "The number is too large.",
    "maxItems": "The list is too long.",
    "maxLength": "The text is too long.",
    "minimum": "The number is too small.",
    "minItems": "The list is too short.",
    "minLength": "The text is too short.",
    "name_taken": "The name means something else here.",
    "nobody_can_answer": "Users of this role may not answer approvals; `allowed` lists the roles whose users may.",
    "never_begins": "Whatever happens, too few ways into the block can be taken.",
    "nothing_is_late": "Only a block that may begin before all others have ended can cut them off.",
    "no_branch": "A block that branches can't be skipped without an output that chooses a branch.",
    "not_allowed": "This field has no meaning here.",
    "not_before": "The expression reads the output of a block that does not come before.",
    "not_null": "`null` is no value of this field.",
    "other_template": "The id of another template than the one in the address.",
    "out_of_range": "A number that is too small or too large, by itself or beside another.",
    "pattern": "The text does not match the pattern.",
    "required": "A field is missing.",
    "reused": "The key was sent before, with another request.",
    "several_defaults": "More than one branch is the default.",
    "several_kinds": "A block says in several ways what is to be done; `allowed` lists them.",
    "too_large": "The whole of it is larger than can be checked within a request; the message says what is too much.",
    "too_many": "There are more of them than are allowed.",
    "tool_type_not_offered": "The agent has no tool of this type; `allowed` lists those that it has.",
    "two_ways": "The block is reached by the success already, and can't be a way of the failure too.",
    "type": "A value of another type; `allowed` names the right one.",
    "unknown_agent": "The Agent Service has no such agent; `allowed` lists some that it has.",
    "unknown_block": "The template has no such block; `allowed` lists some that it has.",
    "unknown_field": "A field or parameter that the endpoint does not have; `allowed` lists those that it has.",
    "unknown_name": "Nothing of what is simulated has this name; `allowed` lists what there is.",
    "unknown_queue": "No workers serve this queue; `allowed` lists those that there are.",
    "unknown_strategy": "There is no such strategy; `allowed` lists those that there are.",
    "unknown_variable": "The expression names something that it is not given; `allowed` lists what it is.",
    "unknown_workflow": "The workflow that a block runs is not there, or may not be started; the message says why.",
    "wrong_agent_type": "The agent is of another type; `allowed` names it.",
}
"""What each code of a fault means."""
_OF_THE_FRAMEWORK: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "The request can't be read as HTTP, or its body did not come to its end.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "The address does not know this method; the header `Allow` lists what it knows.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than 16 MB.",
    HTTPStatus.REQUEST_URI_TOO_LONG: "The address with its parameters is longer than 8 KB.",
    HTTPStatus.EXPECTATION_FAILED: "The header `Expect` asks for something else than `100-continue`.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "There are more than 100 headers, or one is longer than 8 KB.",
}
_OURS = "Something went wrong on our side; the log has the details under the request id."
_BEGIN = f"""# Errors

Every error of the API has one shape, whatever went wrong and wherever (`python -m web.docs.errors` writes this page):

```json
{{
  "code": 422,
  "status": "Unprocessable Entity",
  "error": "invalid_template",
  "message": "The template breaks its rules.",
  "requestId": "0af7651916cd43dd8448eb211c80319c",
  "errors": {{
    "blocks[1].dependencies[0]": [
      {{"code": "unknown_block", "message": "There is no block 'extarct' in this template.", "allowed": ["extract"]}}
    ]
  }}
}}
```

`code` is the HTTP status, `error` the stable word that programs go by, `message` a sentence for people that may change.
`requestId` is in the header `X-Request-ID` of every answer and in each line of the log about the request; a client may
choose it. `errors` is there when faults have a place: each is named by its path in what was sent (a field, a parameter,
a header), `(whole)` for all of it, with what is allowed there if that can be listed. At most {web.errors.MAX_ISSUES}
are named.

No request is answered with a status of 500 or above but for two reasons: 503 with `Retry-After: {RETRY_AFTER_SECONDS}`
while something that the service needs is away, and 500 for a fault of ours, which is worth a report.
"""


def page() -> str:
    """Return the page."""
    errors = _table("| error | HTTP | meaning |", sorted(_errors()))
    faults = _table("| code | meaning |", [f"| `{code}` | {FAULTS[code]} |" for code in sorted(FAULTS, key=str.lower)])
    return (f"{_BEGIN}\n## What `error` can be\n\n{errors}\n\n## What the `code` of a fault can be\n\nThe words in "
            "camelCase, and `type`, `enum`, `pattern` and `required`, are those of JSON Schema. Where input or an\n"
            "answer to an approval is checked by a schema of yours, any other keyword "
            f"of that schema can be one too.\n\n{faults}\n")


def _errors() -> Iterator[str]:
    """Yield a row for each error that a client can be told."""
    for module in (web.errors, workflow_service.domain.errors):
        for error in vars(module).values():
            is_own = isinstance(error, type) and error.__module__ == module.__name__
            if is_own and issubclass(error, WorkflowServiceError) and (status := status_of(error)) is not None:
                yield _row(error.code, status, _meaning(error))
    for status, code in FRAMEWORK_CODES.items():
        yield _row(code, status, _OF_THE_FRAMEWORK[status])
    yield _row(INTERNAL_ERROR, HTTPStatus.INTERNAL_SERVER_ERROR, _OURS)


def _meaning(error: type[WorkflowServiceError]) -> str:
    """Return the first sentence of an error's docstring, as a condition."""
    first = " ".join((error.__doc__ or "").split("\n\n", 1)[0].split())
    return first.replace("Raised when", "When", 1)


def _row(code: str, status: HTTPStatus, meaning: str) -> str:
    return f"| `{code}` | {status.value} | {meaning} |"


def _table(head: str, rows: list[str]) -> str:
    return "\n".join([head, "|---" * (head.count("|") - 1) + "|", *rows])


if __name__ == "__main__":
    sys.stdout.write(page())
