"""A whole small world for one page: keys, records, a board, a site, and servers that write down
every byte that reaches them. All on loopback; nothing is simulated but the mixes.

The site is built once out of a copy of the packaged page, so that a build that runs meanwhile
cannot mix two versions.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tests.browser.recorder import Recorder

from wallflower.campaign.edge.authoring import example_folder, read_campaign
from wallflower.campaign.edge.build import Campaign, build_carried, build_served
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

FILM = Path(__file__).parents[1] / "film.mp4"
EXAMPLE = read_campaign(example_folder())
DESK = "Office for Clean Hands"
PACE_HUMS = 60
REPLIES, RECEIPTS = 2, 3
TEXTS = (".html", ".js", ".css")


def _types(path: str) -> str:
    kinds = {"html": "text/html; charset=utf-8", "js": "text/javascript", "css": "text/css"}
    return kinds.get(path.rsplit(".", 1)[-1], "application/octet-stream")


def _mirror_headers(path: str) -> list[str]:
    """The headers that our own mirror sends (board/edge/mirror.py)."""
    fixed = path not in ("record", "board/head", "index.html")
    keep = "public, max-age=3600, immutable" if fixed else "no-store"
    shared = path == "record" or path.startswith("board/")
    return [
        *(["Access-Control-Allow-Origin: *"] if shared else []),
        f"Content-Type: {_types(path)}", f"Cache-Control: {keep}",
        "Content-Security-Policy: frame-ancestors 'none'", "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff", "Cross-Origin-Opener-Policy: same-origin",
    ]  # fmt: skip


Alter = Callable[[bytes], bytes]
Shape = Literal["served", "carried", "file"]


def _as_built(data: bytes) -> bytes:
    return data


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

    def __init__(
        self, folder: Path, page: Path, *, pace_hums: int = PACE_HUMS,
        film: Path | None = None, altered: Mapping[str, Alter] | None = None,
        slots: tuple[int, int] = (REPLIES, RECEIPTS), packed: bool = False,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.altered = dict(altered or {})
        self.replies, self.receipts = slots
        self.packed = packed
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
        campaign = Campaign(self.pins, tuple(ways), DESK, EXAMPLE.texts)
        build_served(page, folder, campaign, film or FILM)
        boards = (self.site.url + "/", self.second.url + "/")
        self.carried = folder.with_name(f"{folder.name}-carried.html")
        build_carried(page, self.carried, replace(campaign, ways=(*boards, *ways), boards=boards))
        self.files["carried.html"] = self.carried.read_bytes()

    def address(self, shape: Shape = "served") -> str:
        """Where a browser finds the page in this shape. A pace counts on a loopback origin only, so
        a carried copy is served here too; out of its file it hums in real time.
        """
        if shape == "file":
            return self.carried.as_uri()
        return f"{self.site.url}/" + ("carried.html" if shape == "carried" else "")

    def stop(self) -> None:
        """Stop all servers."""
        for server in (self.site, self.second, self.ingress, self.elsewhere):
            server.stop()

    def servers(self) -> dict[str, Recorder]:
        """The servers that are ours, by what they are."""
        return {"site": self.site, "second": self.second, "ingress": self.ingress}

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
                21600, 64800, 600, 32, 20, self.replies, self.receipts, 14400, 84, pace
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
            record.number,
            number,
            number,
            self.replies,
            self.receipts,
            previous,
            bytes(32),
            record.hash(),
        )
        full = replies + [bytes([number]) * 768] * (self.replies - len(replies))
        marks = receipts + [bytes([number]) * 16] * (self.receipts - len(receipts))
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
        body = self.altered.get(path, _as_built)(body)
        headers = _mirror_headers(path)
        if self.packed and path.endswith(TEXTS):
            return 200, gzip.compress(body, mtime=0), [*headers, "Content-Encoding: gzip"]
        return 200, body, headers

    def _serve_second(self, line: str) -> tuple[int, bytes, list[str]]:
        body = self.files.get(line.split(" ", 1)[1].lstrip("/"))
        return (200, body, ["Access-Control-Allow-Origin: *"]) if body else (404, b"", [])
