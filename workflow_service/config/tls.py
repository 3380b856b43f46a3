"""TLS as part of an address: which files it names, whether they can be used, and how much is verified.

Addresses of Redis and RabbitMQ (``rediss://``, ``amqps://``) take the same five parameters, whose names are those of
redis-py; addresses of MongoDB take those of its driver. Whatever is not said is verified: the certificate of the server
against the authorities of the system, and its name.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

TLS_SCHEMES = frozenset({"rediss", "amqps"})
"""The schemes of addresses that may have our parameters."""
_PREFIX = "ssl_"
_CA, _CERTIFICATE, _KEY = "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"
_DEMANDS, _CHECKS_HOST = "ssl_cert_reqs", "ssl_check_hostname"
_NAMES = (_CA, _CERTIFICATE, _KEY, _DEMANDS, _CHECKS_HOST)
_ALLOWED = {_DEMANDS: ("required", "optional", "none"), _CHECKS_HOST: ("true", "false")}
_MONGODB_UNSAFE = ("tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames")


class UnusableTls(ValueError):
    """Raised when what an address says about TLS can't be used; the message says why and is fit to be shown."""


@dataclass(frozen=True, kw_only=True)
class Tls:
    """How a connection is encrypted."""

    ca_file: str | None = None
    """The authorities that the server's certificate may come from; None for those of the system."""
    certificate_file: str | None = None
    """What the server knows us by."""
    key_file: str | None = None
    """The key of that certificate; None if it is in the same file."""
    demands: ssl.VerifyMode = ssl.CERT_REQUIRED
    checks_host: bool = True
    """Whether the certificate must be for the host that the address names."""

    @property
    def is_verified(self) -> bool:
        """True if nobody else can answer in the server's place."""
        return self.demands is ssl.CERT_REQUIRED and self.checks_host


def split_tls(address: str) -> tuple[str, Tls | None]:
    """Return an address of Redis or RabbitMQ without its TLS parameters, and what they say; None for a plain one.

    Args:
        address: one, or several that are separated by ``;`` and must then say the same about TLS.

    Raises:
        UnusableTls: a parameter is unknown, or the addresses differ.
    """
    parts = [_split(one) for one in address.split(";")]
    if len({tls for _, tls in parts}) > 1:
        raise UnusableTls("the addresses say different things about TLS")
    return ";".join(rest for rest, _ in parts), parts[0][1]


def tls_fault(address: str) -> str | None:
    """Say what is wrong with the TLS parameters of an address, reading the files that they name; None if nothing is."""
    try:
        if address.startswith("mongodb"):
            _check_mongodb(address)
        else:
            tls = split_tls(address)[1]
            _check_files(tls or Tls(), None)
    except UnusableTls as fault:
        return str(fault)
    return None


def is_unverified(address: str) -> bool:
    """Say whether an address, one without a fault, tells not to verify who answers."""
    if address.startswith("mongodb"):
        return any(name in _MONGODB_UNSAFE and value.lower() != "false"
                   for name, value in _mongodb_parameters(address))
    tls = split_tls(address)[1]
    return tls is not None and not tls.is_verified


def _split(address: str) -> tuple[str, Tls | None]:
    parts = urlsplit(address)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    ours = {name: value for name, value in pairs if name.startswith(_PREFIX)}
    if parts.scheme not in TLS_SCHEMES:
        if ours:
            raise UnusableTls(f"{next(iter(ours))} needs an address that starts with rediss:// or amqps://")
        return address, None
    rest = [(name, value) for name, value in pairs if name not in ours]
    return (parts._replace(query=urlencode(rest)).geturl() if ours else address), _tls(ours)


def _tls(given: dict[str, str]) -> Tls:
    for name, value in given.items():
        if name not in _NAMES:
            raise UnusableTls(f"{name} is not known; known are {', '.join(_NAMES)}")
        if not value or value not in _ALLOWED.get(name, (value,)):
            raise UnusableTls(f"{name} must be {' or '.join(_ALLOWED.get(name, ('a path',)))}")
    demands = {"required": ssl.CERT_REQUIRED, "optional": ssl.CERT_OPTIONAL,
               "none": ssl.CERT_NONE}[given.get(_DEMANDS, "required")]
    return Tls(ca_file=given.get(_CA), certificate_file=given.get(_CERTIFICATE), key_file=given.get(_KEY),
               demands=demands, checks_host=given.get(_CHECKS_HOST, "true") == "true" and demands is not ssl.CERT_NONE)


def _check_mongodb(address: str) -> None:
    given = dict(_mongodb_parameters(address))
    _check_files(Tls(ca_file=given.get("tlscafile"), certificate_file=given.get("tlscertificatekeyfile")),
                 given.get("tlscertificatekeyfilepassword"))


def _mongodb_parameters(address: str) -> Iterator[tuple[str, str]]:
    """Yield what stands after the question mark; the names are not sensitive to case."""
    for name, value in parse_qsl(address.partition("?")[2]):
        yield name.lower(), value


def _check_files(tls: Tls, password: str | None) -> None:
    if tls.key_file and not tls.certificate_file:
        raise UnusableTls(f"{_KEY} needs {_CERTIFICATE}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if tls.ca_file:
        try:
            context.load_verify_locations(tls.ca_file)
        except (OSError, ValueError) as error:
            raise UnusableTls(f"the file '{tls.ca_file}' holds no certificates that can be read") from error
    if tls.certificate_file:
        try:
            # with a password of its own, however empty, nobody is asked for one on the terminal
            context.load_cert_chain(tls.certificate_file, tls.key_file, password or "")
        except (OSError, ValueError) as error:
            raise UnusableTls(f"the file '{tls.certificate_file}' holds no certificate with its key") from error
