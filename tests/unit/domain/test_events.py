"""Events: their id is that of one version of one document."""

from dataclasses import replace

from tests.support.builders import NOW
from workflow_service.domain.events import Event

EVENT = Event(type="block_ready", workspace_id="acme", execution_id="run", source="run:a", version=3, at=NOW)


def test_copies_of_an_event_have_the_same_id() -> None:
    assert EVENT.event_id == "run:a@3" == replace(EVENT, payload={"status": "ready"}, type="renamed").event_id


def test_events_of_other_documents_or_versions_have_other_ids() -> None:
    others = [replace(EVENT, version=4), replace(EVENT, source="run:b"), replace(EVENT, source="run")]
    assert len({EVENT.event_id, *(other.event_id for other in others)}) == 4
