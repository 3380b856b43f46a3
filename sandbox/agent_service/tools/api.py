"""The tool type ``api``: one HTTP call made of the registry's template and the input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from sandbox.agent_service.errors import WorkFailed
from sandbox.agent_service.strict_json import parse_json
from sandbox.agent_service.tools.base import ToolCall, ToolResult
from sandbox.agent_service.tools.http_call import HttpQuestion, place_of, send
from sandbox.agent_service.tools.placeholders import fill, fill_text, only_placeholder


class ApiTool:
    """Calls the agent's URL; a JSON object in the answer is the output."""

    def run(self, call: ToolCall) -> ToolResult:
        """Fill the template, make the call, read the answer."""
        settings, values = call.settings, call.values()
        url = _url(settings["url"], values)
        body = send(call, HttpQuestion(
            method=settings["method"], url=url,
            headers={name: fill_text(text, values) for name, text in settings.get("headers", {}).items()},
            query=fill(settings.get("query", {}), values), body=fill(settings.get("body"), values),
            follow_redirects=settings.get("followRedirects", False)))
        return ToolResult(output=_output(body, url, settings.get("outputField")))


def _url(template: str, values: Mapping[str, Any]) -> str:
    """Fill a URL; a value can be the whole URL, or a part that cannot leave its place in it."""
    url = fill_text(template, values, encode=str if only_placeholder(template) else _url_part)
    if not _is_web_address(url):
        raise WorkFailed("invalid_call", "configuration", "The URL must begin with http:// or https:// and a host.")
    return url


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _url_part(value: str) -> str:
    if value in (".", ".."):
        raise WorkFailed("invalid_call", "configuration", "A part of the URL may not be '.' or '..'.")
    return quote(value, safe="")


def _output(body: bytes, url: str, field: str | None) -> Mapping[str, Any]:
    try:
        value = parse_json(body) if body else {}
    except ValueError as error:
        raise WorkFailed("invalid_answer", "agent", f"{place_of(url)} did not answer JSON.") from error
    if field is not None:
        return {field: value}
    return value if isinstance(value, dict) else {"body": value}
