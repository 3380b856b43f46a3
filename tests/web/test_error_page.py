"""``docs/errors.md`` names every code that there is, and no other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from web.api.schemas import faults
from web.docs.errors import FAULTS, page
from workflow_service.domain.template_schema import TEMPLATE_SCHEMA

ROOT = Path(__file__).parents[2]
PACKAGES = ("web", "workflow_service/domain", "workflow_service/services", "workflow_service/simulation")
"""Where faults of requests come from; those of settings and of reports to other services are told to nobody else."""
ANNOTATIONS = {"description", "properties", "items"}


def test_the_page_is_the_one_that_the_errors_make() -> None:
    assert (ROOT / "docs" / "errors.md").read_text(encoding="utf-8") == page(), "python -m web.docs.errors"


def test_every_code_of_a_fault_is_explained() -> None:
    found = {code for package in PACKAGES for path in (ROOT / package).rglob("*.py") for code in _codes(path)}
    assert found | set(_keywords(TEMPLATE_SCHEMA)) | set(faults._CODES.values()) == set(FAULTS)


@pytest.mark.parametrize("meaning", FAULTS.values())
def test_each_meaning_is_a_sentence(meaning: str) -> None:
    assert meaning.endswith(".") and "|" not in meaning


def _codes(path: Path) -> Iterator[str]:
    """Yield the codes that a source file writes into faults."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Issue":
            given = next(keyword.value for keyword in node.keywords if keyword.arg == "code")
            yield from (part.value for part in ast.walk(given)
                        if isinstance(part, ast.Constant) and isinstance(part.value, str))


def _keywords(schema: object) -> Iterator[str]:
    """Yield the rules of a schema and of those within it."""
    if isinstance(schema, dict):
        yield from set(schema) - ANNOTATIONS
        inner = [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]
        for one in inner:
            yield from _keywords(one)
