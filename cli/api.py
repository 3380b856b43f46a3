"""The REST API as the command line uses it: every request bounded in time, every error one of ours."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from types import MappingProxyType, TracebackType
from typing import Any, Self, cast
from urllib.parse import quote, urlsplit

import requests

from cli.connection import Connection
from cli.errors import NotTheService, Refused, Unreachable

Document = dict[str, Any]
_TIMEOUT_S = (3.0, 20.0)
"""To connect, and between two bytes of the answer."""


class Api:
    """A session with the service; as a context manager it closes its connections."""

    def __init__(self, connection: Connection) -> None:
        """Nothing is sent yet."""
        self._url = connection.url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {connection.token}"
        # a proxy of the environment can't reach this machine's own addresses
        self._session.trust_env = not _is_loopback(connection.url)

    def import_template(self, document: Any) -> Document:
        """Store a new template and return it."""
        return self._ask("POST", "templates", body=document)

    def templates(self, limit: int, **wanted: str | None) -> Document:
        """Return a page of templates."""
        return self._ask("GET", "templates", query={"limit": limit, **wanted})

    def template(self, template_id: str, version: str | None = None) -> Document:
        """Return a template; the latest version if none is named."""
        return self._ask("GET", "templates", template_id, query={"version": version})

    def update_template(self, template_id: str, document: Any, if_match: str | None = None) -> Document:
        """Store a new version of a template and return it; refused unless ``if_match``, if given, is the latest."""
        return self._ask("PUT", "templates", template_id, body=document,
                         headers={"If-Match": None if if_match is None else f'"{if_match}"'})

    def template_versions(self, template_id: str) -> Document:
        """Return the versions of a template."""
        return self._ask("GET", "templates", template_id, "versions")

    def start(self, template_id: str, given: Mapping[str, Any], version: str | None = None) -> Document:
        """Start an execution and return its id and status."""
        body = {"templateId": template_id, "input": given} | ({"templateVersion": version} if version else {})
        return self._ask("POST", "executions", body=body)

    def executions(self, limit: int, **wanted: str | None) -> Document:
        """Return a page of executions."""
        return self._ask("GET", "executions", query={"limit": limit, **wanted})

    def execution(self, execution_id: str) -> Document:
        """Return an execution with its blocks."""
        return self._ask("GET", "executions", execution_id)

    def events(self, execution_id: str, after: int, limit: int) -> Document:
        """Return events of an execution from the one after a sequence number."""
        return self._ask("GET", "executions", execution_id, "events", query={"after": after, "limit": limit})

    def logs(self, execution_id: str, offset: int, limit: int, **wanted: str | None) -> Document:
        """Return a page of the log of an execution."""
        return self._ask("GET", "executions", execution_id, "logs",
                         query={"offset": offset, "limit": limit, **wanted})

    def verification(self, execution_id: str) -> Document:
        """Return what is wrong with an execution."""
        return self._ask("GET", "executions", execution_id, "verify")

    def pause(self, execution_id: str, **said: str | None) -> Document:
        """Let nothing of an execution start, and return what is still at work."""
        return self._control(execution_id, "pause", said=said)

    def resume(self, execution_id: str) -> Document:
        """Lift the pause of an execution."""
        return self._control(execution_id, "resume")

    def cancel(self, execution_id: str, **said: str | None) -> Document:
        """End an execution, and return what is still at work."""
        return self._control(execution_id, "cancel", said=said)

    def restart(self, execution_id: str, **said: Any) -> Document:
        """Run a part of an execution again, and return which."""
        return self._control(execution_id, "restart", said=said)

    def skip(self, execution_id: str, block_id: str, **said: Any) -> Document:
        """Go on after a block with an output that is given here."""
        return self._control(execution_id, "blocks", block_id, "skip", said=said)

    def retry(self, execution_id: str, block_id: str) -> Document:
        """Make the next attempt of a block now."""
        return self._control(execution_id, "blocks", block_id, "retry")

    def holds(self) -> Document:
        """Return the standing holds."""
        return self._ask("GET", "holds")

    def place_hold(self, **said: str | None) -> Document:
        """Place a standing hold and return it."""
        return self._ask("POST", "holds", body=_without_none(said))

    def lift_hold(self, hold_id: str) -> Document:
        """Lift a standing hold and return it."""
        return self._ask("DELETE", "holds", hold_id)

    def pending_approvals(self, execution_id: str | None = None) -> Document:
        """Return what waits for an answer of this user."""
        return self._ask("GET", "approvals", "pending", query={"executionId": execution_id})

    def approval(self, approval_id: str) -> Document:
        """Return a request to a person."""
        return self._ask("GET", "approvals", approval_id)

    def respond(self, approval_id: str, approved: bool, response: Mapping[str, Any],
                comments: str | None) -> Document:
        """Answer a request to a person."""
        body = {"approved": approved, "response": response, "comments": comments}
        return self._ask("POST", "approvals", approval_id, "respond", body=body)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def __enter__(self) -> Self:
        """Return the session."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        """Close the connections."""
        self.close()

    def _control(self, execution_id: str, *path: str, said: Mapping[str, Any] = MappingProxyType({})) -> Document:
        return self._ask("POST", "executions", execution_id, *path, body=_without_none(said) or None)

    def _ask(self, method: str, *path: str, query: Mapping[str, Any] | None = None, body: Any = None,
             headers: Mapping[str, str | None] | None = None) -> Document:
        address = "/".join([self._url, "api/v1", *(quote(part, safe="") for part in path)])
        try:
            answer = self._session.request(method, address, params=query, json=body, headers=headers,
                                           timeout=_TIMEOUT_S, allow_redirects=False)
        except requests.ConnectionError as error:
            raise Unreachable(self._url, "does not answer") from error
        except requests.Timeout as error:
            raise Unreachable(self._url, "did not answer in time") from error
        except (requests.RequestException, ValueError) as error:
            raise Unreachable(self._url, "can't be asked: it is not an address") from error
        return self._read(answer)

    def _read(self, answer: requests.Response) -> Document:
        try:
            document = answer.json()
        except ValueError as error:
            raise NotTheService(self._url) from error
        if not isinstance(document, dict):
            raise NotTheService(self._url)
        if not answer.ok:
            raise Refused.of(answer.status_code, document)
        return cast(Document, document)


def _without_none(said: Mapping[str, Any]) -> Document:
    return {name: value for name, value in said.items() if value is not None}


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
