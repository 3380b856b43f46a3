"""TLS in addresses: what is taken, what is refused at the start and how it is said."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.support.certificates import Certificates, make_certificates
from workflow_service.config import ConfigurationError, load_settings
from workflow_service.config.tls import Tls, UnusableTls, is_unverified, split_tls

REQUIRED = {"MONGODB_URL": "mongodb://mongo/db", "REDIS_URL": "redis://redis", "AGENT_SERVICE_URL": "http://agents",
            "STATE_SERVICE_URL": "http://state"}
PRODUCTION = {**REQUIRED, "WORKFLOW_ENVIRONMENT": "production", "JWT_SECRET": "0123456789" * 4}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Files that can be used."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def faults(environ: dict[str, str]) -> dict[str, str]:
    """Return what is wrong with an environment, by variable."""
    try:
        load_settings(environ)
    except ConfigurationError as error:
        return {issue.path.split(" ")[0]: issue.message for issue in error.issues}
    return {}


def test_the_parameters_are_taken_out_of_the_address() -> None:
    address = "amqps://u:p@host:5671//?heartbeat=5&ssl_ca_certs=%2Fa%20b.pem&ssl_certfile=c&ssl_keyfile=k"
    assert split_tls(address) == ("amqps://u:p@host:5671//?heartbeat=5",
                                  Tls(ca_file="/a b.pem", certificate_file="c", key_file="k"))


@pytest.mark.parametrize("address", ["redis://host/0", "amqp://a//;amqp://b//", "unix:///run/redis.sock?db=1",
                                     "sentinel://a:1;sentinel://b:1", "memory://"])
def test_a_plain_address_is_left_alone(address: str) -> None:
    assert split_tls(address) == (address, None)


def test_what_is_not_said_is_verified() -> None:
    tls = split_tls("rediss://host")[1]
    assert tls is not None and tls.is_verified and tls.demands is ssl.CERT_REQUIRED


def test_several_nodes_have_one_way_to_be_spoken_to() -> None:
    assert split_tls("amqps://a//?ssl_ca_certs=c;amqps://b//?ssl_ca_certs=c") == (
        "amqps://a//;amqps://b//", Tls(ca_file="c"))
    with pytest.raises(UnusableTls, match="different"):
        split_tls("amqps://a//?ssl_ca_certs=c;amqps://b//")


@pytest.mark.parametrize(("address", "expected"), [
    ("rediss://h", False), ("rediss://h?ssl_cert_reqs=none", True), ("rediss://h?ssl_cert_reqs=optional", True),
    ("amqps://h?ssl_check_hostname=false", True), ("redis://h", False),
    ("mongodb://h/db?tls=true", False), ("mongodb://h/db?tls=true&tlsAllowInvalidCertificates=true", True),
    ("mongodb://h/db?tls=true&tlsinsecure=True", True), ("mongodb://h/db?tls=true&tlsInsecure=false", False)])
def test_who_is_not_verified(address: str, expected: bool) -> None:
    assert is_unverified(address) is expected


@pytest.mark.parametrize(("name", "address"), [
    ("REDIS_URL", "redis://h?ssl_ca_certs=/ca.pem"), ("REDIS_URL", "rediss://h?ssl_ca_certs=/not/there.pem"),
    ("REDIS_URL", "rediss://h?ssl_ca_cert=/ca.pem"), ("REDIS_URL", "rediss://h?ssl_cert_reqs=maybe"),
    ("REDIS_URL", "rediss://h?ssl_keyfile=/k.pem"), ("CELERY_BROKER_URL", "amqps://h//?ssl_certfile=/not/there.pem"),
    ("CELERY_BROKER_URL", "amqps://h//?ssl_check_hostname=no"),
    ("CELERY_RESULT_BACKEND", "rediss://h?ssl_ca_certs=/not/there.pem"),
    ("MONGODB_URL", "mongodb://h/db?tls=true&tlsCAFile=/not/there.pem"),
    ("MONGODB_URL", "mongodb://h/db?tls=true&tlsCertificateKeyFile=/not/there.pem")])
def test_what_can_not_be_used_is_named(name: str, address: str) -> None:
    found = faults({**REQUIRED, name: address})
    assert set(found) == {name}
    assert "allowed: " in found[name]


def test_files_that_can_be_read_are_taken(certificates: Certificates) -> None:
    given = {"REDIS_URL": f"rediss://h?{certificates.query}", "CELERY_BROKER_URL": f"amqps://h//?{certificates.query}",
             "MONGODB_URL": f"mongodb://h/db?{certificates.mongodb_query}"}
    assert faults({**PRODUCTION, **given}) == {}


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing\n", encoding="utf-8")
    assert set(faults({**REQUIRED, "REDIS_URL": f"rediss://h?ssl_ca_certs={empty}"})) == {"REDIS_URL"}


@pytest.mark.parametrize(("name", "address"), [
    ("REDIS_URL", "rediss://h?ssl_cert_reqs=none"), ("CELERY_BROKER_URL", "amqps://h//?ssl_check_hostname=false"),
    ("CELERY_BROKER_URL", "memory://"), ("CELERY_RESULT_BACKEND", "cache+memory://"),
    ("MONGODB_URL", "mongodb://h/db?tls=true&tlsAllowInvalidHostnames=true")])
def test_production_refuses_what_development_takes(name: str, address: str) -> None:
    assert faults({**REQUIRED, name: address}) == {}
    assert set(faults({**PRODUCTION, name: address})) == {name}
