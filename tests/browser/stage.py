"""A whole small world for one page: keys, records, a board, a site, and servers that write down
every byte that reaches them. All on loopback; nothing is simulated but the mixes.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from wallflower.campaign.build import build_site, packaged_film, packaged_page
from wallflower.crypto import hpke, sign
from wallflower.crypto.derive import sha256
from wallflower.trust.pins import Pins
from wallflower.trust.record import ancestors_after
from wallflower.wire.record import (
    DeskEntry,
    Pace,
    Parameters,
    RecordBody,
    Way,
    WayKind,
)
from wallflower.wire.segment import (
    SegmentHeader,
    make_head,
    make_segment,
    parse_segment,
)
from wallflower.wire.sizes import DAY_S, week_of_day

DESK = "Office for Clean Hands"
PACE_HUMS = 60
REPLIES, RECEIPTS = 2, 3


@dataclass(slots=True)
class Request:
    """One request as it came: on which connection, its head to the byte, and its body."""

    connection: int
    head: bytes
    body: bytes
    at: float

    @property
    def line(self) -> str:
        """Method and path."""
        return self.head.split(b"\r\n", 1)[0].decode("latin-1").rsplit(" ", 1)[0]


Answer = Callable[[str], tuple[int, bytes, list[str]]]


@dataclass(slots=True)
class Recorder:
    """A raw HTTP/1.1 server in a thread of its own that keeps every request to the byte."""

    answer: Answer
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def start(self) -> Recorder:
        """Listen on a free loopback port."""
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), daemon=True).start()
        ready.wait()
        return self

    def stop(self) -> None:
        """Close everything and end the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", self.port)
        )
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        name = self.connections
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                at = time.monotonic()
                body = await reader.readexactly(_length(head))
                request = Request(name, head, body, at)
                self.requests.append(request)
                status, payload, headers = self.answer(request.line)
                lines = [f"HTTP/1.1 {status} -", *headers]
                if status != 204:
                    lines.append(f"Content-Length: {len(payload)}")
                writer.write("\r\n".join([*lines, "", ""]).encode() + payload)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


