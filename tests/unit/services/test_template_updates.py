"""New versions of templates: which numbers they get, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders import NOW, a_template_document, an_agent
from workflow_service.domain.errors import ConcurrentUpdate, Conflict, NotFound, StaleVersion, VersionTaken
from workflow_service.domain.users import User
from workflow_service.integrations.memory.agents import InMemoryAgentService
from workflow_service.integrations.memory.work import InMemoryAgent
from workflow_service.repositories.memory.clock import VirtualClock
from workflow_service.repositories.memory.templates import TemplatesInMemory
from workflow_service.services.ports import StoredTemplate
from workflow_service.services.templates import Templates

ADA = User(name="ada", role="designer", workspace_id="acme")
BOB = User(name="bob", role="designer", workspace_id="acme")


class RacedTemplates(TemplatesInMemory):
    """Templates of which somebody else stores a version just before a new one is added."""

    def __init__(self) -> None:
        """Let nobody come in between."""
        super().__init__()
        self.meanwhile: Callable[[], Any] = lambda: None

    def add_version(self, template: StoredTemplate, latest: str) -> bool:
        """Let the others go first, once."""
        others, self.meanwhile = self.meanwhile, lambda: None
        others()
        return super().add_version(template, latest)


@pytest.fixture
def repository() -> RacedTemplates:
    """An empty repository."""
    return RacedTemplates()


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that the test moves."""
    return VirtualClock(NOW)


@pytest.fixture
def templates(repository: RacedTemplates, clock: VirtualClock) -> Templates:
    """Templates with one in version 1.4.2."""
    return _templates_in(repository, clock)


def _templates_in(repository: TemplatesInMemory, clock: VirtualClock) -> Templates:
    agents = InMemoryAgentService([InMemoryAgent(agent=an_agent(), work=lambda given: given)])
    made = Templates(repository, agents, clock)
    made.create(ADA, _document(version="1.4.2"))
    clock.advance(timedelta(seconds=1))
    return made


def _document(**fields: Any) -> dict[str, Any]:
    document = a_template_document(**fields)
    return document if "version" in fields else {name: part for name, part in document.items() if name != "version"}


@pytest.mark.parametrize(("named", "stored"), [
    (None, "1.4.3"), ("1.4.10", "1.4.10"), ("1.5.0", "1.5.0"), ("2.0.0", "2.0.0")])
def test_version_of_an_update(templates: Templates, named: str | None, stored: str) -> None:
    change = {"name": "Changed"} if named is None else {"name": "Changed", "version": named}
    assert templates.update(BOB, "t", _document(**change))["version"] == stored
    assert [(one.version, one.created_by, one.created_at) for one in templates.versions(ADA, "t")] == [
        ("1.4.2", "ada", NOW), (stored, "bob", NOW + timedelta(seconds=1))]


def test_update_keeps_who_made_the_template(templates: Templates) -> None:
    view = templates.update(BOB, "t", _document(name="Changed"))
    assert (view["createdBy"], view["createdAt"]) == ("ada", NOW)
    assert (view["updatedBy"], view["updatedAt"]) == ("bob", NOW + timedelta(seconds=1))


def test_another_version_of_the_same_content_is_stored_if_it_is_named(templates: Templates) -> None:
    assert templates.update(BOB, "t", _document())["version"] == "1.4.2"
    assert templates.update(BOB, "t", _document(version="2.0.0"))["version"] == "2.0.0"


def test_somebody_else_was_faster_and_nobody_said_what_was_expected(templates: Templates,
                                                                    repository: RacedTemplates) -> None:
    repository.meanwhile = lambda: templates.update(BOB, "t", _document(version="1.5.0"))
    with pytest.raises(ConcurrentUpdate, match=r"1\.5\.0"):
        templates.update(ADA, "t", _document(name="Changed"))
    assert templates.get(ADA, "t")["version"] == "1.5.0"


def test_somebody_else_was_faster_than_who_said_what_was_expected(templates: Templates,
                                                                  repository: RacedTemplates) -> None:
    repository.meanwhile = lambda: templates.update(BOB, "t", _document(version="1.5.0"))
    with pytest.raises(StaleVersion):
        templates.update(ADA, "t", _document(name="Changed"), "1.4.2")


def test_two_of_the_same_moment_with_the_same_content_are_one(templates: Templates, repository: RacedTemplates) -> None:
    repository.meanwhile = lambda: templates.update(BOB, "t", _document(name="Changed"))
    with pytest.raises(Conflict):
        templates.update(ADA, "t", _document(name="Changed"))
    assert templates.update(ADA, "t", _document(name="Changed"))["updatedBy"] == "bob"
    assert len(templates.versions(ADA, "t")) == 2


class HalfDone(TemplatesInMemory):
    """Templates whose version 1.4.3 was stored by somebody who died before it became the latest."""

    def insert(self, template: StoredTemplate) -> bool:
        """Store the template and what the dead one left."""
        inserted = super().insert(template)
        document = {**template.document, "version": "1.4.3", "name": "Half done"}
        self._versions[template.document["templateId"]]["1.4.3"] = replace(template, document=document)
        return inserted


@pytest.fixture
def cut_short(clock: VirtualClock) -> Templates:
    """Templates after an update that was cut short."""
    return _templates_in(HalfDone(), clock)


@pytest.mark.parametrize(("change", "stored"), [
    ({"name": "Half done"}, "1.4.3"), ({"name": "Half done", "version": "1.4.3"}, "1.4.3"),
    ({"name": "Another"}, "1.4.4"), ({"name": "Another", "version": "1.5.0"}, "1.5.0")])
def test_after_an_update_that_was_cut_short(cut_short: Templates, change: dict[str, Any], stored: str) -> None:
    assert cut_short.update(BOB, "t", _document(**change))["version"] == stored
    assert cut_short.get(ADA, "t")["name"] == change["name"]


def test_version_that_an_update_cut_short_has_taken(cut_short: Templates) -> None:
    with pytest.raises(VersionTaken, match=r"1\.4\.3"):
        cut_short.update(BOB, "t", _document(name="Another", version="1.4.3"))
    assert cut_short.get(ADA, "t")["version"] == "1.4.2"


def test_other_workspace_has_no_such_template(templates: Templates) -> None:
    elsewhere = replace(BOB, workspace_id="other")
    with pytest.raises(NotFound):
        templates.update(elsewhere, "t", _document(name="Changed"))
    with pytest.raises(NotFound):
        templates.versions(elsewhere, "t")
