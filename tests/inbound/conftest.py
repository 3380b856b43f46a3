"""The real service on stores in memory, and the messages that are sent to it.

The Celery app has settings that lead nowhere, so that what a test reaches by accident refuses.
"""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest

from inbound.api import Api
from inbound.handling import Handling
from tests.inbound.senders import SECRET, Sender
from tests.tasks.nowhere import NOWHERE
from tests.web.real_service import HandWorker, a_real_service
from web.api.schemas.examples import TEMPLATE
from web.app import create_app
from workflow_service.bootstrap import Application
from workflow_service.domain.users import User

with pytest.MonkeyPatch.context() as _patch:  # the app reads its settings when it is imported, which is now
    for _name, _value in NOWHERE.items():
        _patch.setenv(_name, _value)
    import_module("tasks.app")

LONG = timedelta(minutes=5)


@pytest.fixture
def worker() -> HandWorker:
    """A worker that a test moves by hand."""
    return HandWorker()


@pytest.fixture
def service(worker: HandWorker) -> Application:
    """The service, with a template that asks a person."""
    service = a_real_service(SECRET, worker)
    service.templates.create(User(name="ada", role="admin", workspace_id="acme"), TEMPLATE)
    return service


@pytest.fixture
def handling(service: Application) -> Handling:
    """What is under test."""
    return Handling(Api(create_app(service)))


@pytest.fixture
def sender() -> Sender:
    """An administrator."""
    return Sender()
