"""Templates: taken ids, versions, and how they are found."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.repositories.builders import ELSEWHERE, HERE, NOW, SECOND, new_template
from workflow_service.domain.commands import TemplateFilter
from workflow_service.domain.paging import Place
from workflow_service.domain.template_status import TemplateStatus
from workflow_service.repositories.mongo import templates
from workflow_service.repositories.mongo.connection import Store
from workflow_service.repositories.mongo.templates import TemplateDocument, TemplatesInMongo
from workflow_service.services.ports import StoredTemplate, TemplateRepository, TemplateVersion

ALL = TemplateFilter(limit=10)


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
    assert template_repository.page(ELSEWHERE, ALL) == ([], 0)


def second(**document: Any) -> StoredTemplate:
    """Return the next version of the usual template, stored by somebody else a second later."""
    wanted = {"version": "1.1.0", "name": "Order, again", **document}
    return replace(new_template(**wanted), updated_at=NOW + SECOND, updated_by="bob")


def test_new_version_becomes_the_latest_and_the_old_one_stays(template_repository: TemplateRepository) -> None:
    first = new_template(description="only in the first")
    template_repository.insert(first)
    assert template_repository.add_version(second(), "1.0.0")
    assert template_repository.get(HERE, "t1") == template_repository.get(HERE, "t1", "1.1.0") == second()
    assert template_repository.get(HERE, "t1", "1.0.0") == first
    assert template_repository.page(HERE, ALL) == ([second()], 1)


def test_new_version_comes_back_in_the_order_of_its_author(template_repository: TemplateRepository) -> None:
    template_repository.insert(new_template())
    template = replace(second(), document=dict(reversed([*second().document.items()])))
    assert template_repository.add_version(template, "1.0.0")
    found = template_repository.get(HERE, "t1")
    assert found is not None and list(found.document) == list(template.document)


@pytest.mark.parametrize(("template", "latest"), [
    (second(), "0.9.0"),
    (second(), "1.1.0"),
    (second(version="1.0.0"), "1.0.0"),
    (replace(second(), workspace_id=ELSEWHERE), "1.0.0"),
    (second(templateId="unknown"), "1.0.0"),
], ids=["the latest was never this", "the latest is not there yet", "the latest itself", "other workspace", "unknown"])
def test_version_that_is_refused_leaves_no_trace(template_repository: TemplateRepository, template: StoredTemplate,
                                                 latest: str) -> None:
    template_repository.insert(new_template())
    assert not template_repository.add_version(template, latest)
    assert template_repository.get(HERE, "t1") == template_repository.get(HERE, "t1", "1.0.0") == new_template()
    assert [version.version for version in template_repository.versions(HERE, "t1")] == ["1.0.0"]


def test_whoever_read_an_older_latest_is_refused(template_repository: TemplateRepository) -> None:
    template_repository.insert(new_template())
    template_repository.add_version(second(), "1.0.0")
    assert not template_repository.add_version(second(version="1.2.0"), "1.0.0")
    assert template_repository.get(HERE, "t1") == second()


@pytest.mark.parametrize("versions", [["1.1.0"] * 6, [f"1.{minor}.0" for minor in range(1, 7)]],
                         ids=["the same version", "each another"])
def test_of_many_new_versions_one_becomes_the_latest(template_repository: TemplateRepository,
                                                     versions: list[str]) -> None:
    template_repository.insert(new_template())
    rivals = [second(version=version, name=f"Order {number}") for number, version in enumerate(versions)]
    with ThreadPoolExecutor(len(rivals)) as threads:
        won = list(threads.map(lambda rival: template_repository.add_version(rival, "1.0.0"), rivals))
    assert won.count(True) == 1
    winner = rivals[won.index(True)]
    assert template_repository.get(HERE, "t1") == winner
    assert template_repository.get(HERE, "t1", winner.document["version"]) == winner
    assert template_repository.get(HERE, "t1", "1.0.0") == new_template()


def test_versions_are_listed_the_oldest_first(template_repository: TemplateRepository) -> None:
    assert template_repository.versions(HERE, "t1") == []
    template_repository.insert(new_template(version="1.9.0"))
    template_repository.insert(new_template("t10"))
    template_repository.insert(new_template("t"))
    template_repository.add_version(second(version="1.10.0"), "1.9.0")
    assert template_repository.versions(HERE, "t1") == [
        TemplateVersion(version="1.9.0", created_at=NOW, created_by="ann"),
        TemplateVersion(version="1.10.0", created_at=NOW + SECOND, created_by="bob")]
    assert template_repository.versions(ELSEWHERE, "t1") == []


@pytest.fixture
def half_done(store: Store) -> TemplatesInMongo:
    """A template whose second version was stored by somebody who died before it became the latest."""
    repository = TemplatesInMongo(store)
    repository.insert(new_template())
    store.collection(templates.VERSIONS).insert_one({"_id": "t1:1.1.0", **TemplateDocument.from_domain(second())})
    return repository


def test_half_done_update_changes_no_latest(half_done: TemplatesInMongo) -> None:
    assert half_done.get(HERE, "t1") == new_template()
    assert [version.version for version in half_done.versions(HERE, "t1")] == ["1.0.0", "1.1.0"]


def test_half_done_update_is_finished_by_the_same_one(half_done: TemplatesInMongo) -> None:
    again = replace(second(), updated_at=NOW + 5 * SECOND, updated_by="cleo")
    assert half_done.add_version(again, "1.0.0")
    assert half_done.get(HERE, "t1") == half_done.get(HERE, "t1", "1.1.0") == second()


def test_half_done_update_is_not_written_over(half_done: TemplatesInMongo) -> None:
    assert not half_done.add_version(second(name="Another"), "1.0.0")
    assert half_done.get(HERE, "t1") == new_template()
    assert half_done.get(HERE, "t1", "1.1.0") == second()


def test_half_done_update_keeps_nobody_from_the_next_version(half_done: TemplatesInMongo) -> None:
    assert half_done.add_version(second(version="1.1.1"), "1.0.0")
    assert half_done.get(HERE, "t1") == second(version="1.1.1")


def test_first_version_of_which_only_the_latest_was_stored_survives_the_second(store: Store) -> None:
    repository = TemplatesInMongo(store)
    repository.insert(new_template())
    store.collection(templates.VERSIONS).delete_one({"_id": "t1:1.0.0"})  # whoever inserted it died in between
    assert [version.version for version in repository.versions(HERE, "t1")] == ["1.0.0"]
    assert repository.add_version(second(), "1.0.0")
    assert repository.get(HERE, "t1", "1.0.0") == new_template()


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
    ({"tags": ("shop",)}, ["t2", "t1"]),
    ({"tags": ("shop", "mail")}, ["t1"]),
    ({"tags": ("mail",), "category": "office"}, ["t3"]),
    ({"search": "order"}, ["t1"]),
    ({"search": "back"}, ["t2"]),
    ({"search": " BÜRO "}, ["t3"]),
    ({"search": "  "}, ["t4", "t3", "t2", "t1"]),
    ({"search": "refund", "category": "office"}, []),
    ({"search": "nothing like it"}, []),
])
def test_page_finds_templates(shelf: TemplateRepository, asked: dict[str, Any], expected: list[str]) -> None:
    page, total = shelf.page(HERE, replace(ALL, **asked))
    assert ([template.document["templateId"] for template in page], total) == (expected, len(expected))


@pytest.mark.parametrize("search", [".*", "a|b", "((", "[", "\\", "$", "^", "a\0b", "x" * 5000, "{$gt: 1}"])
def test_search_is_text_and_no_pattern(shelf: TemplateRepository, search: str) -> None:
    assert shelf.page(HERE, replace(ALL, search=search)) == ([], 0)


@pytest.mark.parametrize(("search", "expected"), [("a+b", "t4"), ("(50%", "t2")])
def test_search_finds_what_would_be_special_in_a_pattern(shelf: TemplateRepository, search: str, expected: str) -> None:
    page, _ = shelf.page(HERE, replace(ALL, search=search))
    assert [template.document["templateId"] for template in page] == [expected]


def test_page_is_cut_by_limit_and_offset(shelf: TemplateRepository) -> None:
    page, total = shelf.page(HERE, replace(ALL, limit=2, offset=1))
    assert ([template.document["templateId"] for template in page], total) == (["t3", "t2"], 4)


def _names(page: tuple[Sequence[StoredTemplate], int]) -> list[str]:
    return [str(template.document["templateId"]) for template in page[0]]


def _place(template: StoredTemplate) -> Place:
    return Place(at=template.created_at, identifier=str(template.document["templateId"]))


def test_pages_one_behind_the_other_hold_each_template_once(template_repository: TemplateRepository) -> None:
    for number in range(7):  # three of each instant
        template_repository.insert(new_template(f"t{number}", created_at=NOW + number // 3 * SECOND))
    seen: list[str] = []
    after: Place | None = None
    for _ in range(4):
        found, total = template_repository.page(HERE, replace(ALL, limit=2, after=after))
        assert total == 7
        seen += _names((found, total))
        after = _place(found[-1])
    assert seen == ["t6", "t3", "t4", "t5", "t0", "t1", "t2"]
    assert template_repository.page(HERE, replace(ALL, after=after)) == ([], 7)


def test_what_is_stored_meanwhile_moves_no_page(shelf: TemplateRepository) -> None:
    first, _ = shelf.page(HERE, replace(ALL, limit=2))
    shelf.insert(new_template("t9", created_at=NOW + 9 * SECOND))
    assert _names(shelf.page(HERE, replace(ALL, limit=2, after=_place(first[-1])))) == ["t2", "t1"]
    asked = replace(ALL, tags=("shop",), after=_place(first[-1]))
    assert _names(shelf.page(HERE, asked)) == ["t2", "t1"]


def test_status_is_stored_with_each_version(template_repository: TemplateRepository) -> None:
    draft = replace(new_template(), status=TemplateStatus.DRAFT)
    template_repository.insert(draft)
    assert template_repository.get(HERE, "t1") == template_repository.get(HERE, "t1", "1.0.0") == draft
    template_repository.add_version(second(), "1.0.0")
    assert [version.status.value for version in template_repository.versions(HERE, "t1")] == ["draft", "published"]


def test_draft_is_published(template_repository: TemplateRepository) -> None:
    template_repository.insert(replace(new_template(), status=TemplateStatus.DRAFT))
    for _ in range(2):
        assert template_repository.set_status(HERE, "t1", "1.0.0", TemplateStatus.PUBLISHED)
    assert template_repository.get(HERE, "t1") == template_repository.get(HERE, "t1", "1.0.0") == new_template()


@pytest.mark.parametrize(("workspace", "template_id", "version"), [
    (ELSEWHERE, "t1", "1.0.0"), (HERE, "t2", "1.0.0"), (HERE, "t1", "0.9.0"), (HERE, "t1", "1.1.0")])
def test_status_of_what_is_not_the_latest_is_not_set(template_repository: TemplateRepository, workspace: str,
                                                     template_id: str, version: str) -> None:
    template_repository.insert(new_template())
    assert not template_repository.set_status(workspace, template_id, version, TemplateStatus.ARCHIVED)
    assert template_repository.get(HERE, "t1") == new_template()


def test_archived_template_is_in_no_list_that_does_not_ask_for_it(shelf: TemplateRepository) -> None:
    assert shelf.set_status(HERE, "t2", "1.0.0", TemplateStatus.ARCHIVED)
    assert _names(shelf.page(HERE, ALL)) == ["t4", "t3", "t1"]
    assert _names(shelf.page(HERE, replace(ALL, status=TemplateStatus.ARCHIVED))) == ["t2"]
    assert _names(shelf.page(HERE, replace(ALL, status=TemplateStatus.PUBLISHED))) == ["t4", "t3", "t1"]
    assert _names(shelf.page(HERE, replace(ALL, status=TemplateStatus.DRAFT))) == []
    latest, version = shelf.get(HERE, "t2"), shelf.get(HERE, "t2", "1.0.0")
    assert latest is not None and version is not None
    assert (latest.status, version.status) == (TemplateStatus.ARCHIVED, TemplateStatus.PUBLISHED)


def test_archived_template_gets_no_version(template_repository: TemplateRepository) -> None:
    template_repository.insert(new_template())
    template_repository.set_status(HERE, "t1", "1.0.0", TemplateStatus.ARCHIVED)
    assert not template_repository.add_version(second(), "1.0.0")
    assert len(template_repository.versions(HERE, "t1")) == 1


@pytest.fixture
def gone(template_repository: TemplateRepository) -> TemplateRepository:
    """A template of two versions that was deleted."""
    template_repository.insert(new_template())
    template_repository.add_version(second(), "1.0.0")
    for _ in range(2):
        assert template_repository.set_status(HERE, "t1", "1.1.0", TemplateStatus.DELETED)
    return template_repository


def test_deleted_template_keeps_its_versions(gone: TemplateRepository) -> None:
    assert gone.get(HERE, "t1") is None
    assert gone.page(HERE, ALL) == ([], 0)
    assert gone.get(HERE, "t1", "1.0.0") == new_template()
    assert gone.get(HERE, "t1", "1.1.0") == second()
    assert [version.version for version in gone.versions(HERE, "t1")] == ["1.0.0", "1.1.0"]


def test_deleted_template_stays_so(gone: TemplateRepository) -> None:
    assert not gone.set_status(HERE, "t1", "1.1.0", TemplateStatus.PUBLISHED)
    assert not gone.add_version(second(version="2.0.0"), "1.1.0")
    assert gone.get(HERE, "t1") is None


@pytest.mark.parametrize("template", [
    new_template(), new_template(version="1.1.0"), new_template(version="9.0.0", workspace_id=ELSEWHERE)],
    ids=["an old version", "the last version", "other workspace"])
def test_id_of_a_deleted_template_is_taken(gone: TemplateRepository, template: StoredTemplate) -> None:
    assert not gone.insert(template)
    assert gone.get(HERE, "t1") is None and gone.get(ELSEWHERE, "t1") is None


def test_deleted_template_comes_back_with_a_greater_version(gone: TemplateRepository) -> None:
    again = new_template(version="1.10.0", name="Anew", created_at=NOW + 3 * SECOND)
    assert gone.insert(again)
    assert not gone.insert(new_template(version="1.11.0"))
    assert gone.get(HERE, "t1") == gone.get(HERE, "t1", "1.10.0") == again
    assert gone.get(HERE, "t1", "1.0.0") == new_template()
    assert gone.page(HERE, ALL) == ([again], 1)


def test_of_many_that_bring_a_template_back_one_does(gone: TemplateRepository) -> None:
    rivals = [new_template(version="2.0.0", name=f"Order {number}") for number in range(6)]
    with ThreadPoolExecutor(len(rivals)) as threads:
        won = list(threads.map(gone.insert, rivals))
    assert won.count(True) == 1
    assert gone.get(HERE, "t1") == gone.get(HERE, "t1", "2.0.0") == rivals[won.index(True)]


def test_template_of_a_time_without_statuses_is_published(store: Store) -> None:
    repository = TemplatesInMongo(store)
    repository.insert(new_template())
    for name in (templates.COLLECTION, templates.VERSIONS):
        store.collection(name).update_many({}, {"$unset": {"status": ""}})
    assert repository.get(HERE, "t1") == repository.get(HERE, "t1", "1.0.0") == new_template()
    for status in (None, TemplateStatus.PUBLISHED):
        assert repository.page(HERE, replace(ALL, status=status)) == ([new_template()], 1)
    assert repository.page(HERE, replace(ALL, status=TemplateStatus.DRAFT)) == ([], 0)
    assert repository.add_version(second(), "1.0.0")
    assert repository.set_status(HERE, "t1", "1.1.0", TemplateStatus.ARCHIVED)


def test_first_version_of_which_only_the_latest_was_stored_survives_the_end_of_its_template(store: Store) -> None:
    repository = TemplatesInMongo(store)
    repository.insert(new_template())
    store.collection(templates.VERSIONS).delete_one({"_id": "t1:1.0.0"})  # whoever inserted it died in between
    assert repository.set_status(HERE, "t1", "1.0.0", TemplateStatus.DELETED)
    assert repository.get(HERE, "t1", "1.0.0") == new_template()
