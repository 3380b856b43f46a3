"""Every list of templates has an index that serves what has to be equal, the order, and the range, in that order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations
from typing import Any, cast

import pytest

from tests.support.queries import RecordingStore, assert_served
from workflow_service.domain.commands import TemplateFilter
from workflow_service.domain.paging import Place
from workflow_service.domain.template_status import TemplateStatus
from workflow_service.repositories.mongo.connection import Store
from workflow_service.repositories.mongo.templates import COLLECTION, TemplatesInMongo

PLACE = Place(at=datetime(2026, 3, 1, 12, tzinfo=UTC), identifier="t1")
EQUAL: dict[str, dict[str, Any]] = {
    "all": {}, "published": {"status": TemplateStatus.PUBLISHED}, "draft": {"status": TemplateStatus.DRAFT},
    "archived": {"status": TemplateStatus.ARCHIVED}, "category": {"category": "legal"},
    "tag": {"tags": ("legal",)}, "tags": {"tags": ("legal", "urgent")}}


def page(wanted: TemplateFilter) -> RecordingStore:
    """Return what a page asks the database for."""
    store = RecordingStore()
    TemplatesInMongo(cast(Store, store)).page("w", wanted)
    assert len(store.queries) == 2
    return store


@pytest.mark.parametrize("name", EQUAL)
@pytest.mark.parametrize("after", [None, PLACE])
def test_a_list_with_one_filter_has_its_index(name: str, after: Place | None) -> None:
    assert_served(COLLECTION, page(TemplateFilter(**EQUAL[name], after=after)).queries)


@pytest.mark.parametrize(("one", "other"), list(combinations(["published", "category", "tags"], 2)))
def test_of_several_filters_one_has_an_index_in_the_order_of_the_list(one: str, other: str) -> None:
    wanted = replace(TemplateFilter(**EQUAL[one], after=PLACE), **EQUAL[other])
    assert_served(COLLECTION, page(wanted).queries, apart=1)
