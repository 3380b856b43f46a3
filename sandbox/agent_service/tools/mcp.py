"""The tool type ``mcp``: one tool call to any Model Context Protocol server, by the official SDK.

The server is a command that speaks over its standard input and output, started for this one call, or a URL (streamable
HTTP). The SDK is asynchronous, so each call has an event loop of its own in the thread that does the work; cancelling
ends the session, and with it a started server.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import anyio
from mcp import Client, MCPError, StdioServerParameters
from mcp.types import INVALID_PARAMS, METHOD_NOT_FOUND, CallToolResult, TextContent

from sandbox.agent_service.errors import AgentServiceError, WorkFailed
from sandbox.agent_service.tools.base import ToolCall, ToolResult
from sandbox.agent_service.tools.placeholders import fill

_LOG = logging.getLogger(__name__)
_CALLER_MISTAKES = frozenset({INVALID_PARAMS, METHOD_NOT_FOUND})


class McpTool:
    """Calls the agent's MCP tool once."""

    def run(self, call: ToolCall) -> ToolResult:
        """Open a session, call the tool, close the session."""
        arguments = fill(call.settings.get("arguments"), call.values())
        try:
            result = asyncio.run(_session(call, dict(call.request.input) if arguments is None else arguments))
        except AgentServiceError:
            raise
        except Exception as error:
            raise _failure(call, error) from error
        if result is None:
            raise call.timed_out()
        return ToolResult(output=_output(call, result))


async def _session(call: ToolCall, arguments: dict[str, Any]) -> CallToolResult | None:
    """Return the tool's result, or None if the time ran out or the call was cancelled."""
    loop = asyncio.get_running_loop()
    with anyio.move_on_after(call.seconds_left()) as scope:
        with call.cancellation.stopping_by(lambda: _stop(loop, scope)):
            async with Client(_server(call.settings), read_timeout_seconds=call.seconds_left()) as client:
                return await client.call_tool(call.settings["tool"], arguments)
    return None


def _stop(loop: asyncio.AbstractEventLoop, scope: anyio.CancelScope) -> None:
    loop.call_soon_threadsafe(scope.cancel)


def _server(settings: Mapping[str, Any]) -> StdioServerParameters | str:
    if "url" in settings:
        return str(settings["url"])
    command, *arguments = fill(settings["command"], {"python": sys.executable})
    return StdioServerParameters(command=command, args=arguments, env=settings.get("environment"))


def _output(call: ToolCall, result: CallToolResult) -> Mapping[str, Any]:
    text = "\n".join(part.text for part in result.content if isinstance(part, TextContent))
    if result.is_error:
        return _accepted(call.settings, text)
    structured = result.structured_content
    return {"text": text} if structured is None else {"text": text, "structured": structured}


def _accepted(settings: Mapping[str, Any], text: str) -> Mapping[str, Any]:
    """Return the output that the registry gives to an error that is a good answer here, such as "no history yet"."""
    for accepted in settings.get("acceptedErrors", []):
        if accepted["contains"] in text:
            output: Mapping[str, Any] = accepted["output"]
            return output
    raise WorkFailed("mcp_tool_failed", "agent", text[:500] or "The MCP tool reported an error.")


def _failure(call: ToolCall, error: Exception) -> AgentServiceError:
    """Name the cause of a broken session, which the SDK wraps in groups."""
    causes = list(_leaves(error))
    _LOG.warning("MCP session of agent %s failed: %s", call.agent.agent_id, "; ".join(map(repr, causes))[:1000])
    for cause in causes:
        if isinstance(cause, AgentServiceError):
            return cause
        if isinstance(cause, TimeoutError):
            return call.timed_out()
        if isinstance(cause, MCPError) and cause.code in _CALLER_MISTAKES:
            return WorkFailed("mcp_call_refused", "configuration", cause.message[:500])
    if isinstance(error, OSError):
        return WorkFailed("mcp_server_not_started", "configuration", "The MCP server cannot be started.")
    return WorkFailed("mcp_session_failed", "transient", "The session with the MCP server broke off.")


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
