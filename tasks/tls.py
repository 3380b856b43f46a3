"""TLS in the words of each client library. None of them may fall back on what verifies nothing."""

from __future__ import annotations

from typing import Any

from workflow_service.config.tls import Tls


def for_amqp(tls: Tls) -> dict[str, Any]:
    """Return the options of py-amqp; a name of the host that is still open is filled in by the transport."""
    options: dict[str, Any] = {"ca_certs": tls.ca_file, "certfile": tls.certificate_file, "keyfile": tls.key_file,
                               "cert_reqs": tls.demands}
    return {**options, "server_hostname": None} if tls.checks_host else options


def for_redis(tls: Tls) -> dict[str, Any]:
    """Return the options of redis-py."""
    return {"ssl_ca_certs": tls.ca_file, "ssl_certfile": tls.certificate_file, "ssl_keyfile": tls.key_file,
            "ssl_cert_reqs": tls.demands, "ssl_check_hostname": tls.checks_host}
