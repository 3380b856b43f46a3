"""Public keys as settings: PEM text, or the path of a file that holds it; read and checked at the start."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from workflow_service.config.kinds import shortened

SHORTEST_KEY = 2048
"""In bits: what RS256 asks of a key (RFC 7518, section 3.3)."""
_PEM = "-----BEGIN"
_LARGEST_FILE = 64 * 1024


class PublicKey:
    """An RSA public key."""

    @property
    def allowed(self) -> str:
        """What it has to be."""
        return (f"an RSA public key of at least {SHORTEST_KEY} bits (BEGIN PUBLIC KEY) as PEM text, its lines ended as "
                "they are or by \\n, or the path of a file with it")

    def read(self, given: object) -> str:
        """Return the key as PEM text, whichever way it was given."""
        if not isinstance(given, str):
            raise ValueError("not a text")
        key = _loaded(given.replace("\\n", "\n") if _is_pem(given) else _content(Path(given)))
        if key.key_size < SHORTEST_KEY:
            raise ValueError("too short a key")
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def show(self, given: object) -> str:
        """Show a path, but no PEM text: it may be the private key, given by mistake."""
        return "PEM text that is not shown" if _is_pem(str(given)) else shortened(given)


def _is_pem(given: str) -> bool:
    return given.lstrip().startswith(_PEM)


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_FILE).decode()
    except OSError as error:
        raise ValueError("not a file that can be read") from error


def _loaded(pem: str) -> RSAPublicKey:
    try:
        key = load_pem_public_key(pem.encode())
    except UnsupportedAlgorithm as error:
        raise ValueError("not a key of a known kind") from error
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")
    return key
