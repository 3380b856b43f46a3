"""The echo agent: gives its input back, late, wrongly or not at all if the input says so."""

from __future__ import annotations

from sandbox.agent_service.errors import WorkFailed
from sandbox.agent_service.tools.base import ToolCall, ToolResult


class EchoTool:
    """Returns the input, or ``output`` of it, after ``delayMs``, having failed ``failTimes`` times ``failWith``."""

    def run(self, call: ToolCall) -> ToolResult:
        """Wait, fail or answer as the input says."""
        wanted = call.request.input
        _delay(call, wanted.get("delayMs", 0) / 1000)
        if wanted.get("failTimes", 0) and call.earlier_failures() < wanted["failTimes"]:
            failure = wanted.get("failWith", {})
            raise WorkFailed(failure.get("code", "echo_failed"), failure.get("class", "transient"),
                             failure.get("message", "The echo agent was asked to fail."),
                             status=failure.get("status"), retry_after_ms=failure.get("retryAfterMs"))
        return ToolResult(output=wanted.get("output", wanted))


def _delay(call: ToolCall, seconds: float) -> None:
    if seconds <= 0:
        return
    left = call.seconds_left()
    call.cancellation.sleep(min(seconds, left))
    if seconds > left:
        raise call.timed_out()
