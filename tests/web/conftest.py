"""The HTTP edge around a service in memory."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol, cast

import pytest
from flask import Flask

from tests.web.checked_client import CheckedClient
from tests.web.fakes import FakeApplication, a_service
from web.app import create_app
from web.context import provide
from web.tokens import issue_token
from workflow_service.bootstrap import Application

SECRET = "not-a-secret-only-a-test-of-secrets-that-is-long-enough-for-HS512"
Headers = dict[str, str]


class SignedHeaders(Protocol):
    """Makes the headers of a user."""

    def __call__(self, role: str = "admin", user: str = "ada", workspace: str = "acme") -> Headers:
        """Return them."""


@pytest.fixture
def service() -> FakeApplication:
    """An empty service."""
    return a_service(SECRET)


@pytest.fixture(scope="session")
def edge() -> Flask:
    """The edge, made once: nothing of it changes but the service behind it."""
    edge = create_app(cast(Application, a_service(SECRET)))
    edge.test_client_class = CheckedClient
    return edge


@pytest.fixture
def app(edge: Flask, service: FakeApplication) -> Flask:
    """The edge around the service."""
    provide(edge, cast(Application, service))
    return edge


@pytest.fixture
def client(app: Flask) -> CheckedClient:
    """A client whose answers are checked."""
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    return client


@pytest.fixture
def signed() -> SignedHeaders:
    """Makes the headers of a user."""
    def headers(role: str = "admin", user: str = "ada", workspace: str = "acme") -> Headers:
        return {"Authorization": f"Bearer {issue_token(SECRET, user, role, workspace, timedelta(minutes=5))}"}
    return headers


@pytest.fixture
def admin(signed: SignedHeaders) -> Headers:
    """The headers of an administrator."""
    return signed("admin")
