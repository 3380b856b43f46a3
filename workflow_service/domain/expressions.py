"""Expressions: CEL for guards, branches and, as ``${...}``, for the input of a block.

The Common Expression Language (https://cel.dev) has no side effects, no loops without end and no access to anything
but the variables that it is given. ``common-expression-language`` evaluates it in Rust.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import cel

from workflow_service.domain.errors import ExpressionError
from workflow_service.domain.expression_cost import MAX_COST, cost

VARIABLES = ("input", "context", "blocks")
"""What every expression may name: the execution's input, the shared context, the blocks before it."""

MAX_SOURCE_CHARACTERS = 4000
"""Of one expression; of much longer ones the library's parser dies, and the process with it."""

MAX_MACRO_DEPTH = 2
"""Loops over lists within each other; an evaluation can't be interrupted, and each level multiplies its time."""

MAX_MAPS = 2
"""In one expression: what one ``map`` makes larger, the next makes larger again."""

_TEXT = "|".join(rf"\b[bB]?[rR]{quote}.*?(?:{quote}|\Z)|{quote}(?:[^\\]|\\.?)*?(?:{quote}|\Z)"
                 for quote in ('"""', "'{3}", '"', "'"))
_TEXT_OR_COMMENT = re.compile(rf"{_TEXT}|//[^\n]*", re.DOTALL)
_TEXT_OR_BRACE = re.compile(rf"{_TEXT}|[{{}}]", re.DOTALL)
_BLOCK = re.compile(rf"""{_TEXT_OR_COMMENT.pattern}|\.\s*blocks\b"""
                    r"""|\bblocks\s*\.\s*(?P<field>[A-Za-z_][A-Za-z0-9_]*)"""
                    r"""|\bblocks\s*\[\s*(?P<index>"[^"\\]*"|'[^'\\]*')\s*\]""", re.DOTALL)
_QUOTED_NAME = re.compile(r"""(["'])[\w-]+\1""", re.ASCII)
_MAP = re.compile(r"\.\s*map\s*\(")
_MACRO_VARIABLE = re.compile(r"\.\s*(?:map|filter|all|exists|exists_one)\s*\(\s*([A-Za-z_][A-Za-z0-9_]*)\s*,")
_PARENTHESIS = re.compile(r"\.\s*(?:map|filter|all|exists|exists_one)\s*\(|[()]")
_TYPES = frozenset({"int", "uint", "double", "string", "bytes", "bool", "list", "map", "null_type", "type"})


@lru_cache(maxsize=4096)
def compile_expression(source: str) -> cel.Program:
    """Return the compiled program of an expression, from a cache.

    Raises:
        ExpressionError: it is no CEL, or too long.
    """
    if len(source) > MAX_SOURCE_CHARACTERS:
        raise ExpressionError(f"An expression may have at most {MAX_SOURCE_CHARACTERS} characters.")
    bare = _TEXT_OR_COMMENT.sub("''", source)
    if _macro_depth(bare) > MAX_MACRO_DEPTH:
        raise ExpressionError(f"Macros may stand in each other {MAX_MACRO_DEPTH} deep at most: each level multiplies.")
    if len(_MAP.findall(bare)) > MAX_MAPS:
        raise ExpressionError(f"An expression may have {MAX_MAPS} maps at most: each multiplies what it is given.")
    try:
        return cel.compile(source)
    except Exception as error:  # the library raises whatever its parser meets
        raise ExpressionError(_first_line(error)) from error


def evaluate(source: str, variables: Mapping[str, Any]) -> Any:
    """Return the value of an expression as JSON values.

    Args:
        source: CEL.
        variables: by name; what is not named here is unknown to the expression.

    Raises:
        ExpressionError: it is no CEL, names something that is not there, mixes types, loops over too much, or gives
            what JSON has not (an instant, a duration, bytes, a map whose keys are no strings, a number beyond 64 bits).
    """
    program = compile_expression(source)
    if cost(_without_texts(source), variables) > MAX_COST:
        raise ExpressionError(f"'{source}' loops over more than can be evaluated; shorten the lists, or use an agent.")
    try:
        value = program.execute(dict(variables))
    except Exception as error:
        raise ExpressionError(f"'{source}': {_first_line(error)}") from error
    if not _is_json(value):
        raise ExpressionError(f"'{source}' gives what JSON has not; convert it, for example with string(...).")
    return value


