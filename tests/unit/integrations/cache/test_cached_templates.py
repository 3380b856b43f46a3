"""Templates with a cache before them: what it says is true, or not used."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from workflow_service.domain.template_status import TemplateStatus
from workflow_service.integrations.cache.templates import CachedTemplates, key_of
from workflow_service.integrations.memory.cache import CacheInMemory
from workflow_service.repositories.memory.templates import TemplatesInMemory
from workflow_service.services.ports import StoredTemplate

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = key_of("w", "t", "1.0.0")


class CountedTemplates(TemplatesInMemory):
    """A store that writes down what is read from it."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.read: list[str | None] = []

    def get(self, workspace_id: str, template_id: str, version: str | None = None) -> StoredTemplate | None:
        """Return one version."""
        self.read.append(version)
        return super().get(workspace_id, template_id, version)


def template(version: str = "1.0.0", name: str = "T", **fields: Any) -> StoredTemplate:
    """Return a version as it is stored."""
    document = {"templateId": "t", "version": version, "name": name, "blocks": [{"blockId": "a", "weight": 0.5}]}
    usual = StoredTemplate(workspace_id="w", document=document, created_by="ada", created_at=NOON, updated_at=NOON)
    return replace(usual, **fields)


@pytest.fixture
def store() -> CountedTemplates:
    """A store with one template."""
    store = CountedTemplates()
    assert store.insert(template())
    return store


@pytest.fixture
def cache() -> CacheInMemory:
    """An empty cache."""
    return CacheInMemory()


@pytest.fixture
def looks() -> Counter[str]:
    """How looks into the cache ended."""
    return Counter()


@pytest.fixture
def templates(store: CountedTemplates, cache: CacheInMemory, looks: Counter[str]) -> CachedTemplates:
    """Both together."""
    return CachedTemplates(store, cache, timedelta(hours=1), lambda kind, outcome: looks.update([f"{kind} {outcome}"]))


def test_a_published_version_is_read_once(store: CountedTemplates, templates: CachedTemplates,
                                          looks: Counter[str]) -> None:
    found = [templates.get("w", "t", "1.0.0") for _ in range(3)]
    assert found == [template()] * 3
    assert store.read == ["1.0.0"]
    assert looks == {"template miss": 1, "template hit": 2}


def test_the_latest_is_always_asked_of_the_store(store: CountedTemplates, templates: CachedTemplates,
                                                 cache: CacheInMemory, looks: Counter[str]) -> None:
    for version in ("1.0.0", "1.0.1"):
        latest = templates.get("w", "t")
        assert latest is not None and latest.document["version"] == version
        if version == "1.0.0":  # another process stores the next one, and nobody tells this one
            assert store.add_version(template("1.0.1"), "1.0.0")
    assert (cache.kept, looks) == ({}, {})


def test_an_update_is_seen_at_once_with_the_cache_away_or_not(templates: CachedTemplates, cache: CacheInMemory) -> None:
    templates.get("w", "t", "1.0.0")
    for number, cache.is_away in enumerate([False, True, False]):
        before, after = f"1.0.{number}", f"1.0.{number + 1}"
        assert templates.add_version(template(after, name=after), before)
        for latest in (templates.get("w", "t"), templates.get("w", "t", after)):
            assert latest is not None and latest.document["name"] == after


def test_a_draft_is_not_kept_and_its_publishing_is_seen_at_once(store: CountedTemplates, templates: CachedTemplates,
                                                                cache: CacheInMemory) -> None:
    assert store.add_version(template("1.1.0", status=TemplateStatus.DRAFT), "1.0.0")
    draft = templates.get("w", "t", "1.1.0")
    assert draft is not None and draft.status is TemplateStatus.DRAFT and not cache.kept
    assert store.set_status("w", "t", "1.1.0", TemplateStatus.PUBLISHED)  # by another process
    published = templates.get("w", "t", "1.1.0")
    assert published is not None and published.status is TemplateStatus.PUBLISHED and cache.kept


@pytest.mark.parametrize("write", [
    lambda templates: templates.insert(template()),
    lambda templates: templates.set_status("w", "t", "1.0.0", TemplateStatus.ARCHIVED),
    lambda templates: templates.set_status("w", "t", "1.0.0", TemplateStatus.DELETED),
])
def test_each_write_takes_its_version_out(templates: CachedTemplates, cache: CacheInMemory,
                                          write: Callable[[CachedTemplates], bool]) -> None:
    templates.get("w", "t", "1.0.0")
    assert KEY in cache.kept
    write(templates)
    assert KEY not in cache.kept


def test_a_deleted_template_is_gone_and_its_versions_stay(templates: CachedTemplates) -> None:
    templates.get("w", "t", "1.0.0")
    assert templates.set_status("w", "t", "1.0.0", TemplateStatus.DELETED)
    assert templates.get("w", "t") is None
    assert templates.get("w", "t", "1.0.0") is not None


def _changed(**fields: Any) -> Callable[[bytes], bytes]:
    return lambda text: json.dumps({**json.loads(text), **fields}).encode()


@pytest.mark.parametrize("spoil", [
    lambda text: b"", lambda text: b"\x80\x04\x95", lambda text: b"null", lambda text: b"[]", lambda text: b'"x"',
    lambda text: b"[" * 100_000, lambda text: text[:-1], lambda text: text.replace(b"0.5", b"NaN"),
    _changed(schema=2), _changed(workspaceId="other"), _changed(document=None), _changed(createdAt="soon"),
    _changed(createdAt="2026-03-01T12:00:00"), _changed(createdBy=None), _changed(updatedBy=7), _changed(updatedAt=7),
    _changed(document={"templateId": "other", "version": "1.0.0", "blocks": []}),
    _changed(document={"templateId": "t", "version": "2.0.0", "blocks": []}),
    _changed(document={"templateId": "t", "version": "1.0.0", "blocks": "none"}),
])
def test_what_is_wrong_in_the_cache_is_not_used_and_is_mended(
        store: CountedTemplates, templates: CachedTemplates, cache: CacheInMemory, looks: Counter[str],
        spoil: Callable[[bytes], bytes]) -> None:
    templates.get("w", "t", "1.0.0")
    good = cache.kept[KEY]
    cache.kept[KEY] = spoil(good)
    assert templates.get("w", "t", "1.0.0") == template()
    assert looks["template wrong"] == 1
    assert cache.kept[KEY] == good
    assert store.read == ["1.0.0"] * 2


def test_what_another_workspace_has_is_not_given(store: CountedTemplates, templates: CachedTemplates,
                                                 cache: CacheInMemory) -> None:
    templates.get("w", "t", "1.0.0")
    cache.kept[key_of("other", "t", "1.0.0")] = cache.kept[KEY]
    assert templates.get("other", "t", "1.0.0") is None


def test_without_a_cache_the_store_answers(store: CountedTemplates, templates: CachedTemplates, cache: CacheInMemory,
                                           looks: Counter[str]) -> None:
    cache.is_away = True
    assert [templates.get("w", "t", "1.0.0") for _ in range(2)] == [template()] * 2
    assert looks == {"template away": 2}
    assert templates.get("w", "t", "7.0.0") is None


def test_a_document_that_is_no_json_is_not_kept(store: CountedTemplates, templates: CachedTemplates,
                                                cache: CacheInMemory) -> None:
    document = {**template("1.1.0").document, "weight": float("inf")}
    assert store.add_version(template("1.1.0", document=document), "1.0.0")
    assert templates.get("w", "t", "1.1.0") is not None
    assert not cache.kept
