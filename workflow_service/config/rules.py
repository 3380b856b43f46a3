"""The rules that settings must keep among each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from workflow_service.config.catalogue import Entry, entries
from workflow_service.config.settings import DEVELOPMENT_JWT_SECRET, Values
from workflow_service.config.tls import is_unverified, tls_fault
from workflow_service.domain.errors import Issue

SHORTEST_SECRET = 32
"""In bytes: a key of HMAC-SHA256 that is shorter than its hash is weaker than it (RFC 7518, section 3.2)."""
_SHORTER = (
    ("workflow.sweep_interval_ms", "workflow.lease_ms"),
    ("workflow.batch_interval_ms", "workflow.lease_ms"),
    ("workflow.lease_ms", "celery.visibility_timeout_ms"),
    ("integrations.agent_service.timeout", "celery.visibility_timeout_ms"),
    ("integrations.agent_service.timeout", "celery.consumer_timeout_ms"),
)
"""The first one must be shorter than the second one."""
_ASKED_OF_SENTINELS = ("celery.broker_url", "celery.result_backend")
_SERVERS = ("database.mongodb.url", "cache.redis.url", "celery.broker_url", "celery.result_backend")


def broken_rules(values: Values) -> Iterator[Issue]:
    """Yield an issue for each rule that is broken; a rule about a setting that has no value is left out."""
    for shorter, longer in _SHORTER:
        if shorter in values and longer in values and values[shorter] >= values[longer]:
            yield _not_shorter(_entry(shorter), _entry(longer), values)
    yield from _addresses(values)
    if values.get("celery.sentinel_master", "wrong") is None:
        yield from _nameless_master(values)
    if values.get("security.jwt_public_key") is not None:
        yield from _second_key(values.get("security.jwt_secret"))
    if values.get("security.environment") == "production":
        if "security.jwt_secret" in values and values.get("security.jwt_public_key", "wrong") is None:
            yield from _weak_secret(values["security.jwt_secret"])
        if values.get("workflow.failpoint") is not None:
            yield _armed_in_production(_entry("workflow.failpoint"))


def _not_shorter(shorter: Entry, longer: Entry, values: Values) -> Issue:
    limit = f"less than the {_milliseconds(values[longer.path])} of {longer.variable}"
    return Issue(path=f"{shorter.variable} ({shorter.path})", code="not_shorter", allowed=(limit,),
                 message=f"was given {_milliseconds(values[shorter.path])}; allowed: {limit}.")


def _second_key(secret: str | None) -> Iterator[Issue]:
    """Refuse two keys: which of them a token was checked with would depend on the token."""
    if secret not in (None, DEVELOPMENT_JWT_SECRET):
        entry, other = _entry("security.jwt_secret"), _entry("security.jwt_public_key")
        allowed = f"one of {entry.variable} and {other.variable}"
        yield Issue(path=f"{entry.variable} ({entry.path})", code="two_keys", allowed=(allowed,),
                    message=f"was given beside {other.variable}; allowed: {allowed}.")


def _addresses(values: Values) -> Iterator[Issue]:
    """Refuse addresses whose TLS can't be used, and in production those that verify nothing or are only for tests."""
    is_production = values.get("security.environment") == "production"
    for entry in map(_entry, _SERVERS):
        address = values.get(entry.path)
        # what falls back on another address is named there
        if address is None or (entry.fallback and address == values.get(entry.fallback)):
            continue
        fault = tls_fault(address)
        if fault is not None:
            yield _refused(entry, "unusable_tls", fault, "files that can be read, and parameters that are known")
        elif is_production and is_unverified(address):
            yield _refused(entry, "unverified", "accepts whoever answers", "in production a server that is verified")
        elif is_production and "memory:" in address.partition("//")[0]:
            yield _refused(entry, "only_for_tests", "is one process's own memory", "in production a server")


def _nameless_master(values: Values) -> Iterator[Issue]:
    """Refuse to ask sentinels for a master that has no name: they would be asked at the first message."""
    for asking in map(_entry, _ASKED_OF_SENTINELS):
        if str(values.get(asking.path)).startswith("sentinel:"):
            entry = _entry("celery.sentinel_master")
            allowed = "the name of the master in the configuration of the sentinels"
            yield Issue(path=f"{entry.variable} ({entry.path})", code="missing", allowed=(allowed,),
                        message=f"is missing, and {asking.variable} names sentinels; allowed: {allowed}.")


def _refused(entry: Entry, code: str, fault: str, allowed: str) -> Issue:
    return Issue(path=f"{entry.variable} ({entry.path})", code=code, allowed=(allowed,),
                 message=f"{fault}; allowed: {allowed}.")


def _weak_secret(secret: str) -> Iterator[Issue]:
    entry = _entry("security.jwt_secret")
    allowed = f"in production a secret of your own of at least {SHORTEST_SECRET} bytes"
    fault = None
    if secret == DEVELOPMENT_JWT_SECRET:
        fault = "is the public one of the defaults"
    elif len(secret.encode()) < SHORTEST_SECRET:
        fault = f"has {len(secret.encode())} bytes"
    if fault:
        yield Issue(path=f"{entry.variable} ({entry.path})", code="weak_secret", allowed=(allowed,),
                    message=f"{fault}; allowed: {allowed}.")


def _armed_in_production(failpoint: Entry) -> Issue:
    return Issue(path=f"{failpoint.variable} ({failpoint.path})", code="only_for_tests", allowed=("nothing",),
                 message="ends processes on purpose; allowed in production: nothing.")


def _entry(path: str) -> Entry:
    return next(entry for entry in entries() if entry.path == path)


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
