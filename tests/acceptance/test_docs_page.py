"""The documentation of the API in a browser, as people see it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.cluster import Cluster

pytestmark = [pytest.mark.acceptance,
              pytest.mark.parametrize("cluster", ["valkey"], indirect=True, scope="module")]

_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
          "--disable-background-networking", "--disable-component-update", "--disable-sync",
          "--virtual-time-budget=10000")


@pytest.fixture
def browser() -> str:
    """The program of a browser; absent it is a reason to skip, but not in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None and os.environ.get("CI"):
        pytest.fail("Chromium is not installed")
    if found is None:
        pytest.skip("Chromium is not installed")
    return found


def test_the_page_shows_the_operations(cluster: Cluster, browser: str, tmp_path: Path) -> None:
    page = subprocess.run([browser, *_FLAGS, f"--user-data-dir={tmp_path}", "--dump-dom", f"{cluster.url}/api/docs"],
                          capture_output=True, text=True, timeout=60, check=True).stdout
    assert 'class="swagger-ui"' in page
    assert "/api/v1/executions" in page
    assert "/api/v1/approvals/{approvalId}/respond" in page
