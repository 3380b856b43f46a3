"""Encrypted connections of Celery and of our own clients: they work, and nobody else can answer in a server's place."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tasks import results
from tasks.app import app as ours
from tasks.settings import celery_settings
from tests.support.certificates import Certificates, make_certificates
from tests.support.rabbitmq import require_rabbitmq, running_rabbitmq
from tests.support.redis_server import require_redis, running_redis
from tests.tasks.nowhere import NOWHERE
from workflow_service.config import load_settings

NODES = "amqps://a:5671//;amqps://b:5671//"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Ours, and a stranger's."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[str]:
    """A Redis that speaks TLS alone."""
    require_redis()
    with running_redis(tmp_path_factory.mktemp("redis"), certificates=certificates) as server:
        yield server.url


@pytest.fixture(scope="module")
def rabbitmq_url(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[str]:
    """A RabbitMQ that speaks TLS alone."""
    require_rabbitmq()
    with running_rabbitmq(tmp_path_factory.mktemp("rabbitmq"), certificates=certificates) as server:
        yield server.url


def app_of(**environ: str) -> Celery:
    """Return an app with the settings of an environment; it takes none of them from this process."""
    app = Celery(set_as_current=False)
    app.conf.update(celery_settings(load_settings({**NOWHERE, **environ})))
    app.loader.override_backends = results.OVERRIDES
    return app


def untrusting(url: str) -> str:
    """Return an address without the authority that the server's certificate is from."""
    return "&".join(part for part in url.replace("?", "?&").split("&") if "ssl_ca_certs" not in part).replace("?&", "?")


@pytest.mark.acceptance
def test_celery_and_we_speak_tls_with_redis(redis_url: str) -> None:
    with app_of(REDIS_URL=redis_url) as app, app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, timeout=5)
        assert app.backend.client.ping()
    with Redis.from_url(redis_url) as client:
        assert client.ping()


@pytest.mark.acceptance
def test_a_redis_whose_certificate_is_from_nobody_we_know_is_refused(redis_url: str) -> None:
    url = untrusting(redis_url)
    with app_of(REDIS_URL=url) as app:
        for attempt in (lambda: app.connection_for_write().channel(), lambda: app.backend.client.ping(),
                        lambda: Redis.from_url(url).ping()):
            with pytest.raises((RedisConnectionError, OSError), match="CERTIFICATE_VERIFY_FAILED"):
                attempt()


@pytest.mark.acceptance
def test_celery_speaks_tls_with_rabbitmq(rabbitmq_url: str) -> None:
    with app_of(CELERY_BROKER_URL=rabbitmq_url) as app, app.connection_for_write() as connection:
        connection.connect()
        assert connection.connection.transport.sock.version().startswith("TLS")


@pytest.mark.acceptance
def test_a_rabbitmq_whose_certificate_is_from_nobody_we_know_is_refused(rabbitmq_url: str) -> None:
    with app_of(CELERY_BROKER_URL=untrusting(rabbitmq_url)) as app, pytest.raises(ssl.SSLCertVerificationError):
        app.connection_for_write().connect()


@pytest.mark.parametrize("scheme", ["rediss", "amqps"])
def test_whatever_is_not_said_is_verified(scheme: str) -> None:
    given: dict[str, Any] = app_of(CELERY_BROKER_URL=f"{scheme}://host//").conf.broker_use_ssl
    assert given.get("cert_reqs", given.get("ssl_cert_reqs")) is ssl.CERT_REQUIRED
    assert "server_hostname" in given or given["ssl_check_hostname"]


def test_a_plain_address_stays_plain() -> None:
    assert not app_of().conf.broker_use_ssl
    assert not app_of(CELERY_BROKER_URL="amqp://host//").conf.broker_use_ssl


def test_the_certificate_of_each_node_is_compared_with_its_own_name() -> None:
    assert ours.conf is not None  # the transports are taught when the app is imported
    with app_of(CELERY_BROKER_URL=NODES).connection_for_write() as connection:
        asked = []
        for _ in range(2):
            with pytest.raises(OSError):
                connection.transport.establish_connection()
            asked.append(connection.ssl["server_hostname"])
            connection.maybe_switch_next()
    assert asked == ["a", "b"]
