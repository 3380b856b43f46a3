"""A fake service, the people of the demo, and a screen that is kept."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from sandbox.demo.people import People
from tests.unit.cli.fake_service import FakeService, fake_service


class Screen(Console):
    """A console whose output is kept."""

    def __init__(self) -> None:
        """Nothing was printed."""
        self.kept = io.StringIO()
        super().__init__(file=self.kept, width=200)

    @property
    def text(self) -> str:
        """What was printed."""
        return self.kept.getvalue()


@pytest.fixture
def service() -> Iterator[FakeService]:
    """A fake workflow service."""
    with fake_service() as running:
        yield running


@pytest.fixture
def people(service: FakeService) -> Iterator[People]:
    """Everybody, at the fake service."""
    people = People.at(service.url, "a secret of at least thirty-two bytes")
    yield people
    people.close()


@pytest.fixture
def screen() -> Screen:
    """A screen without colours."""
    return Screen()
