"""Checking JSON values against JSON Schemas, with every fault as an issue.

Schemas come from authors and agents, so a reference may only lead to a place within the same schema: nothing is
fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from workflow_service.domain.errors import Issue

_MOST_ISSUES = 100
_NESTED_REPETITION = re.compile(r"\((?:[^()\\]|\\.)*(?:[+*]|\{\d+,\d*\})(?:[^()\\]|\\.)*\)(?:[+*]|\{)")


def schema_issues(schema: Mapping[str, Any], value: Any, root: str = "",
                  counts: Callable[[ValidationError], bool] = lambda _: True) -> tuple[Issue, ...]:
    """Return what is wrong with a value by a schema (JSON Schema 2020-12).

    Args:
        root: put before each path.
        counts: says whether an error is one at all.
    """
    if not schema:
        return ()
    try:
        found = filter(counts, _validator(json.dumps(schema, sort_keys=True)).iter_errors(value))
        return tuple(_issue(error, root) for error in islice(found, _MOST_ISSUES))
    except Unresolvable as error:
        return (_unresolvable(root, str(error.ref)),)
    except Exception as error:  # the library trusts a schema, and raises whatever a bad or endless one leads it to
        return (Issue(path=root, code="bad_schema", message=f"The schema can't be used: {type(error).__name__}."),)


def meta_issues(schema: Any, path: str) -> Iterator[Issue]:
    """Yield what is wrong with a schema itself."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        yield Issue(path=path + _path(error), code="bad_schema",
                    message=f"This is no JSON Schema: {error.message[:300]}")
        return
    for pattern in _words(schema, ("pattern",)):
        if not _is_safe(pattern):
            yield Issue(path=path, code="bad_pattern",
                        message=f"'{pattern[:100]}' is no regular expression, or repeats what repeats.")
    resolver = _resolver(schema)
    for reference in _words(schema, ("$ref", "$dynamicRef")):
        try:
            resolver.lookup(reference)
        except Exception:  # a pointer may lead into a text, a number or a list, of which the library knows nothing
            yield _unresolvable(path, reference)


@lru_cache(maxsize=512)
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema), registry=Registry())


def _resolver(schema: Any) -> Any:
    """Return what looks references up in this schema alone."""
    root: Resource[Any] = Resource.from_contents(schema, default_specification=DRAFT202012)
    base = root.id() or ""
    return Registry().with_resource(base, root).resolver(base)


def _words(schema: Any, names: tuple[str, ...]) -> Iterator[str]:
    """Yield the text of every keyword with one of these names within a schema."""
    if isinstance(schema, Mapping):
        yield from (schema[name] for name in names if isinstance(schema.get(name), str))
        for item in schema.values():
            yield from _words(item, names)
    elif isinstance(schema, list):
        for item in schema:
            yield from _words(item, names)


def _is_safe(pattern: str) -> bool:
    """Say whether a regular expression can be compiled and has no repetition within a repetition."""
    try:
        re.compile(pattern)
    except re.error:
        return False
    return _NESTED_REPETITION.search(pattern) is None


def _unresolvable(path: str, reference: str) -> Issue:
    return Issue(path=path, code="bad_reference",
                 message=f"'{reference[:200]}' leads to no place within this schema; others are not fetched.")


def _issue(error: ValidationError, root: str) -> Issue:
    words = {"enum": error.validator_value, "type": error.validator_value}.get(str(error.validator), ())
    words = [words] if isinstance(words, str) else words
    allowed = tuple(str(word) for word in words) if isinstance(words, list) else ()
    if error.validator == "additionalProperties" and isinstance(error.schema, Mapping):
        allowed = tuple(sorted(error.schema.get("properties", {})))
    return Issue(path=(root + _path(error)).lstrip("."), code=str(error.validator), message=_message(error),
                 allowed=allowed)


def _path(error: ValidationError | SchemaError) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)


def _message(error: ValidationError) -> str:
    """Return the message without the value, which can be large or secret."""
    expected = json.dumps(error.validator_value)[:200]
    plain = {"type": f"This should be of type {expected}.", "pattern": f"This should match {expected}.",
             "maxLength": f"This should have at most {expected} characters.",
             "minLength": f"This should have at least {expected} characters.",
             "enum": f"This should be one of {expected}.",
             "maximum": f"This should be at most {expected}.",
             "minimum": f"This should be at least {expected}.",
             "maxItems": f"This should have at most {expected} items.",
             "minItems": f"This should have at least {expected} items."}
    if error.validator in ("required", "additionalProperties"):
        return error.message[:300]
    return plain.get(str(error.validator), f"This breaks the rule {error.validator}: {expected}.")
