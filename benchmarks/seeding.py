"""Fills the database with copies of what the service has written, under other ids, names and times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from benchmarks.models import TEMPLATE_ID, Models
from workflow_service.repositories.mongo import blocks, executions, templates
from workflow_service.repositories.mongo.connection import Raw, Store

TEMPLATES_IN_USE = 100
"""Templates that executions were started of, each of as many."""
CATEGORIES = 10
TAGS = 20
FAILED_EVERY = 20
"""One execution of so many has failed."""
SUBJECTS = ("contract", "invoice", "release", "incident", "order", "offer", "report", "claim", "permit", "audit")
_APART = timedelta(seconds=7)
_CHUNK = 1000


def seed(store: Store, models: Models, size: int) -> None:
    """Store so many templates and so many executions with their blocks."""
    began: datetime = models.template["createdAt"] - size * _APART
    numbers = range(size)
    _insert(store, templates.COLLECTION, (template_copy(models.template, number, began) for number in numbers))
    _insert(store, templates.VERSIONS, (template_copy(models.version, number, began) for number in numbers))
    _insert(store, executions.COLLECTION, (execution_copy(_model(models, number), number, began) for number in numbers))
    _insert(store, blocks.COLLECTION, (
        block_copy(block, number) for number in numbers for block in models.blocks[_model(models, number)["_id"]]))


def template_id(number: int) -> str:
    """Return the id of a copied template."""
    return f"{TEMPLATE_ID}-{number:06}"


def execution_id(number: int) -> str:
    """Return the id of a copied execution."""
    return f"{number:032x}"


def template_copy(model: Raw, number: int, began: datetime) -> Raw:
    """Return a template, or its version, under another id, with a name, tags and a category of its own."""
    subject, at = SUBJECTS[number % len(SUBJECTS)], began + number * _APART
    own = template_id(number)
    return {**model, "_id": str(model["_id"]).replace(TEMPLATE_ID, own, 1), "templateId": own,
            "name": f"Review of {subject} {number:06}", "createdAt": at, "updatedAt": at,
            "tags": [_tag(number), _tag(number // TAGS)],
            "metadata": {**model["metadata"], "category": f"category-{number // 7 % CATEGORIES}"}}


def execution_copy(model: Raw, number: int, began: datetime) -> Raw:
    """Return an execution under another id, of one of the templates in use, with all its times moved alike."""
    moved = began + number * _APART - model["createdAt"]
    return {**_moved(model, moved), "_id": execution_id(number), "executionId": execution_id(number),
            "templateId": template_id(number % TEMPLATES_IN_USE)}


def block_copy(model: Raw, number: int) -> Raw:
    """Return a block of a copied execution."""
    own = execution_id(number)
    return {**model, "_id": f"{own}:{model['blockId']}", "executionId": own}


def _model(models: Models, number: int) -> Raw:
    return models.failed if number % FAILED_EVERY == 0 else models.completed


def _tag(number: int) -> str:
    return f"tag-{number % TAGS:02}"


def _moved(model: Raw, by: timedelta) -> dict[str, Any]:
    return {name: value + by if isinstance(value, datetime) else value for name, value in model.items()}


def _insert(store: Store, collection: str, documents: Iterable[Raw]) -> None:
    for chunk in _chunks(documents):
        store.collection(collection).insert_many(chunk, ordered=False)


def _chunks(documents: Iterable[Raw]) -> Iterator[list[Raw]]:
    rest = iter(documents)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
