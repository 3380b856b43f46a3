"""The contract of templates, kept by templates behind a cache on a real server, twice read so that it is used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from inspect import signature

import pytest
from redis import Redis

from sandbox.servers.process import RunningServer
from tests.contract.repositories import test_templates as contract
from workflow_service.integrations.breaker import Breaker
from workflow_service.integrations.cache.redis_store import RedisStore
from workflow_service.integrations.cache.templates import CachedTemplates
from workflow_service.repositories.memory.templates import TemplatesInMemory
from workflow_service.services.ports import StoredTemplate

_OF_MONGODB = {"store", "half_done"}
"""What the tests ask for that are not about the port, but about its adapter on MongoDB."""
globals().update({name: value for name, value in vars(contract).items() if not name.startswith("__") and not (
    name.startswith("test_") and _OF_MONGODB & set(signature(value).parameters))})


class ReadTwice(CachedTemplates):
    """Reads everything twice and gives what the second look finds."""

    def get(self, workspace_id: str, template_id: str, version: str | None = None) -> StoredTemplate | None:
        """Return one version."""
        super().get(workspace_id, template_id, version)
        return super().get(workspace_id, template_id, version)


@pytest.fixture
def looks() -> Counter[str]:
    """How looks into the cache ended."""
    return Counter()


@pytest.fixture
def template_repository(valkey: RunningServer, looks: Counter[str]) -> Iterator[ReadTwice]:
    """An empty repository behind an empty cache."""
    with Redis.from_url(valkey.url) as redis:
        redis.flushall()
    store = RedisStore(valkey.url, Breaker(timedelta(seconds=5)))
    yield ReadTwice(TemplatesInMemory(), store, timedelta(hours=1),
                    lambda kind, outcome: looks.update([outcome.value]))
    store.close()
    assert not {"away", "wrong"} & set(looks)
