"""Certificates of an authority of our own, for servers and clients that speak TLS with each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_HOST = "127.0.0.1"
_VALID = timedelta(days=1)
Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """Files, each with a certificate and, but for the authority, its key."""

    authority: Path
    server: Path
    client: Path
    stranger: Path
    """For the same host, by another authority."""

    @property
    def query(self) -> str:
        """The parameters of an address of Redis or RabbitMQ."""
        return urlencode({"ssl_ca_certs": self.authority, "ssl_certfile": self.client, "ssl_keyfile": self.client})

    @property
    def mongodb_query(self) -> str:
        """The parameters of an address of MongoDB."""
        return urlencode({"tls": "true", "tlsCAFile": self.authority, "tlsCertificateKeyFile": self.client})


def make_certificates(directory: Path) -> Certificates:
    """Write an authority and what it has signed into a directory."""
    key, authority = _authority("Authority")
    made = Certificates(authority=directory / "authority.pem", server=directory / "server.pem",
                        client=directory / "client.pem", stranger=directory / "stranger.pem")
    made.authority.write_bytes(authority.public_bytes(Encoding.PEM))
    for path in (made.server, made.client):
        path.write_bytes(_signed(path.stem, key, authority))
    made.stranger.write_bytes(_signed("stranger", *_authority("Somebody else")))
    return made


def _authority(name: str) -> tuple[Key, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    unsigned = _certificate(name, name, key).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return key, unsigned.sign(key, hashes.SHA256())


def _signed(name: str, key: Key, authority: x509.Certificate) -> bytes:
    own = ec.generate_private_key(ec.SECP256R1())
    unsigned = _certificate(name, authority.subject.rfc4514_string().removeprefix("CN="), own).add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(ip_address(_HOST))]), critical=False)
    return (unsigned.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
            + own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _certificate(subject: str, issuer: str, key: Key) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name(issuer))
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - _VALID).not_valid_after(now + _VALID))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
