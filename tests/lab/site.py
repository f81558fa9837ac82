"""A simulated town with a desk and a source: the roles' own code, one clock, no sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from wallflower.crypto.derive import conversation_id
from wallflower.desk.edge.desk import Desk
from wallflower.desk.edge.parts import DeskSettings, Peer
from wallflower.desk.header import Cost
from wallflower.lab.host import SeededEntropy
from wallflower.lab.town import BOARD, DESK_NAME, MIRROR, TOKEN, SimulatedTown
from wallflower.source.edge.store import Store
from wallflower.source.edge.visit import fetch_board, fetch_record, put_away, way_url
from wallflower.source.letters import Place, choose_for_hum, filler, write_letter
from wallflower.source.reading import Found, read_board
from wallflower.trust.record import EpochRecord, verified, verify_record
from wallflower.wire.hum import make_hum
from wallflower.wire.record import WayKind
from wallflower.wire.segment import parse_segment
from wallflower.wire.sizes import DAY_S

SATURDAY = 20778  # 2026-11-21: the week changes two days later
PASSPHRASE = "a long passphrase for tests"


def desk_of(town: SimulatedTown) -> Desk:
    """The town's desk, unlocked; a guess at its passphrase costs nothing."""
    settings = DeskSettings(
        DESK_NAME, town.pins, Peer("http://b.example", "token"), Peer(BOARD, "token")
    )
    host = town.host("desk")
    host.disk.write("token", TOKEN.encode("ascii"))
    desk = Desk(host, settings, Cost(memory_kib=64, passes=1, lanes=1))
    desk.unlock(PASSPHRASE)
    return desk


@dataclass
class Person:
    """A source with a store, who visits the simulated mirror. The hum's cells go out at once."""

    town: SimulatedTown
    name: str
    secret: bytes
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = Store(self.town.host(self.name).disk)

    async def visit(self, *, only: tuple[int, ...] = tuple(range(12))) -> list[bytes]:
        """A visit; `only` are the counters that reach ingress. Returns all twelve cells."""
        host, pins = self.town.host(self.name), self.town.pins
        before = self.store.record()
        known = verified(before, pins) if before is not None else None
        record = await fetch_record(host, MIRROR, pins, known)
        self.store.keep_record(record.raw)
        draw = SeededEntropy(b"%s %d" % (self.name.encode(), record.number)).draw
        self.store.fill(record, DESK_NAME, draw)
        choice = choose_for_hum(self.store.letters(), record, DESK_NAME)
        cells = make_hum(record.body, choice.kind, choice.sealed, draw, choice.token)
        await self.send([cells[i] for i in only], record)
        put_away(self.store, choice, True, filler(record, DESK_NAME, draw))
        await fetch_board(host, MIRROR, record, self.store)
        return cells

    async def send(self, cells: list[bytes], record: EpochRecord) -> None:
        """Post cells to ingress."""
        url = way_url(record, WayKind.INGRESS)
        assert url is not None
        for cell in cells:
            await self.town.net.post(url, cell, limit=0)

    def write(self, text: str) -> None:
        """Seal a letter with the record of the last visit, offline."""
        raw = self.store.record()
        assert raw is not None
        record = verify_record(raw, self.town.pins)
        kept = self.store.letters()
        draw = SeededEntropy(b"marks" + self.name.encode()).draw
        new = write_letter(self.secret, text, 2, record, DESK_NAME, kept, draw)
        place = next(i for i, k in enumerate(kept) if k.place is Place.FILLER)
        kept[place] = new
        self.store.write_letters(kept)

    def read(self) -> Found:
        """What the store's board holds for the secret."""
        raw = self.store.record()
        assert raw is not None
        week = verify_record(raw, self.town.pins).body.week
        return read_board(self.secret, map(parse_segment, self.store.segments()), week)


@dataclass
class Site:
    """A town with its desk."""

    town: SimulatedTown
    desk: Desk

    async def pass_days(self, days: float) -> None:
        """Let days pass, the desk stepping with the others."""
        end = self.town.clock.now() + days * DAY_S
        while self.town.clock.now() < end:
            await self.town.pass_time(min(6 * 1800, end - self.town.clock.now()))
            await self.desk.step()

    def person(self, name: str, secret: bytes = b"") -> Person:
        """A source of this name; its words are made from the name."""
        return Person(self.town, name, secret or name.encode().ljust(16, b".")[:16])

    def texts(self, person: Person) -> list[tuple[str, str]]:
        """(continuity, text) of what the desk got from a person, opened, oldest first."""
        cases = {case.id for case in self.desk.inbox()}
        conversation = conversation_id(person.secret)
        if conversation not in cases:
            return []
        letters = self.desk.conversation(conversation).letters
        opened = [self.desk.open_letter(letter.id) for letter in letters]
        return [(str(o.continuity), o.text) for o in sorted(opened, key=lambda o: o.day)]


Make = Callable[..., Awaitable[Site]]
