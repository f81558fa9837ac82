"""A small world for the desk, on the lab's simulated host: nodes in memory.

The world holds the three signers, a mix B that writes drops and a desk server that takes keys and
batches and releases a board. All of it is made with `wire`; nothing of the desk is mocked.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from wallflower.crypto.derive import conversation_id, epoch_secret
from wallflower.crypto.hpke import PrivateKey, PublicKey
from wallflower.crypto.sign import sign, verify_key
from wallflower.desk.edge.desk import Desk
from wallflower.desk.edge.parts import DeskSettings, Peer
from wallflower.desk.edge.store import exists
from wallflower.desk.header import Cost
from wallflower.host import Host
from wallflower.host.asgi import (
    App,
    Message,
    Receive,
    Scope,
    Send,
    answer,
    bearer_is,
    read_body,
    refuse,
)
from wallflower.host.disk import Folder
from wallflower.host.entropy import shuffled
from wallflower.host.log import Log
from wallflower.host.net import MAX_ANSWER, Unreachable
from wallflower.host.pull import log_route
from wallflower.lab.host import SeededEntropy, SimulatedClock, SimulatedNet
from wallflower.trust.pins import Pins
from wallflower.trust.record import EpochRecord, ancestors_after, verify_record
from wallflower.wire.chain import chain_value
from wallflower.wire.drop import DropHeader, make_drop, parse_drop
from wallflower.wire.letter import FILLER, Language, Letter, LetterKind, seal_letter
from wallflower.wire.receipt import receipt
from wallflower.wire.record import (
    DeskEntry,
    Pace,
    Parameters,
    RecordBody,
    Way,
    WayKind,
    desk_entry_hash,
)
from wallflower.wire.reply import Reply, joined, open_part, reply_table, seal_part, whole_runs
from wallflower.wire.segment import (
    SegmentHeader,
    SignedSegment,
    make_head,
    make_segment,
    parse_segment,
)
from wallflower.wire.sizes import (
    DAY_S,
    HASH,
    KEM_PUBLIC,
    REPLY_SALT,
    REPLY_SLOT,
    REPLY_TAG,
    TOKEN_SET,
)

MONDAY = 20780  # 2026-11-23, a day on which a week begins
PASSPHRASE = "plain paper boats at noon"
CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
PERIOD = 14400
SLOTS, REPLIES, RECEIPTS, SEGMENTS = 4, 4, 6, 84
B_TOKEN, DESK_TOKEN = "b-token", "desk-token"


def hand_over(folder: Folder, b: str = B_TOKEN, board: str = DESK_TOKEN) -> None:
    """Put the desk's two tokens into its folder, as operators do."""
    for name, token in (("b.token", b), ("board.token", board)):
        folder.write(name, f"{token}\n".encode())


Sent = dict[str, str] | list[tuple[str, str]]


