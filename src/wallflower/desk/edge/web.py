"""The desk's pages: plain forms and text, no script at all. Served behind `gate.Gate`.

Addresses and titles land in the browser's history. So a conversation's or letter's address is a
handle that this run alone understands, and no title names a case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from wallflower.crypto.derive import mac16
from wallflower.desk.door import Door
from wallflower.desk.edge.desk import Desk
from wallflower.desk.edge.gate import SECURITY, Gate
from wallflower.desk.edge.shown import has_signs, shown
from wallflower.desk.edge.status import counts, report, unread
from wallflower.desk.edge.store import Locked
from wallflower.desk.views import Conversation, LetterView, ReplyView, page_of
from wallflower.errors import Fault
from wallflower.host.asgi import App, Receive, Scope, Send, answer, refuse
from wallflower.host.entropy import Entropy
from wallflower.host.status import Status as Told
from wallflower.trust.ahead import date_of
from wallflower.wire.letter import Language
from wallflower.wire.sizes import REPLY_TEXT

Handler = Callable[[Request], Awaitable[Response]]
_PAGES: Final = Path(__file__).parent / "pages"
_FAULT: Final = "fault.html"
_CSS: Final = "desk.css"
_ID: Final = re.compile(r"[0-9]{1,18}")  # of an alarm, as a form sends it back
_LANGUAGES: Final = {
    Language.ENGLISH: "en", Language.CHINESE: "zh-Hans", Language.PERSIAN: "fa",
    Language.RUSSIAN: "ru", Language.SPANISH: "es",
}  # fmt: skip


def make_web(
    desk: Desk, door: Door, entropy: Entropy, status_token: str = "", *, demo: bool = False
) -> App:
    """The desk's web application, gate included; an empty status token means no /status JSON."""
    pages = Pages(desk, door, entropy)
    reports = {"/status": _json(lambda: _told(desk).encode())}
    if demo:
        reports["/counts"] = _json(lambda: json.dumps(counts(desk.status())).encode())
    return Gate(door, pages.app, reports, status_token).app


def _told(desk: Desk) -> Told:
    try:
        return report(desk.status())
    except Fault as fault:  # else who watches the desk is told of a failure of no name
        return unread(fault)


def _json(body: Callable[[], bytes]) -> App:
    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await answer(send, 200, body(), [*SECURITY, (b"content-type", b"application/json")])

    return route


def _language(number: int) -> str:
    return _LANGUAGES.get(Language(number), "") if number in set(Language) else ""


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_PAGES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    environment.filters.update(date=date_of, language=_language, shown=shown)
    environment.tests.update(turning=has_signs)
    return environment


@dataclass(frozen=True, slots=True, repr=False)
class _Draft:
    """An answer that was typed and not sent, how many slots it takes, and what is wrong with it."""

    text: str = ""
    needed: int | None = None
    fault: Fault | None = None


