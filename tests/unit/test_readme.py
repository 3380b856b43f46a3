"""The README says what is so: its paths exist, its settings are the settings, its commands are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workflow_service.config import describe

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
JOURNEY = README[README.index("### A block's journey"):README.index("## Configuration")]
PATH = re.compile(r"`((?:web|tasks|workflow_service|sandbox|cli|migrations)/[\w/.]*)`")


@pytest.mark.parametrize("path", sorted(set(PATH.findall(README))))
def test_each_path_that_is_named_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_journey_goes_through_every_layer() -> None:
    layers = ["web/api/resources", "workflow_service/services", "workflow_service/domain", "tasks",
              "workflow_service/integrations"]
    assert [layer for layer in layers if layer not in JOURNEY] == []


def test_the_table_of_settings_is_that_of_the_service() -> None:
    rows = [f"| `{one.name}` | {one.meaning} | {one.default} |" for one in describe()]
    table = README[README.index("<!-- settings -->"):README.index("<!-- /settings -->")]
    assert table.splitlines()[1:] == ["| variable | meaning | default |", "|---|---|---|", *rows]


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_each_file_that_is_linked_exists(link: str) -> None:
    assert (ROOT / link).exists()
