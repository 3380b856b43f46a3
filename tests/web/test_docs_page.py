"""The page of the API works offline and lets nothing else in."""

from __future__ import annotations

import re

import pytest

from tests.web.checked_client import CheckedClient

ASSETS = ["docs.js", "swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"]


def test_home_leads_to_the_page(client: CheckedClient) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/api/docs")


def test_page_names_no_other_host_and_holds_no_script(client: CheckedClient) -> None:
    answer = client.get("/api/docs")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert not re.findall(r"(?:https?:)?//[\w.-]+", answer.text)
    assert re.findall(r"<script(?![^>]*\bsrc=)", answer.text) == []
    assert "style=" not in answer.text and "onload=" not in answer.text


def test_all_that_the_page_names_is_there(client: CheckedClient) -> None:
    page = client.get("/api/docs").text
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert sorted(named) == sorted(f"/api/docs/{name}" for name in ASSETS)
    for address in named:
        assert client.get(address).status_code == 200


def test_our_script_asks_only_this_host(client: CheckedClient) -> None:
    script = client.get("/api/docs/docs.js").text
    assert "//" not in re.sub(r"^//.*$", "", script, flags=re.MULTILINE)
    assert 'url: "/api/openapi.json"' in script and "validatorUrl: null" in script


@pytest.mark.parametrize("name", ["swagger-ui.js", "docs.html", "VERSION", "oauth2-redirect.html", "%2e%2e%2fapp.py"])
def test_no_other_file_is_served(client: CheckedClient, name: str) -> None:
    assert client.get(f"/api/docs/{name}").status_code == 404


@pytest.mark.parametrize("url", ["/", "/health", "/api/docs", "/api/docs/docs.js", "/api/v1/templates", "/nowhere"])
def test_every_answer_has_the_security_headers(client: CheckedClient, url: str) -> None:
    headers = client.get(url).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert not re.search(r"https?:|\*|unsafe-eval|script-src[^;]*unsafe-inline", policy)


def test_answers_are_not_kept_by_anybody(client: CheckedClient) -> None:
    assert client.get("/api/v1/templates").headers["Cache-Control"] == "no-store"


def test_transport_security_only_where_there_is_any(client: CheckedClient) -> None:
    assert "Strict-Transport-Security" not in client.get("/health").headers
    assert "Strict-Transport-Security" in client.get("/health", base_url="https://localhost").headers