class Pages:
    """The pages of one desk."""

    def __init__(self, desk: Desk, door: Door, entropy: Entropy) -> None:
        self._desk = desk
        self._door = door
        self._handle_key = entropy.draw(32)
        self._drafts: dict[str, _Draft] = {}  # by the handle of their case
        self._templates = _environment()
        self._style = (_PAGES / _CSS).read_text("utf-8")
        self._starlette = Starlette(routes=[
            Route("/unlock", self._guarded(self._unlock, open_only=False), methods=["GET", "POST"]),
            Route("/lock", self._guarded(self._lock), methods=["POST"]),
            Route("/passphrase", self._guarded(self._passphrase), methods=["GET", "POST"]),
            Route("/", self._guarded(self._inbox), methods=["GET"]),
            Route("/page/{number:int}", self._guarded(self._inbox), methods=["GET"]),
            Route("/case/{handle}", self._guarded(self._case), methods=["GET", "POST"]),
            Route("/letter/{handle}", self._guarded(self._letter), methods=["GET", "POST"]),
            Route("/status", self._guarded(self._status), methods=["GET", "POST"]),
            Route(f"/{_CSS}", self._guarded(self._sheet, open_only=False), methods=["GET"]),
        ])  # fmt: skip
        self._starlette.router.redirect_slashes = False  # another address is refused

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The pages as ASGI; a path or method that is not there is refused like everything else."""
        started = False

        async def watched(message: Scope) -> None:
            nonlocal started
            if message["type"] == "http.response.start" and message["status"] in (404, 405):
                started = True
                await refuse(send)
            elif not started:
                await send(message)

        await self._starlette(scope, receive, watched)

    def _guarded(self, handler: Handler, open_only: bool = True) -> Handler:
        """Pages of a locked desk lead to the door; a Fault without a form of its own is a page."""

        async def guarded(request: Request) -> Response:
            try:
                if open_only and self._desk.locked:
                    raise Locked
                return await handler(request)
            except Locked:
                return self._go("/unlock")
            except Fault as fault:
                return self._page(_FAULT, status=400, fault=fault)

        return guarded

    def _page(self, name: str, status: int = 200, **values: object) -> Response:
        template = self._templates.get_template(name)
        try:
            alarms = self._desk.unseen_alarms()
        except Fault:
            if name != _FAULT:
                raise
            alarms = 0  # else a damaged store would keep back the page that says so
        html = template.render(
            base=self._door.base, form_token=self._door.form_token, handle=self._handle,
            locked=self._desk.locked, alarms=alarms, **values,
        )  # fmt: skip
        return _secured(HTMLResponse(html, status_code=status))

    def _go(self, path: str) -> Response:
        return _secured(RedirectResponse(f"{self._door.base}{path}", status_code=303))

    def _handle(self, name: bytes) -> str:
        return mac16(self._handle_key, name).hex()

    def _found(self, request: Request, names: list[bytes]) -> bytes:
        handle = request.path_params["handle"]
        for name in names:
            if self._handle(name) == handle:
                return name
        raise Fault("This address is from another run of the desk", "Go back to the inbox.")

    # -- pages ------------------------------------------------------------------------------

    async def _sheet(self, request: Request) -> Response:
        del request
        return _secured(Response(self._style, media_type="text/css"))

    async def _unlock(self, request: Request) -> Response:
        if not self._desk.locked:
            return self._go("/")
        fault = None
        if request.method == "POST":
            fields = _fields(request)
            try:
                self._desk.unlock(fields.get("passphrase", ""), fields.get("again", ""))
                return self._go("/")
            except Fault as found:
                fault = found
        status = 400 if fault else 200
        return self._page("unlock.html", status, fault=fault, exists=self._desk.exists)

    async def _lock(self, request: Request) -> Response:
        del request
        self._desk.lock()
        self._drafts.clear()
        return self._go("/unlock")

    async def _passphrase(self, request: Request) -> Response:
        fault, done = None, False
        if request.method == "POST":
            fields = _fields(request)
            old, new, again = (fields.get(n, "") for n in ("old", "passphrase", "again"))
            try:
                self._desk.change_passphrase(old, new, again)
                done = True
            except Fault as found:
                fault = found
        return self._page("passphrase.html", 400 if fault else 200, fault=fault, done=done)

    async def _inbox(self, request: Request) -> Response:
        number = max(1, request.path_params.get("number", 1))
        cases = self._desk.inbox()
        newer, shown, older = (page_of(cases, n) for n in (number - 1, number, number + 1))
        return self._page(
            "inbox.html", cases=shown, total=len(cases), status=200,
            newer=number - 1 if newer else 0, older=number + 1 if older else 0,
        )  # fmt: skip

    async def _case(self, request: Request) -> Response:
        """A conversation and the answer to it. `check` counts and keeps, `send` queues.

        A form is never answered with a page: a browser writes what was sent with the page that it
        shows, and so the answer's text, into its session's file. The draft waits here, in memory.
        """
        if request.method == "POST":
            return self._go(f"{request.url.path}#{self._take(request)}")
        found = self._found(request, self._desk.conversations())
        draft = self._drafts.get(request.path_params["handle"], _Draft())
        case = self._desk.conversation(found)
        return self._page(
            "case.html", case=case, timeline=timeline(case), text=draft.text, fault=draft.fault,
            needed=draft.needed, slot_bytes=REPLY_TEXT, next_batch=self._desk.next_batch(),
        )  # fmt: skip

    def _take(self, request: Request) -> str:
        """Queue an answer to the case of an address, or keep it, also where the disk fails; the
        place of the case's page to show then."""
        fields, handle = _fields(request), request.path_params["handle"]
        text, needed = fields.get("text", ""), None
        try:
            found = self._found(request, self._desk.conversations())
            needed = self._desk.slots_needed(text)
            if fields.get("do") == "send":
                self._desk.answer(found, text)
                self._drafts.pop(handle, None)
                return "newest"
            self._drafts[handle] = _Draft(text, needed)
        except Fault as refused:
            self._drafts[handle] = _Draft(text, needed, refused)
        return "answer"

    async def _letter(self, request: Request) -> Response:
        """A letter; a POST opens it. A GET never does, since it changes what the source is told."""
        found = self._found(request, self._desk.letters())
        if request.method == "POST":
            self._desk.open_letter(found)
            return self._go(request.url.path)
        letter = self._desk.letter(found)
        return self._page("letter.html", letter=letter, next_batch=self._desk.next_batch())

    async def _status(self, request: Request) -> Response:
        if request.method == "POST":
            newest = _fields(request).get("newest", "")
            self._desk.acknowledge(int(newest) if _ID.fullmatch(newest) else 0)
            return self._go("/status")
        return self._page("status.html", state=self._desk.status())


def timeline(case: Conversation) -> list[LetterView | ReplyView]:
    """Letters and replies by day; a letter's place within its day is not known, so it is first."""
    both: list[LetterView | ReplyView] = [*case.letters, *case.replies]
    return sorted(both, key=lambda item: (item.day, isinstance(item, ReplyView)))


def _fields(request: Request) -> dict[str, str]:
    fields: dict[str, str] = request.scope.get("wallflower.fields", {})
    return fields


def _secured(response: Response) -> Response:
    for name, value in SECURITY:
        response.headers[name.decode()] = value.decode()
    return response
