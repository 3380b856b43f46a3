"""``workflow-service token``."""

from __future__ import annotations

import jwt
import pytest

from tests.unit.cli.conftest import Shell

SECRET = "a secret of at least thirty-two bytes"


@pytest.fixture(autouse=True)
def _secret(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", SECRET)


def test_prints_the_token_alone(shell: Shell) -> None:
    answer = shell("token", "--user", "ada", "--role", "approver", "--workspace", "w1")
    assert answer.exit_code == 0
    assert answer.stdout.count("\n") == 1 and not answer.stderr
    claims = jwt.decode(answer.stdout.strip(), SECRET, ["HS256"])
    assert (claims["sub"], claims["role"], claims["workspace"]) == ("ada", "approver", "w1")


@pytest.mark.parametrize(("given", "seconds"), [("45s", 45), ("30m", 1800), ("8h", 28_800), ("7d", 604_800)])
def test_lifetime(shell: Shell, given: str, seconds: int) -> None:
    answer = shell("token", "--user", "ada", "--role", "viewer", "--lifetime", given)
    claims = jwt.decode(answer.stdout.strip(), SECRET, ["HS256"])
    assert claims["exp"] - claims["iat"] == seconds


@pytest.mark.parametrize("given", ["", "0s", "8", "h", "-1h", "1.5h", "1w", "99999999d"])
def test_a_lifetime_that_is_none_is_wrong_usage(shell: Shell, given: str) -> None:
    answer = shell("token", "--user", "ada", "--role", "viewer", "--lifetime", given)
    assert answer.exit_code == 2 and "--lifetime" in answer.stderr and not answer.stdout


@pytest.mark.parametrize(("option", "value"), [("--role", "king"), ("--workspace", "a b"), ("--user", "")])
def test_a_claim_that_the_api_would_refuse_is_wrong_usage(shell: Shell, option: str, value: str) -> None:
    given = {"--user": "ada", "--role": "viewer", "--workspace": "w1"} | {option: value}
    answer = shell("token", *(word for pair in given.items() for word in pair))
    assert answer.exit_code == 2 and not answer.stdout


def test_no_secret_fails(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JWT_SECRET")
    answer = shell("token", "--user", "ada", "--role", "viewer")
    assert answer.exit_code == 1 and answer.stderr.startswith("Error: ")


def test_a_public_key_alone_can_sign_nothing_and_that_is_said(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JWT_SECRET")
    monkeypatch.setenv("JWT_PUBLIC_KEY", "/etc/keys/public.pem")
    answer = shell("token", "--user", "ada", "--role", "viewer")
    assert answer.exit_code == 1 and not answer.stdout
    assert "JWT_PUBLIC_KEY" in answer.stderr and "private key" in answer.stderr
