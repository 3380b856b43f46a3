"""Templates: taken ids, versions, and how they are found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.contract.repositories.builders import ELSEWHERE, HERE, NOW, SECOND, new_template
from workflow_service.services.ports import TemplateRepository

ALL: dict[str, Any] = {"category": None, "tags": (), "search": None, "limit": 10, "offset": 0}


def test_template_comes_back_as_its_author_wrote_it(template_repository: TemplateRepository) -> None:
    template = new_template(
        description="d", tags=["b", "a"], metadata={"category": "sales", "own.key": {"$deep": 1}},
        globalSettings={"timeout": 1000}, blocks=[{"blockId": "b1", "agentId": "a", "toolType": "api",
                                                   "configuration": {"$ref": "#/x", "$id": 1, "": None}}])
    assert template_repository.insert(template)
    found = template_repository.get(HERE, "t1")
    assert found == template
    assert found is not None and list(found.document) == list(template.document)


def test_taken_id_is_refused_in_every_workspace(template_repository: TemplateRepository) -> None:
    template_repository.insert(new_template())
    assert not template_repository.insert(new_template(name="Other", version="2.0.0"))
    assert not template_repository.insert(new_template(workspace_id=ELSEWHERE))
    assert template_repository.get(HERE, "t1") == new_template()
    assert template_repository.get(HERE, "t1", "2.0.0") is None


def test_of_many_that_want_an_id_one_gets_it(template_repository: TemplateRepository) -> None:
    rivals = [new_template(name=f"Order {number}") for number in range(6)]
    with ThreadPoolExecutor(len(rivals)) as threads:
        won = list(threads.map(template_repository.insert, rivals))
    assert won.count(True) == 1
    assert template_repository.get(HERE, "t1") == rivals[won.index(True)]
    assert template_repository.get(HERE, "t1", "1.0.0") == rivals[won.index(True)]


def test_version_is_found_by_its_number(template_repository: TemplateRepository) -> None:
    template_repository.insert(new_template(version="1.2.3"))
    assert template_repository.get(HERE, "t1", "1.2.3") == new_template(version="1.2.3")
    assert template_repository.get(HERE, "t1", "1.2.4") is None
    assert template_repository.get(HERE, "unknown") is None


def test_other_workspace_sees_nothing(template_repository: TemplateRepository) -> None:
    template_repository.insert(new_template())
    assert template_repository.get(ELSEWHERE, "t1") is None
    assert template_repository.get(ELSEWHERE, "t1", "1.0.0") is None
    assert template_repository.page(ELSEWHERE, **ALL) == ([], 0)


@pytest.fixture
def shelf(template_repository: TemplateRepository) -> TemplateRepository:
    """Four templates here, made one after the other, and one elsewhere."""
    documents: list[dict[str, Any]] = [
        {"name": "Order intake", "tags": ["shop", "mail"], "metadata": {"category": "sales"}},
        {"name": "Refund", "description": "Gives money BACK (50% of it).", "tags": ["shop"],
         "metadata": {"category": "sales"}},
        {"name": "Büro", "tags": ["mail"], "metadata": {"category": "office"}},
        {"name": "a+b", "description": "Adds."}]
    for number, document in enumerate(documents, start=1):
        template_repository.insert(new_template(f"t{number}", created_at=NOW + number * SECOND, **document))
    template_repository.insert(new_template("t5", workspace_id=ELSEWHERE, name="Order"))
    return template_repository


@pytest.mark.parametrize(("asked", "expected"), [
    ({}, ["t4", "t3", "t2", "t1"]),
    ({"category": "sales"}, ["t2", "t1"]),
    ({"category": "none"}, []),
    ({"tags": ["shop"]}, ["t2", "t1"]),
    ({"tags": ["shop", "mail"]}, ["t1"]),
    ({"tags": ["mail"], "category": "office"}, ["t3"]),
    ({"search": "order"}, ["t1"]),
    ({"search": "back"}, ["t2"]),
    ({"search": " BÜRO "}, ["t3"]),
    ({"search": "  "}, ["t4", "t3", "t2", "t1"]),
    ({"search": "refund", "category": "office"}, []),
    ({"search": "nothing like it"}, []),
])
def test_page_finds_templates(shelf: TemplateRepository, asked: dict[str, Any], expected: list[str]) -> None:
    page, total = shelf.page(HERE, **{**ALL, **asked})
    assert ([template.document["templateId"] for template in page], total) == (expected, len(expected))


@pytest.mark.parametrize("search", [".*", "a|b", "((", "[", "\\", "$", "^", "a\0b", "x" * 5000, "{$gt: 1}"])
def test_search_is_text_and_no_pattern(shelf: TemplateRepository, search: str) -> None:
    assert shelf.page(HERE, **{**ALL, "search": search}) == ([], 0)


@pytest.mark.parametrize(("search", "expected"), [("a+b", "t4"), ("(50%", "t2")])
def test_search_finds_what_would_be_special_in_a_pattern(shelf: TemplateRepository, search: str, expected: str) -> None:
    page, _ = shelf.page(HERE, **{**ALL, "search": search})
    assert [template.document["templateId"] for template in page] == [expected]


def test_page_is_cut_by_limit_and_offset(shelf: TemplateRepository) -> None:
    page, total = shelf.page(HERE, **{**ALL, "limit": 2, "offset": 1})
    assert ([template.document["templateId"] for template in page], total) == (["t3", "t2"], 4)