def evaluate_condition(source: str, variables: Mapping[str, Any]) -> bool:
    """Return the truth of a condition.

    Raises:
        ExpressionError: as ``evaluate``, or the value is not a boolean.
    """
    value = evaluate(source, variables)
    if not isinstance(value, bool):
        raise ExpressionError(f"'{source}' gives {type(value).__name__} where true or false is needed.")
    return value


def resolve(value: Any, variables: Mapping[str, Any]) -> Any:
    """Return a copy of a JSON value in which each ``${...}`` in a string is replaced by the value of its expression.

    A string that is one expression and nothing else takes the value with its type; within other text the value is
    written as JSON, null as nothing.
    """
    if isinstance(value, str):
        return _resolve_text(value, variables)
    if isinstance(value, Mapping):
        return {key: resolve(item, variables) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [resolve(item, variables) for item in value]
    return value


def placeholders(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each expression within a JSON value as (path, source); one without end as it stands, which is no CEL."""
    if isinstance(value, str):
        yield from ((path, source) for _, _, source in _found(value))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from placeholders(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence):
        for index, item in enumerate(value):
            yield from placeholders(item, f"{path}[{index}]")


def free_names(source: str) -> tuple[str, ...]:
    """Return the variables that an expression needs from outside: not those of its own macros, not CEL's types.

    Raises:
        ExpressionError: it is no CEL.
    """
    own = set(_MACRO_VARIABLE.findall(_TEXT_OR_COMMENT.sub("''", source))) | _TYPES
    return tuple(name for name in compile_expression(source).variables() if name not in own)


def block_names(source: str) -> frozenset[str]:
    """Return the ids of the blocks that an expression reads, as ``blocks.a`` or ``blocks['a']``."""
    found = (match.group("field") or (match.group("index") or "")[1:-1] for match in _BLOCK.finditer(source))
    return frozenset(name for name in found if name)


@lru_cache(maxsize=4096)
def _without_texts(source: str) -> str:
    """Return an expression without comments, and with those texts alone that can be names."""
    return _TEXT_OR_COMMENT.sub(lambda found: found.group() if _QUOTED_NAME.fullmatch(found.group()) else "''", source)


def _is_json(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    if isinstance(value, list):
        return all(_is_json(item) for item in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return -(2**63) <= value < 2**63
    return value is None or isinstance(value, str | bool) or (isinstance(value, float) and math.isfinite(value))


def _macro_depth(bare: str) -> int:
    """Return how deep macros, which loop over lists, stand within each other in an expression without its strings."""
    depth = deepest = 0
    opened: list[bool] = []
    for found in _PARENTHESIS.finditer(bare):
        if found.group() == ")":
            depth -= opened.pop() if opened else False
        else:
            opened.append(found.group() != "(")
            depth += opened[-1]
            deepest = max(deepest, depth)
    return deepest


def _resolve_text(text: str, variables: Mapping[str, Any]) -> Any:
    found = list(_found(text))
    if [(start, end) for start, end, _ in found] == [(0, len(text))]:
        return evaluate(found[0][2], variables)
    parts, written = [], 0
    for start, end, source in found:
        parts += [text[written:start], _as_text(evaluate(source, variables))]
        written = end
    return "".join([*parts, text[written:]])


def _found(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield each ``${...}`` of a text: where it begins, where it ends and its expression."""
    start = text.find("${")
    while start >= 0:
        end = _end(text, start + 2)
        yield start, end or len(text), text[start + 2:end - 1] if end else text[start:]
        start = text.find("${", end) if end else -1


def _end(text: str, position: int) -> int:
    """Return where the brace that is open ends, past those within it and within strings; 0 if it does not."""
    depth = 1
    for piece in _TEXT_OR_BRACE.finditer(text, position):
        depth += {"{": 1, "}": -1}.get(piece.group(), 0)
        if depth == 0:
            return piece.end()
    return 0


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__
