"""A browser by its own remote protocol: JSON over a WebSocket, for what Playwright hides or lacks.

Chromium's DevTools protocol and WebDriver BiDi of Firefox have the same frame: id, method, params.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

Made = TypeVar("Made")
LIMIT_S = 60
TRY_S = 0.05


class Remote:
    """One connection. Answers come in any order; events are passed over."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            answer = json.loads(message.data)
            waiting = self._waiting.pop(answer.get("id"), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)

    async def call(
        self, method: str, session: str | None = None, limit_s: float = LIMIT_S, **params: Any
    ) -> dict[str, Any]:
        """Call a method and return its result."""
        number = next(self._ids)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        frame = {"id": number, "method": method, "params": params}
        await self._socket.send_str(json.dumps(frame | ({"sessionId": session} if session else {})))
        answer = await asyncio.wait_for(self._waiting[number], limit_s)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer}")
        result: dict[str, Any] = answer["result"]
        return result

    async def close(self) -> None:
        """End the connection."""
        self._reader.cancel()
        await self._socket.close()


def alone(work: Coroutine[Any, Any, Made]) -> Made:
    """Run to the end in a loop of its own, also where Playwright's is running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def until(met: Callable[[], Awaitable[bool]], what: str, limit_s: float = LIMIT_S) -> None:
    """Wait for a condition, with a limit."""
    for _ in range(int(limit_s / TRY_S)):
        if await met():
            return
        await asyncio.sleep(TRY_S)
    raise AssertionError(f"After {limit_s} s still not so: {what}")


@asynccontextmanager
async def running(
    command: list[str], address: Callable[[], str | None], env: dict[str, str] | None = None
) -> AsyncIterator[Remote]:
    """A browser process and the connection to it; `address` tells the WebSocket once it is open."""
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet, env=env)
    try:

        async def listens() -> bool:
            return address() is not None

        await until(listens, "the browser listens")
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(address() or "", max_msg_size=0) as socket,
        ):
            remote = Remote(socket)
            yield remote
            await remote.close()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def devtools(profile: Path) -> str | None:
    """Where Chromium listens, out of the file that it writes when it does."""
    try:
        port, path = (profile / "DevToolsActivePort").read_text().split("\n")[:2]
    except (FileNotFoundError, ValueError):
        return None
    return f"ws://127.0.0.1:{port}{path}"
