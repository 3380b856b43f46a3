"""Whether what is known of a block's input before it runs fits the agent's input schema.

What an expression will give is not known, so an error counts only if no expression can have a say in it: names that are
missing or not allowed count, a text around an expression is a text, and what has no expression in it is all known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema.exceptions import ValidationError

from workflow_service.domain import expressions
from workflow_service.domain.agents import Agent
from workflow_service.domain.errors import Issue
from workflow_service.domain.template import Block
from workflow_service.services.schemas import schema_issues

_OF_THE_OUTSIDE = frozenset({"type", "required", "additionalProperties", "propertyNames", "dependentRequired",
                             "minProperties", "maxProperties", "minItems", "maxItems"})
"""Keywords that look at an object or a list, and not at the values in it."""
_CHOICES = frozenset({"if", "then", "else", "anyOf", "oneOf", "not", "dependentSchemas", "contains"})
"""Keywords that make one part of a schema depend on values elsewhere."""
Place = tuple[str | int, ...]


def static_input_issues(block: Block, agent: Agent, root: str) -> tuple[Issue, ...]:
    """Return what is wrong with the parts of a block's configuration that are known.

    Args:
        root: the path of the configuration, put before each path.
    """
    open_texts = dict(_open_texts(block.configuration, ()))

    def counts(error: ValidationError) -> bool:
        place = tuple(error.absolute_path)
        if place in open_texts:
            return open_texts[place] and error.validator == "type"
        if not open_texts or not any(known[:len(place)] == place for known in open_texts):
            return not (open_texts and _CHOICES.intersection(error.absolute_schema_path))
        return error.validator in _OF_THE_OUTSIDE and not _CHOICES.intersection(error.absolute_schema_path)

    return schema_issues(agent.input_schema, block.configuration, root, counts)


def _open_texts(value: Any, place: Place) -> Iterator[tuple[Place, bool]]:
    """Yield where expressions stand, and whether there is text around them, which makes a text of the whole."""
    if isinstance(value, str):
        found = [source for _, source in expressions.placeholders(value)]
        if found:
            yield place, len(found) > 1 or value != f"${{{found[0]}}}"
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _open_texts(item, (*place, name))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _open_texts(item, (*place, index))
