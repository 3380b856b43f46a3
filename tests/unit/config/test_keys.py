"""The public key as a setting: what is a key, and that there is one way to sign tokens, not two."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.unit.config.test_load_settings import OWN_SECRET, REQUIRED, faults, load
from workflow_service.config import DEVELOPMENT_JWT_SECRET

PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
PRIVATE_PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
SHORT = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
SHORT_PEM = SHORT.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
EC_PEM = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
    Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_there_is_none_unless_it_is_given() -> None:
    assert load().security.jwt_public_key is None


@pytest.mark.parametrize("given", [PEM, PEM.strip(), f"\n{PEM}", PEM.replace("\n", "\\n"), PEM.replace("\n", "\r\n")],
                         ids=str.split("plain stripped led escaped windows"))
def test_pem_text_is_taken_however_its_lines_end(given: str) -> None:
    assert load(JWT_PUBLIC_KEY=given).security.jwt_public_key == PEM


def test_the_path_of_a_file_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(PEM)
    assert load(JWT_PUBLIC_KEY=str(file)).security.jwt_public_key == PEM


@pytest.mark.parametrize("given", [
    SHORT_PEM, EC_PEM, PRIVATE_PEM, "/does/not/exist.pem", "/", "a\0b", PEM[:100], "-----BEGIN PUBLIC KEY-----",
    "x" * 5000, "/dev/zero"], ids=str.split("short ec private nowhere folder null cut empty long endless"))
def test_what_is_no_such_key_is_refused(given: str) -> None:
    found = faults({**REQUIRED, "JWT_PUBLIC_KEY": given})
    assert set(found) == {"JWT_PUBLIC_KEY"}
    assert "2048 bits" in found["JWT_PUBLIC_KEY"]


def test_a_private_key_given_by_mistake_is_not_shown() -> None:
    found = faults({**REQUIRED, "JWT_PUBLIC_KEY": PRIVATE_PEM})
    assert PRIVATE_PEM.splitlines()[1][:20] not in str(found) and "not shown" in found["JWT_PUBLIC_KEY"]


def test_a_key_and_a_secret_are_one_too_many() -> None:
    assert set(faults({**REQUIRED, "JWT_PUBLIC_KEY": PEM, "JWT_SECRET": OWN_SECRET})) == {"JWT_SECRET"}


def test_production_needs_no_secret_beside_a_key() -> None:
    settings = load(WORKFLOW_ENVIRONMENT="production", JWT_PUBLIC_KEY=PEM).security
    assert settings.is_production and settings.jwt_secret == DEVELOPMENT_JWT_SECRET


def test_production_names_the_wrong_key_alone() -> None:
    found = faults({**REQUIRED, "WORKFLOW_ENVIRONMENT": "production", "JWT_PUBLIC_KEY": SHORT_PEM})
    assert set(found) == {"JWT_PUBLIC_KEY"}
