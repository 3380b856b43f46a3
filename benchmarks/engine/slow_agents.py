"""An Agent Service whose one agent takes a second and no processor: ``python -m benchmarks.engine.slow_agents PORT``.

It keeps any number of calls in flight, and says at ``/in-flight`` how many these were at most.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio import StreamReader, StreamWriter
from typing import Any

from benchmarks.engine.template import AGENT_ID
from benchmarks.engine.workloads import step_result

WORK_S = 1.0
_REGISTRY = {"agents": [{"agentId": AGENT_ID, "name": "Slow", "type": "echo", "toolTypes": ["script"]}]}


class SlowAgents:
    """The service."""

    def __init__(self) -> None:
        """Nothing is in flight."""
        self._now = self._most = 0

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while line := await reader.readline():
                method, path, _ = line.decode().split()
                headers = await _headers(reader)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                answer = json.dumps(await self._answer(method, path, headers, body)).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                             % (len(answer), answer))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        if path == "/in-flight":
            most, self._most = self._most, self._now
            return {"most": most}
        if method == "GET":
            return _REGISTRY if path == "/agents" else {"status": "ok"}
        self._now += 1
        self._most = max(self._most, self._now)
        await asyncio.sleep(WORK_S)
        self._now -= 1
        given = json.loads(body)["input"]
        return {"id": headers["idempotency-key"], "status": "completed", "output": step_result(int(given["step"]))}


async def _headers(reader: StreamReader) -> dict[str, str]:
    found = {}
    while (line := (await reader.readline()).decode().strip()):
        name, _, value = line.partition(":")
        found[name.lower()] = value.strip()
    return found


async def _main(port: int) -> None:
    server = await asyncio.start_server(SlowAgents().serve, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