async def ask(
    app: App, method: str, path: str, headers: Sent | None = None, body: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    """One request to an ASGI app: status, headers, body. A list may name a header twice."""
    pairs = headers.items() if isinstance(headers, dict) else headers or []
    raw = [(k.lower().encode(), v.encode("latin-1")) for k, v in pairs]
    path, _, query = path.partition("?")
    scope: Scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "headers": raw, "query_string": query.encode(), "scheme": "http", "root_path": "",
        "http_version": "1.1", "server": ("127.0.0.1", 0), "client": ("127.0.0.1", 1),
        "asgi": {"version": "3.0"},
    }  # fmt: skip
    sent: list[Message] = []
    requests: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return requests.pop(0) if requests else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    found = {k.decode().lower(): v.decode() for k, v in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(m.get("body", b"") for m in sent[1:])


class FaultyNet(SimulatedNet):
    """The lab's network, on which single paths fail: `down` ones do not answer, `lose_answers` ones
    do what they were asked and are not heard.
    """

    def __init__(self, apps: dict[str, App]) -> None:
        super().__init__(apps)
        self.down: set[str] = set()
        self.lose_answers: set[str] = set()

    async def _ask(self, method: str, url: str, body: bytes, token: str, limit: int) -> bytes:
        path = urlsplit(url).path
        if path in self.down:
            raise Unreachable
        found = await super()._ask(method, url, body, token, limit)
        if path in self.lose_answers:
            raise Unreachable
        return found


@dataclass
class DeskServer:
    """The blind desk server: keeps what it is given, serves what is public."""

    seed: bytes
    entropy: SeededEntropy
    records: dict[int, bytes] = field(default_factory=dict)
    current: int = 0
    keys: dict[int, tuple[bytes, int, bytes]] = field(default_factory=dict)
    published: list[bytes] = field(default_factory=list)
    revoked: bytes = b""
    posts: list[bytes] = field(default_factory=list)
    batches: dict[int, bytes] = field(default_factory=dict)
    segments: dict[int, bytes] = field(default_factory=dict)
    newest: SignedSegment | None = None
    head: bytes | None = None

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive, MAX_ANSWER) or b""
        if scope["method"] == "POST" and bearer_is(scope, DESK_TOKEN):
            known = self._post(scope["path"], body)
            await (answer(send, 204) if known else refuse(send))
            return
        found = self._get(scope["path"])
        await (refuse(send) if found is None else answer(send, 200, found))

    def _post(self, path: str, body: bytes) -> bool:
        if path == "/desk/keys":
            self.published.append(body)
            size = 4 + KEM_PUBLIC + 2 + KEM_PUBLIC
            for at in range(0, len(body), size):
                one = body[at : at + size]
                drop, rest = one[4 : 4 + KEM_PUBLIC], one[4 + KEM_PUBLIC :]
                found = (drop, int.from_bytes(rest[:2]), rest[2:])
                self.keys.setdefault(int.from_bytes(one[:4]), found)
            return True
        if path == "/desk/batch":
            self.posts.append(body)
            self.batches.setdefault(int.from_bytes(body[:4]), body[4:])
            return True
        return False

    def _get(self, path: str) -> bytes | None:
        if path == "/record":
            return self.records.get(self.current)
        if path == "/board/head":
            return self.head
        if path == "/desk/revoked":
            return self.revoked
        kind, _, number = path.strip("/").partition("/")
        kept = self.records if kind == "records" else self.segments
        return kept.get(int(number))

    def noise(self) -> bytes:
        """A filler slot of the server's own."""
        draw = self.entropy.draw
        return seal_part(draw(HASH), 0, draw(REPLY_SALT), 1, 1, b"")

    def release(self, record: EpochRecord, now: float) -> None:
        """Release the next segment: this period's share of the day's batch, or noise."""
        p = record.body.parameters
        period = int(now // p.period)
        if self.newest and self.newest.header.period >= period:
            return
        index = period % (DAY_S // p.period)
        batch = self.batches.get(int(now // DAY_S))
        draw = self.entropy.draw
        if batch is None:
            slots = [self.noise() for _ in range(p.replies)]
            values = [receipt(draw(HASH), 0) for _ in range(p.receipts)]
        else:
            all_slots, all_values = cut_batch(batch)
            slots = all_slots[index * p.replies : (index + 1) * p.replies]
            values = all_values[index * p.receipts : (index + 1) * p.receipts]
        before = self.newest
        header = SegmentHeader(
            record.number, before.header.number + 1 if before else 1, period, p.replies, p.receipts,
            before.hash if before else bytes(HASH), bytes(HASH), record.hash,
        )  # fmt: skip
        raw = make_segment(header, slots, values, self.seed)
        self.newest = parse_segment(raw)
        self.segments[header.number] = raw
        first = max(1, header.number - p.segments + 1)
        self.segments = {n: s for n, s in self.segments.items() if n >= first}
        self.head = make_head(self.newest, first, self.seed)


def cut_batch(batch: bytes) -> tuple[list[bytes], list[bytes]]:
    """A batch's slots and receipts (without its day)."""
    periods = DAY_S // PERIOD
    at = periods * REPLIES * REPLY_SLOT
    slots = [batch[i : i + REPLY_SLOT] for i in range(0, at, REPLY_SLOT)]
    return slots, [batch[i : i + 16] for i in range(at, len(batch), 16)]


class World:
    """Everything around one desk."""

    def __init__(self, path: Path, seed: bytes = b"desk") -> None:
        self.path = path
        self.entropy = SeededEntropy(seed)
        self.clock = SimulatedClock(MONDAY * DAY_S + 60)
        draw = self.entropy.draw
        self.signers = [draw(32) for _ in range(3)]
        self.drop_seed = draw(32)
        organisation, a, b = (verify_key(seed) for seed in self.signers)
        self.pins = Pins(draw(32), organisation, a, b, "desk one")
        self.server = DeskServer(draw(32), SeededEntropy(seed + b" server"))
        self.log = Log(sqlite3.connect(":memory:", isolation_level=None), "drops")
        self.sets: list[bytes] = []
        self.net = FaultyNet({"mix": self.mix, "board": self.server.app})
        self.hop = PrivateKey.from_seed(draw(32)).public
        self.records: list[EpochRecord] = []
        self.last_drop = (0, bytes(HASH))
        self.folder = path / "desk"
        self.desk = self.new_desk()

    async def mix(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Mix B: drops to pull, and every set of tokens that was handed in."""
        if scope["path"] == "/tokens" and bearer_is(scope, B_TOKEN):
            self.sets.append(await read_body(receive, TOKEN_SET) or b"")
            await answer(send, 204)
        else:
            await log_route(self.log, B_TOKEN)(scope, receive, send)

    def new_desk(self) -> Desk:
        """A desk process started anew on the same folder; a new folder has its tokens in files."""
        disk = Folder(self.folder)
        if not exists(disk):
            hand_over(disk)
        host = Host(self.clock, self.entropy, disk, self.net)
        settings = DeskSettings(
            "desk one",
            self.pins,
            Peer("http://mix", "b.token"),
            Peer("http://board", "board.token"),
        )
        return Desk(host, settings, CHEAP)

    @property
    def day(self) -> int:
        return int(self.clock.time // DAY_S)

    @property
    def record(self) -> EpochRecord:
        return self.records[-1]

    async def start(self) -> None:
        """Unlock, let the keys be published, make the first record, and look again."""
        self.desk.unlock(PASSPHRASE)
        await self.desk.step()
        self.server.release(self.make_record(), self.clock.time)
        await self.desk.step()

    def make_record(self, **changed: int) -> EpochRecord:
        """The record of today, signed by all three."""
        drop, week, desk_key = self.server.keys[self.day]
        before = self.records[-1].body if self.records else None
        sizes = {
            "mean_a": 21600, "mean_b": 64800, "tick": 600, "slots": SLOTS, "floor": 1,
            "replies": REPLIES, "receipts": RECEIPTS, "period": PERIOD, "segments": SEGMENTS,
            **changed,
        }  # fmt: skip
        body = RecordBody(
            before.number + 1 if before else 1, self.day, self.day * DAY_S, self.pins.root,
            ancestors_after(before), self.hop, self.hop, PublicKey.from_bytes(drop),
            verify_key(self.drop_seed), verify_key(self.server.seed),
            Parameters(**sizes, pace=Pace(1, 1, 0)),
            (DeskEntry("desk one", week, PublicKey.from_bytes(desk_key)),),
            (Way(WayKind.INGRESS, 12, "https://in.example"),),
        )  # fmt: skip
        raw = body.encode()
        raw += b"".join(sign(seed, "record", raw) for seed in self.signers)
        record = verify_record(raw, self.pins)
        self.records.append(record)
        self.server.records[record.number] = raw
        self.server.current = record.number
        return record

    def set_time(self, day: int, hour: float) -> None:
        """Move the clock to an hour of a day counted from the first Monday."""
        self.clock.time = (MONDAY + day) * DAY_S + hour * 3600

    async def begin_day(self, day: int, hour: float = 1.0) -> None:
        """Move to a day, pass by pass, making the record of each day in between."""
        while self.day < MONDAY + day:
            self.clock.time = (self.day + 1) * DAY_S + 60
            await self.desk.step()
            self.make_record()
        self.set_time(day, hour)
        await self.desk.step()

    def write(
        self, secret: bytes, text: str, mark: int = 0, record: EpochRecord | None = None,
        **changed: object,
    ) -> bytes:  # fmt: skip
        """A sealed letter of who holds `secret`, under the desk key of a record."""
        entry = (record or self.record).desk("desk one")
        fields: dict[str, object] = {
            "kind": LetterKind.LETTER, "language": Language.ENGLISH,
            "conversation": conversation_id(secret), "e": epoch_secret(secret, entry.week),
            "x": chain_value(secret, entry.week), "week": entry.week, "mark": mark, "text": text,
            **changed,
        }  # fmt: skip
        letter = Letter(**fields)  # type: ignore[arg-type]
        return seal_letter(entry.key, desk_entry_hash(self.pins.root, entry), letter.encode())

    def filler(self) -> bytes:
        entry = self.record.desk("desk one")
        return seal_letter(entry.key, desk_entry_hash(self.pins.root, entry), FILLER)

    def make_drop(self, letters: list[bytes], record: EpochRecord | None = None) -> bytes:
        """The next drop of B, full of fillers where there is no letter."""
        under = record or self.record
        full = letters + [self.filler() for _ in range(SLOTS - len(letters))]
        number, previous = self.last_drop
        tick = int(self.clock.time // under.body.parameters.tick)
        raw = make_drop(
            DropHeader(under.number, number + 1, tick, SLOTS, previous), under.body.drop_key,
            under.hash, self.entropy.draw(32), shuffled(self.entropy.draw, full), self.drop_seed,
        )  # fmt: skip
        self.last_drop = (number + 1, parse_drop(raw).hash)
        return raw

    def drop(self, *letters: bytes) -> None:
        """B puts out a drop."""
        self.log.append(self.record.number, [self.make_drop(list(letters))])

    def release_day(self) -> None:
        """The board's six segments of today."""
        for period in range(DAY_S // PERIOD):
            self.clock.time = self.day * DAY_S + period * PERIOD + 1
            self.server.release(self.record, self.clock.time)

    def board(self) -> tuple[list[bytes], frozenset[bytes]]:
        """Every slot and receipt that was released."""
        parsed = [parse_segment(raw) for _, raw in sorted(self.server.segments.items())]
        slots = [slot for segment in parsed for slot in segment.replies]
        return slots, frozenset(v for segment in parsed for v in segment.receipts)

    def read_replies(self, secret: bytes) -> list[Reply]:
        """What the holder of `secret` finds on the board."""
        week = self.record.body.week
        e_by_week = {w: epoch_secret(secret, w) for w in range(week - 3, week + 1)}
        table = reply_table(e_by_week)
        parts = []
        for slot in self.board()[0]:
            place = table.get(slot[:REPLY_TAG])
            if place:
                parts.append(open_part(e_by_week[place[0]], *place, slot))
        return [joined(run) for run in whole_runs(parts)]
