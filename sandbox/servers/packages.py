"""Finding the optional packages that bring servers, without importing them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from sandbox.servers.errors import ServerNotInstalled


def package_folder(package: str) -> Path:
    """Return where a package lies.

    Raises:
        ServerNotInstalled: it is not installed.
    """
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ServerNotInstalled(package)
    return Path(found.submodule_search_locations[0])
