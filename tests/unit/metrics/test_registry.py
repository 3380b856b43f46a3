"""One process shows its own numbers; several that share a folder show those of all, also of those that have ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.scrape import samples
from workflow_service.metrics.catalogue import BLOCKS, BREAKER_OPEN_UNTIL, REQUEST_DURATION
from workflow_service.metrics.registry import MULTIPROCESS, Registry

ROOT = Path(__file__).parents[3]
_PROGRAM = """
import sys
import prometheus_client
import os
os.environ["PROMETHEUS_MULTIPROC_DIR"] = sys.argv[1]  # after the library has been imported
from workflow_service.metrics.catalogue import BLOCKS, BREAKER_OPEN_UNTIL, REQUEST_DURATION
from workflow_service.metrics.registry import Registry
metrics = Registry()
metrics.count(BLOCKS, "claimed", by=int(sys.argv[2]))
metrics.observe(REQUEST_DURATION, 0.02, "a", "GET")
metrics.set(BREAKER_OPEN_UNTIL, int(sys.argv[2]), "state_service")
sys.stdout.write(metrics.text().decode())
"""


def test_each_metric_of_a_process_is_shown_from_the_start() -> None:
    found = samples(Registry({}).text())
    assert found["workflow_leases_lost_total"] == 0
    assert found['workflow_blocks_total{outcome="claimed"}'] == 0
    assert "process_resident_memory_bytes" in found


def test_numbers_are_those_of_one_registry() -> None:
    one, other = Registry({}), Registry({})
    one.count(BLOCKS, "claimed", by=2)
    one.observe(REQUEST_DURATION, 0.02, "a", "GET")
    one.observe(REQUEST_DURATION, -1.0, "a", "GET")  # a clock that was set back
    one.set(BREAKER_OPEN_UNTIL, 7.0, "state_service")
    found = samples(one.text())
    assert found['workflow_blocks_total{outcome="claimed"}'] == 2
    assert found['workflow_http_request_duration_seconds_count{endpoint="a",method="GET"}'] == 2
    assert found['workflow_http_request_duration_seconds_sum{endpoint="a",method="GET"}'] == 0.02
    assert found['workflow_breaker_open_until_seconds{dependency="state_service"}'] == 7
    assert samples(other.text())['workflow_blocks_total{outcome="claimed"}'] == 0


def _process(folder: Path, number: int) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", _PROGRAM, str(folder), str(number)], check=True, timeout=60,
                          capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    return samples(done.stdout)


def test_processes_that_share_a_folder_show_the_numbers_of_all(tmp_path: Path) -> None:
    assert _process(tmp_path, 2)['workflow_blocks_total{outcome="claimed"}'] == 2
    found = _process(tmp_path, 3)
    assert found['workflow_blocks_total{outcome="claimed"}'] == 5
    assert found['workflow_http_request_duration_seconds_count{endpoint="a",method="GET"}'] == 2
    assert found['workflow_breaker_open_until_seconds{dependency="state_service"}'] == 3
    assert MULTIPROCESS == "PROMETHEUS_MULTIPROC_DIR"


def test_a_folder_that_was_cleaned_away_is_no_error(tmp_path: Path) -> None:
    program = _PROGRAM.replace("sys.stdout.write", "import shutil\nshutil.rmtree(sys.argv[1])\nsys.stdout.write")
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "gone"), "1"], timeout=60, check=False,
                          capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode != 0  # a folder that was never there is one: nothing could be counted
    (tmp_path / "there").mkdir()
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "there"), "1"], timeout=60, check=True,
                          capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert samples(done.stdout) == {}
