"""The preview: the page of a campaign's folder on this computer, shown again after every change.

It listens to loopback only and builds into memory. The line that reloads the page is put in here,
into what is shown, and exists in no build. Without keys the page is shown with keys of zeros, which
no record fits: it can be read and sends nothing. Its film, where one can be made here, is closed by
eight times the word "example".
"""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from html import escape
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from watchfiles import awatch
from watchfiles._rust_notify import WatchfilesRustInternalError

from wallflower.campaign.authoring import Authored
from wallflower.campaign.edge.authoring import read_campaign
from wallflower.campaign.edge.build import Campaign, build_served
from wallflower.campaign.repository import PINS
from wallflower.errors import Fault
from wallflower.trust.pins import Pins, parse_pins

RELOAD: Final = "reload.js"
# A page says which version it shows, so that a change while it was loading is not missed.
_SCRIPT: Final = b"""\
const seen = document.currentScript.dataset.seen;
new EventSource(`changes?seen=${seen}`).onmessage = () => location.reload();
"""
_TAG: Final = '<script src="reload.js" data-seen="{}" defer></script>'
_NO_KEYS: Final = Pins(bytes(32), bytes(32), bytes(32), bytes(32), "preview")
_TYPES: Final = {
    "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
}  # fmt: skip
_BEAT_S: Final = 15.0


# Makes the page's film of a campaign, in a folder that goes away afterwards.
Film = Callable[[Authored, Path], Path | None]


def no_film(authored: Authored, _: Path) -> Path | None:
    """The ready film of a campaign that has one, else none."""
    return authored.film


def _shown(fault: Fault, tag: bytes) -> bytes:
    head = b'<!doctype html><html lang="en"><meta charset="utf-8"><title>Preview</title>'
    return head + tag + f"<p>{escape(str(fault))}</p>".encode()


class Preview:
    """The files of the folder as it is now, and a number that rises with every change."""

    def __init__(self, folder: Path, page: Path, film: Film = no_film) -> None:
        self._folder = folder
        self._page = page
        self._film = film
        self._changed = asyncio.Condition()
        self.version = 0
        self.files: dict[str, bytes] = {}

    def rebuild(self) -> None:
        """Build the folder anew; a Fault is shown in place of the page."""
        tag = _TAG.format(self.version + 1).encode()
        try:
            files = self._built(tag)
        except Fault as fault:
            files = {"index.html": _shown(fault, tag)}
        except OSError:  # an editor that saves takes a file away and puts another in its place
            moved = Fault(
                "A file changed while it was read", "It is looked at again when it is saved."
            )
            files = {"index.html": _shown(moved, tag)}
        self.files = {**files, RELOAD: _SCRIPT}
        self.version += 1

    def _built(self, tag: bytes) -> dict[str, bytes]:
        authored = read_campaign(self._folder)
        try:
            pins = parse_pins((self._folder / PINS).read_bytes())
        except (Fault, FileNotFoundError):
            pins = _NO_KEYS
        campaign = Campaign(
            pins, authored.ways + authored.boards, authored.organisation, authored.texts,
            authored.boards, authored.hurry,
        )  # fmt: skip
        with tempfile.TemporaryDirectory() as scratch:
            site = Path(scratch) / "site"
            build_served(self._page, site, campaign, self._film(authored, Path(scratch)))
            files = {
                str(path.relative_to(site)): path.read_bytes()
                for path in site.rglob("*")
                if path.is_file()
            }
        files["index.html"] = files["index.html"].replace(b"</head>", tag + b"</head>", 1)
        return files

    async def watch(self) -> None:
        """Rebuild after every change in the folder, until cancelled. A Fault where the system
        watches it for nobody: it does so for few programs of one user (inotify(7))."""
        try:
            async for _ in awatch(self._folder):
                await asyncio.to_thread(self.rebuild)
                async with self._changed:
                    self._changed.notify_all()
        except WatchfilesRustInternalError:
            raise Fault(
                "The system does not watch that folder for changes",
                "End other programs that watch folders, such as editors, or raise the limits of "
                "fs.inotify (sysctl).",
            ) from None

    async def changes(self, seen: int) -> AsyncIterator[str]:
        """An event for each version after `seen`, and a beat that finds out who has left."""
        while True:
            async with self._changed:
                try:
                    async with asyncio.timeout(_BEAT_S):
                        while self.version == seen:
                            await self._changed.wait()
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
            seen = self.version
            yield f"data: {seen}\n\n"

    def app(self) -> Starlette:
        """The files at their names, and the changes."""

        async def file(request: Request) -> Response:
            name = request.path_params["name"] or "index.html"
            if name not in self.files:
                return Response(status_code=404)
            kind = _TYPES.get(name.rsplit(".", 1)[-1], "application/octet-stream")
            headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
            return Response(self.files[name], media_type=kind, headers=headers)

        async def changes(request: Request) -> Response:
            said = request.query_params.get("seen", "")
            seen = int(said) if said.isascii() and said.isdigit() else self.version
            return StreamingResponse(self.changes(seen), media_type="text/event-stream")

        # A stranger's page could give its own name this computer's address, and read a draft.
        own = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
        routes = [Route("/changes", changes), Route("/{name:path}", file)]
        return Starlette(routes=routes, middleware=[own])


def _listener(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        raise Fault(
            "That port cannot be had", "Give another, or none: then a free one is."
        ) from None


async def serve_preview(
    folder: Path, page: Path, port: int, opened: Callable[[str], None], film: Film = no_film
) -> None:
    """Serve the preview until cancelled; `opened` gets its address. A Fault where the port is
    taken; whatever ends the watch over the folder ends all."""
    preview = Preview(folder, page, film)
    await asyncio.to_thread(preview.rebuild)
    listener = _listener(port)
    config = uvicorn.Config(
        preview.app(), log_level="error", access_log=False, lifespan="off",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    opened(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    tasks = [
        asyncio.create_task(preview.watch()),
        asyncio.create_task(uvicorn.Server(config).serve(sockets=[listener])),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        listener.close()


def run_preview(
    folder: Path, page: Path, port: int, opened: Callable[[str], None], film: Film
) -> None:
    """The command: until it is interrupted."""
    asyncio.run(serve_preview(folder, page, port, opened, film))
