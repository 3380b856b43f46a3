"""What the reference State Management Service answered survives the death of its process."""

from __future__ import annotations

from pathlib import Path

import requests

from tests.support.services import running_state_service

TIMEOUT_SECONDS = 10


def test_acknowledged_checkpoints_survive_kill_9(tmp_path: Path) -> None:
    with running_state_service(tmp_path) as server:
        for number in range(20):
            checkpoint = {"workspaceId": "w", "executionId": "p1", "blockId": f"b{number}", "epoch": 1,
                          "fence": 1, "status": "completed", "retryCount": 0}
            answer = requests.post(f"{server.url}/checkpoints", timeout=TIMEOUT_SECONDS,
                                   json={"checkpoints": [checkpoint]})
            assert answer.json() == {"accepted": 1, "stale": 0}

        server.process.kill()
        assert not server.process.is_running
        server.process.restart()

        play = requests.get(f"{server.url}/workspaces/w/plays/p1", timeout=TIMEOUT_SECONDS).json()
        assert play["completedBlocks"] == [f"b{number}" for number in range(20)]
        page = requests.get(f"{server.url}/changes", timeout=TIMEOUT_SECONDS).json()
        assert [change["cursor"] for change in page["changes"]] == list(range(1, 22))