def _types(path: str) -> str:
    kinds = {"html": "text/html; charset=utf-8", "js": "text/javascript", "css": "text/css"}
    return kinds.get(path.rsplit(".", 1)[-1], "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Keys:
    """Every private key of the world, from fixed seeds."""

    hop_a: hpke.PrivateKey
    hop_b: hpke.PrivateKey
    drop: hpke.PrivateKey
    desk: hpke.PrivateKey

    @classmethod
    def fixed(cls) -> Keys:
        """Keys that only tests know."""
        names = ("hop a", "hop b", "drop", "desk")
        return cls(*(hpke.PrivateKey.from_seed(seed_of(name)) for name in names))


def seed_of(name: str) -> bytes:
    """A fixed 32-byte seed; for tests, never for use."""
    return sha256(b"wallflower browser tests " + name.encode())


class Stage:
    """The world. `site` serves the page, `ingress` takes cells, `second` is a second way to the
    board, `elsewhere` is the proxy that sees whatever the browser wants of anybody else.
    """

    def __init__(self, folder: Path, *, pace_hums: int = PACE_HUMS) -> None:
        self.folder = folder
        self.keys = Keys.fixed()
        self.pace_hums = pace_hums
        self.files: dict[str, bytes] = {}
        self.records: list[RecordBody] = []
        self.board: list[bytes] = []
        self.site = Recorder(self._serve_site).start()
        self.second = Recorder(self._serve_second).start()
        self.ingress = Recorder(lambda _: (204, b"", [])).start()
        self.elsewhere = Recorder(lambda _: (502, b"", [])).start()
        self.pins = Pins(
            root=sha256(sign.verify_key(seed_of("root"))),
            organisation=sign.verify_key(seed_of("organisation")),
            a=sign.verify_key(seed_of("a")),
            b=sign.verify_key(seed_of("b")),
            desk=DESK,
        )
        ways = [self.ingress.url + "/", self.second.url + "/"]
        build_site(packaged_page(), folder, self.pins, ways, packaged_film(), DESK)

    def stop(self) -> None:
        """Stop all servers."""
        for server in (self.site, self.second, self.ingress, self.elsewhere):
            server.stop()

    def forget_requests(self) -> None:
        """Begin the records of all servers anew."""
        for server in (self.site, self.second, self.ingress, self.elsewhere):
            server.requests.clear()

    # --- records and the board -----------------------------------------------------------------

    @property
    def record(self) -> RecordBody:
        """Today's."""
        return self.records[-1]

    def next_day(self) -> RecordBody:
        """Publish the next record. Its anchor turns the page's clock to its day."""
        before = self.records[-1] if self.records else None
        wall = int(time.time())
        day = before.day + 1 if before else wall // DAY_S
        # Twice the wall clock from an anchor in the past: that much ahead of the wall now.
        ahead = (day * DAY_S + DAY_S // 2) - wall
        pace = (
            Pace(2, self.pace_hums, (wall - ahead) * 1000)
            if before
            else Pace(1, self.pace_hums, wall * 1000)
        )
        desk = DeskEntry(DESK, week_of_day(day), self.keys.desk.public)
        body = RecordBody(
            number=before.number + 1 if before else 1, day=day, not_before=day * DAY_S,
            root=self.pins.root, ancestors=ancestors_after(before),
            hop_a=self.keys.hop_a.public, hop_b=self.keys.hop_b.public,
            drop_key=self.keys.drop.public,
            drop_verify=sign.verify_key(seed_of("drop")),
            board_verify=sign.verify_key(seed_of("board")),
            parameters=Parameters(
                21600, 64800, 600, 32, 20, REPLIES, RECEIPTS, 14400, 84, pace
            ),
            desks=(desk,),
            ways=(
                Way(WayKind.INGRESS, 12, self.ingress.url + "/"),
                Way(WayKind.BOARD, 12, self.second.url + "/"),
            ),
        )  # fmt: skip
        raw = body.encode()
        signers = ("organisation", "a", "b")
        self.files["record"] = raw + b"".join(sign.sign(seed_of(s), "record", raw) for s in signers)
        self.records.append(body)
        return body

    def release(self, replies: list[bytes], receipts: list[bytes]) -> None:
        """Put one segment on the board; what is missing is filler."""
        record = self.record
        previous = sha256(self.board[-1]) if self.board else bytes(32)
        number = len(self.board) + 1
        header = SegmentHeader(
            record.number, number, number, REPLIES, RECEIPTS, previous, bytes(32), record.hash()
        )
        full = replies + [bytes([number]) * 768] * (REPLIES - len(replies))
        marks = receipts + [bytes([number]) * 16] * (RECEIPTS - len(receipts))
        seed = seed_of("board")
        self.board.append(make_segment(header, full, marks, seed))
        self.files["board/head"] = make_head(parse_segment(self.board[-1]), 1, seed)
        self.files[f"board/{number}"] = self.board[-1]

    # --- servers --------------------------------------------------------------------------------

    def _serve_site(self, line: str) -> tuple[int, bytes, list[str]]:
        path = line.split(" ", 1)[1].lstrip("/") or "index.html"
        body = self.files.get(path)
        if body is None and (self.folder / path).is_file():
            body = (self.folder / path).read_bytes()
        if body is None:
            return 404, b"", []
        return 200, body, [f"Content-Type: {_types(path)}", "X-Content-Type-Options: nosniff"]

    def _serve_second(self, line: str) -> tuple[int, bytes, list[str]]:
        body = self.files.get(line.split(" ", 1)[1].lstrip("/"))
        return (200, body, ["Access-Control-Allow-Origin: *"]) if body else (404, b"", [])
