"""The REST API as the command line uses it: every request bounded in time, every error one of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from types import MappingProxyType, TracebackType
from typing import Any, Self, cast
from urllib.parse import quote, urlsplit

import requests

from cli.connection import Connection
from cli.errors import NotTheService, Refused, Unreachable
from cli.event_stream import StreamEvent, read_events

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

    def import_template_file(self, text: bytes, media_type: str) -> Document:
        """Store a new template, given as the text of its file, and return it."""
        return self._ask("POST", "templates", text=text, headers={"Content-Type": media_type})

    def templates(self, limit: int, **wanted: str | None) -> Document:
        """Return a page of templates."""
        return self._ask("GET", "templates", query={"limit": limit, **wanted})

    def template(self, template_id: str, version: str | None = None) -> Document:
        """Return a template; the latest version if none is named."""
        return self._ask("GET", "templates", template_id, query={"version": version})

    def update_template(self, template_id: str, text: bytes, media_type: str, if_match: str | None = None) -> Document:
        """Store a new version of a template and return it; refused unless ``if_match``, if given, is the latest."""
        return self._ask("PUT", "templates", template_id, text=text, headers={
            "Content-Type": media_type, "If-Match": None if if_match is None else f'"{if_match}"'})

    def template_file(self, template_id: str, format: str, version: str | None = None) -> bytes:
        """Return a template as the text of a file, just as the service wrote it."""
        answer = self._send("GET", "templates", template_id, "export", query={"format": format, "version": version})
        if not answer.ok or "Content-Disposition" not in answer.headers:
            self._read(answer)
            raise NotTheService(self._url)
        return answer.content

    def template_diff(self, template_id: str, old: str, new: str | None) -> Document:
        """Return what differs between two versions of a template."""
        return self._ask("GET", "templates", template_id, "diff", query={"from": old, "to": new})

    def template_validation(self, template_id: str, version: str | None) -> Document:
        """Return what a template would fail with now."""
        return self._ask("POST", "templates", template_id, "validate", query={"version": version})

    def template_plan(self, template_id: str, version: str | None) -> Document:
        """Return in what order a template would run."""
        return self._ask("POST", "templates", template_id, "plan", query={"version": version})

    def publish_template(self, template_id: str) -> Document:
        """Let the latest version of a template be started, and return it."""
        return self._ask("POST", "templates", template_id, "publish")

    def archive_template(self, template_id: str) -> Document:
        """Put a template away, and return it."""
        return self._ask("POST", "templates", template_id, "archive")

    def delete_template(self, template_id: str) -> Document:
        """Delete a template."""
        return self._ask("DELETE", "templates", template_id)

    def template_versions(self, template_id: str) -> Document:
        """Return the versions of a template."""
        return self._ask("GET", "templates", template_id, "versions")

    def start(self, template_id: str, given: Mapping[str, Any], version: str | None = None,
              attributes: Mapping[str, Any] | None = None, key: str | None = None) -> Document:
        """Start an execution and return its id and status; the same key starts it once."""
        body = {"templateId": template_id, "input": given} | ({"templateVersion": version} if version else {})
        return self._ask("POST", "executions", body=body | ({"attributes": attributes} if attributes else {}),
                         headers={"Idempotency-Key": key})

    def executions(self, limit: int, **wanted: str | Sequence[str] | None) -> Document:
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

    def followed_logs(self, execution_id: str, after: str | None, **wanted: str | None) -> Iterator[StreamEvent]:
        """Yield entries of the log as they come, from the one after an id, until the service ends the connection."""
        address, query = self._address("executions", execution_id, "logs"), {"follow": "true", **wanted}
        with self._errors():
            answer = self._session.get(address, params=query, headers={"Last-Event-ID": after}, timeout=_TIMEOUT_S,
                                       allow_redirects=False, stream=True)
            with answer:
                if not answer.ok or not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
                    self._read(answer)
                    raise NotTheService(self._url)
                answer.encoding = "utf-8"
                yield from read_events(answer.iter_lines(chunk_size=1, decode_unicode=True))

    def verification(self, execution_id: str) -> Document:
        """Return what is wrong with an execution."""
        return self._ask("GET", "executions", execution_id, "verify")

    def signal(self, execution_id: str, name: str, payload: Mapping[str, Any], key: str | None = None) -> Document:
        """Send a signal to an execution and return it; the same key sends it once."""
        return self._ask("POST", "executions", execution_id, "signals", name, body={"payload": payload},
                         headers={"Idempotency-Key": key})

    def signals(self, execution_id: str, limit: int) -> Document:
        """Return the signals that were sent to an execution, the oldest first."""
        return self._ask("GET", "executions", execution_id, "signals", query={"limit": limit})

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

    def cancel_block(self, execution_id: str, block_id: str, **said: Any) -> Document:
        """Go on without a block."""
        return self._control(execution_id, "blocks", block_id, "cancel", said=said)

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
             text: bytes | None = None, headers: Mapping[str, str | None] | None = None) -> Document:
        return self._read(self._send(method, *path, query=query, body=body, text=text, headers=headers))

    def _send(self, method: str, *path: str, query: Mapping[str, Any] | None = None, body: Any = None,
              text: bytes | None = None, headers: Mapping[str, str | None] | None = None) -> requests.Response:
        with self._errors():
            return self._session.request(method, self._address(*path), params=query, json=body, data=text,
                                         headers=headers, timeout=_TIMEOUT_S, allow_redirects=False)

    def _address(self, *path: str) -> str:
        return "/".join([self._url, "api/v1", *(quote(part, safe="") for part in path)])

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Translate what goes wrong on the way."""
        try:
            yield
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise Unreachable(self._url, "does not answer") from error
        except requests.Timeout as error:
            raise Unreachable(self._url, "did not answer in time") from error
        except (requests.RequestException, ValueError) as error:
            raise Unreachable(self._url, "can't be asked: it is not an address") from error

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
