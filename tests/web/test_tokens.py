"""Tokens that are checked with a public key, and that no algorithm is taken for another."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET
from tests.web.real_service import HandWorker, a_real_service
from web.app import create_app
from web.tokens import issue_token
from workflow_service.config import DEVELOPMENT_JWT_SECRET

PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CLAIMS = {"sub": "ada", "role": "admin", "workspace": "acme"}


def an_edge(public_key: str | None, secret: str) -> CheckedClient:
    """Return a client of the API of a service with these keys."""
    application = a_real_service(secret, HandWorker())
    security = replace(application.settings.security, jwt_public_key=public_key)
    edge = create_app(replace(application, settings=replace(application.settings, security=security)))
    edge.test_client_class = CheckedClient
    client = edge.test_client()
    assert isinstance(client, CheckedClient)
    return client


@pytest.fixture(scope="module")
def by_key() -> CheckedClient:
    """A client of a service that knows a public key."""
    return an_edge(PUBLIC.decode(), DEVELOPMENT_JWT_SECRET)


@pytest.fixture(scope="module")
def by_secret() -> CheckedClient:
    """A client of a service that knows a secret."""
    return an_edge(None, SECRET)


def claims(**more: Any) -> dict[str, Any]:
    """Return what a token says that is good for five minutes."""
    return {**CLAIMS, "exp": int((datetime.now(UTC) + timedelta(minutes=5)).timestamp()), **more}


def forged(header: dict[str, Any], key: bytes) -> str:
    """Return a token signed by HMAC with any bytes, which the library refuses to do with a public key."""
    signed = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims()))
    return f"{signed}.{_base64(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def status(client: CheckedClient, token: str) -> int:
    """Return what a request with this token is answered with."""
    answer = client.get("/api/v1/templates", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code == 200) or answer.json["error"] == "unauthenticated"
    return int(answer.status_code)


def test_a_token_of_the_private_key_is_taken(by_key: CheckedClient) -> None:
    assert status(by_key, jwt.encode(claims(), PRIVATE, "RS256")) == 200


@pytest.mark.parametrize("token", [
    pytest.param(forged({"alg": "HS256", "typ": "JWT"}, PUBLIC), id="HS256 signed with the text of the public key"),
    pytest.param(forged({"alg": "HS256", "typ": "JWT"}, PUBLIC.strip()), id="the same without its last line end"),
    pytest.param(forged({"alg": "RS256", "typ": "JWT"}, PUBLIC), id="the same that says it is RS256"),
    pytest.param(forged({"alg": "none", "typ": "JWT"}, PUBLIC), id="none with a signature"),
    pytest.param(forged({"alg": "none"}, b"").rsplit(".", 1)[0] + ".", id="none without one"),
    pytest.param(forged({"alg": "None"}, b"").rsplit(".", 1)[0] + ".", id="None"),
    pytest.param(issue_token(DEVELOPMENT_JWT_SECRET, "ada", "admin", "acme", timedelta(minutes=5)),
                 id="HS256 signed with the secret of the defaults"),
    pytest.param(jwt.encode(claims(), OTHER, "RS256"), id="another private key"),
    pytest.param(jwt.encode(claims(), OTHER, "RS256", headers={"jwk": {"kty": "RSA"}, "jku": "http://127.0.0.1:1"}),
                 id="a key that the token brings along"),
    pytest.param(jwt.encode(claims(), PRIVATE, "RS512"), id="RS512 of the right key"),
    pytest.param(jwt.encode(claims(), PRIVATE, "PS256"), id="PS256 of the right key"),
    pytest.param(jwt.encode(claims(exp=1), PRIVATE, "RS256"), id="expired"),
    pytest.param(jwt.encode(CLAIMS, PRIVATE, "RS256"), id="never expires"),
])
def test_whatever_else_is_refused(by_key: CheckedClient, token: str) -> None:
    assert status(by_key, token) == 401


def test_a_service_with_a_secret_takes_no_token_of_a_key(by_secret: CheckedClient) -> None:
    assert status(by_secret, issue_token(SECRET, "ada", "admin", "acme", timedelta(minutes=5))) == 200
    assert status(by_secret, jwt.encode(claims(), PRIVATE, "RS256")) == 401
