"""A mirror: the bundle's files and a copy of the board, the same bytes for everyone.

Any static server can do this from a folder; this one also keeps the folder fresh. It is terminal:
it names no other mirror and asks nobody but the board that its operator configured.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable

from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.host import Host
from wallflower.host.asgi import Headers, Receive, Scope, Send, answer, refuse
from wallflower.host.net import Unreachable
from wallflower.host.status import Alarm, Status, silence_alarm
from wallflower.wire.census import CENSUS_MAX
from wallflower.wire.record import MOST_SEGMENTS
from wallflower.wire.segment import SignedHead, parse_head, parse_segment
from wallflower.wire.sizes import HEAD, RECORD_MAX

FRESH_S = 1800  # record seconds between two looks at the board
SILENT_S = 4 * FRESH_S  # without a good look for so long the copy is stale, and it is an alarm
_SEGMENT_MAX = 1024 * 1024
_TYPES = {
    "html": b"text/html; charset=utf-8", "js": b"text/javascript; charset=utf-8",
    "css": b"text/css; charset=utf-8", "txt": b"text/plain; charset=utf-8",
}  # fmt: skip
_LIVE = ("record", "board/head", "census")
# Of a site, what a new date changes under its old name, and the page. From a cache in front, a
# timestamp of before would name a snapshot that is gone.
_DATED = ("index.html", "tuf/timestamp.json")
_TEXTS = frozenset({"html", "js", "css", "txt"})


class Mirror:
    """Serves a site's files from memory and the board's copy; fetches the board on a clock."""

    def __init__(self, host: Host, board: str, site: dict[str, bytes]) -> None:
        self._host = host
        self._board = board
        self._site = site
        # Packed once: the same bytes for everyone who can unpack them. Records and board are random
        # bytes and gain nothing.
        self._packed = {
            name: gzip.compress(body, mtime=0)
            for name, body in site.items()
            if _kind(name) in _TEXTS
        }
        self._copy: dict[str, bytes] = {}
        self._looked = host.clock.now()  # when the board last answered whole; in memory only
        self._refused = 0

    async def step(self) -> None:
        """Fetch the record, the head, and the segments that are new. What fails stays as it was."""
        try:
            self._copy["record"] = await self._host.net.get(f"{self._board}/record", "", RECORD_MAX)
            raw = await self._host.net.get(f"{self._board}/board/head", "", HEAD)
            head = parse_head(raw)
            # A list of more could fill the memory; one of none would empty the board.
            if not 0 <= head.number - head.first < MOST_SEGMENTS:
                self._refused += 1
                return
            wanted, shown = _named(head), self._copy.get("board/head")
            # Before anything is added: a board that never answers whole must not fill the memory.
            self._keep({*wanted, *(_named(parse_head(shown)) if shown else ())})
            fetched = await self._fetch(wanted, head.segment_hash)
        except Unreachable:
            return
        except Refused:
            self._refused += 1
            return
        self._copy |= fetched
        self._copy["board/head"] = raw
        self._looked = self._host.clock.now()
        await self._copy_census()
        self._keep(wanted)

    async def _fetch(self, wanted: list[str], newest: bytes) -> dict[str, bytes]:
        """What the copy lacks of these segments, or Refused (segment 3.5): the one after it names
        each by its hash, the head the `newest`. What was garbled on the way is not kept; and where
        a board has another one under a number than before, the copy's is fetched anew."""
        fetched, expected = {}, newest
        for name in wanted:
            data = self._copy.get(name)
            if data is None or sha256(data) != expected:
                data = await self._host.net.get(f"{self._board}/{name}", "", _SEGMENT_MAX)
                fetched[name] = data
            segment = parse_segment(data)
            if segment.hash != expected:
                raise Refused("segment 3.5", "A board segment is not the one that was named")
            # At once, unless the shown head names another: what comes after may not be had now.
            self._copy.setdefault(name, data)
            expected = segment.header.previous
        return fetched

    def _keep(self, segments: Iterable[str]) -> None:
        for name in self._copy.keys() - {*segments, *_LIVE}:
            del self._copy[name]

    async def _copy_census(self) -> None:
        """Yesterday's census, which stands beside the board; before the first day there is none."""
        try:
            url = f"{self._board}/census"
            self._copy["census"] = await self._host.net.get(url, "", CENSUS_MAX)
        except Unreachable:
            return

    async def run(self) -> None:
        """Look at the board for ever."""
        while True:
            await self.step()
            await self._host.clock.sleep_until(self._host.clock.now() + FRESH_S)

    async def report(self) -> Status:
        """What the operator is told: how fresh the copy is. Nothing is counted of who comes."""
        since = self._host.clock.now() - self._looked
        alarms = silence_alarm("board-silent", "the board has not answered whole", since, SILENT_S)
        if "record" not in self._copy:
            what = "there is no record to show, so nobody hums who comes here"
            alarms.append(Alarm("no-record", what, "Ask the organisation."))
        if self._refused:
            what = "answers of the board were malformed"
            alarms.append(Alarm("answers-refused", what, "Ask the organisation."))
        segments = sum(name not in _LIVE for name in self._copy)
        facts: dict[str, str | int] = {"segments": segments, "files": len(self._site)}
        return Status("mirror", alarms, facts)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET of a known file, without query; all else is refused."""
        del receive
        if scope["type"] != "http":
            return
        name = scope["path"].removeprefix("/") or "index.html"
        body = self._site.get(name, self._copy.get(name))
        if scope["method"] != "GET" or scope["query_string"] or body is None:
            await refuse(send)
            return
        headers = self._headers(name)
        if name in self._packed:
            headers.append((b"vary", b"accept-encoding"))
            if _takes_gzip(scope):
                body = self._packed[name]
                headers.append((b"content-encoding", b"gzip"))
        await answer(send, 200, body, headers)

    def _headers(self, name: str) -> Headers:
        kind = _TYPES.get(_kind(name), b"application/octet-stream")
        # Files that are not live may be kept, so that Back and a second tab fetch nothing; no ETag,
        # no date, nothing that could tell one visitor from another.
        fixed = name not in (*_LIVE, *_DATED)
        keep = b"public, max-age=3600, immutable" if fixed else b"no-store"
        # What is public and signed may be read by pages of any origin: another mirror's, which ask
        # here as their second way, and a carried copy's, whose origin is none.
        shared = name == "record" or name.startswith("board/")
        return [
            *([(b"access-control-allow-origin", b"*")] if shared else []),
            (b"content-type", kind), (b"cache-control", keep),
            # The page carries its own policy; only what a <meta> cannot say is said here.
            (b"content-security-policy", b"frame-ancestors 'none'"),
            (b"referrer-policy", b"no-referrer"), (b"x-content-type-options", b"nosniff"),
            (b"cross-origin-opener-policy", b"same-origin"),
        ]  # fmt: skip


def _named(head: SignedHead) -> list[str]:
    """The segments that a head names, the newest first."""
    return [f"board/{n}" for n in range(head.number, head.first - 1, -1)]


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def _takes_gzip(scope: Scope) -> bool:
    return any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])
