"""The demo's handler: uses the desk's pages over HTTP as a person uses them in a browser."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

import aiohttp

from wallflower.errors import Fault
from wallflower.lab.demo.town import Town

PASSPHRASE = "a passphrase of the demo, known to all"  # noqa: S105  # opens nothing real
_FORM = re.compile(r'name="form" value="([^"]+)"')
_CASE = re.compile(r'href="/[0-9a-f]+(/case/[0-9a-f]+)"')
_LETTER = re.compile(r'action="/[0-9a-f]+(/letter/[0-9a-f]+)"')


@dataclass(slots=True)
class Handler:
    """One handler's session with the desk."""

    town: Town
    _session: aiohttp.ClientSession | None = field(default=None)
    _base: str = ""  # where the desk's pages are, since the entry

    async def _get(self, path: str) -> str:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
            async with self._session.get(self.town.desk_door) as entered:
                self._base = f"{entered.url.origin()}/{entered.url.parts[1]}"
        async with self._session.get(self._base + path) as answer:
            return await answer.text()

    async def _post(self, path: str, page: str, **fields: str) -> str:
        token = _FORM.search(page)
        if token is None or self._session is None:
            raise Fault("A page of the desk has no form", "Look at the desk in a browser.")
        form = {"form": token[1], **fields}
        headers = {"Origin": self._base.rpartition("/")[0]}
        async with self._session.post(self._base + path, data=form, headers=headers) as answer:
            text = await answer.text()
            if answer.status != 200:
                raise Fault(f"The desk answered a form with {answer.status}", "Look at its log.")
            return text

    async def unlock(self) -> None:
        """Set the desk up with a passphrase."""
        page = await self._get("/unlock")
        await self._post("/unlock", page, passphrase=PASSPHRASE, again=PASSPHRASE)

    async def _open_all(self) -> list[tuple[str, str]]:
        """(path, page) of every case, with all its letters opened."""
        pages = []
        for path in _CASE.findall(await self._get("/")):
            page = await self._get(path)
            for letter in _LETTER.findall(page):
                await self._post(letter, page)
            pages.append((path, await self._get(path)))
        return pages

    async def has_letter(self, text: str) -> bool:
        """Whether a letter with this very text came; opens what is new."""
        return any(html.escape(text, quote=False) in page for _, page in await self._open_all())

    async def answer(self, letter: str, text: str) -> None:
        """Answer the conversation that this letter belongs to."""
        for path, page in await self._open_all():
            if html.escape(letter, quote=False) in page:
                await self._post(path, page, text=text, do="send")
                return
        raise Fault("The letter is not at the desk", "Wait for the next drop.")

    async def answer_is_on_board(self) -> bool:
        """Whether the desk saw its reply and receipt on the public board."""
        self.town.check_alive()
        status = await self.town.status("desk")
        return status.get("replies_board", 0) >= 1 and status.get("receipts_board", 0) >= 1

    async def close(self) -> None:
        """Leave the desk."""
        if self._session is not None:
            await self._session.close()
