"""A simulated town whose desk is two key pairs of the test: hums go in, drops are opened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

import pytest
from tests.trust.made import private

from wallflower.host.log import Entry
from wallflower.host.pull import encode_entries, parse_alike
from wallflower.lab.host import SeededEntropy
from wallflower.lab.town import BOARD, PARAMETERS, TOKEN, SimulatedTown, simulated_town
from wallflower.mix.edge.first import First
from wallflower.mix.edge.second import Second
from wallflower.trust.record import EpochRecord, verify_record
from wallflower.wire.drop import SignedDrop, open_file_key, open_slot, parse_drop
from wallflower.wire.hello import Kind
from wallflower.wire.hum import make_hum
from wallflower.wire.letter import FILLER, Letter, LetterKind, seal_letter
from wallflower.wire.record import Parameters, RecordBody
from wallflower.wire.sizes import CELL, LETTER_HEADER, week_of_day

DAY = 20778  # 2026-11-21, a Saturday
TICK = PARAMETERS.tick
# Everything leaves at the next tick: a test that is not about chance should not wait for it.
AT_ONCE = replace(PARAMETERS, mean_a=TICK, mean_b=TICK)


class PowerCut(BaseException):
    """The machine stops here; no handler of ours runs."""


def cut(*_: object, **__: object) -> NoReturn:
    """Stop."""
    raise PowerCut


@contextmanager
def power_may_go_at(target: object, name: str, times: int = 0) -> Generator[None, None, None]:
    """Within, the machine stops when `target.name` is called, after so many calls that go well."""
    left = times
    real = getattr(target, name)

    def failing(*args: object, **keywords: object) -> object:
        nonlocal left
        if left == 0:
            raise PowerCut
        left -= 1
        return real(*args, **keywords)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target, name, failing)
        yield


@contextmanager
def power_cut_at(target: object, name: str, times: int = 0) -> Generator[None, None, None]:
    """As `power_may_go_at`, and it has to stop."""
    with power_may_go_at(target, name, times), pytest.raises(PowerCut):
        yield


def desk_keys(days: range) -> bytes:
    """What a desk hands in: the same two keys for every day."""
    drop, desk = private("drop").public.raw, private("desk").public.raw
    return b"".join(d.to_bytes(4) + drop + week_of_day(d).to_bytes(2) + desk for d in days)


@dataclass
class Room:
    """The town, and what the test does in it."""

    town: SimulatedTown
    _draw: Callable[[int], bytes] = field(default=SeededEntropy(b"room").draw)

    async def open(self, days: int = 12) -> None:
        """Hand in the desk's keys and step until there are records for three more days."""
        today = int(self.town.clock.now() // 86400)
        keys = desk_keys(range(today, today + days))
        await self.town.net.post(f"{BOARD}/desk/keys", keys, TOKEN)
        for _ in range(6):
            await self.town.step()
        while self.town.server.status()["days_ahead"] < 3:
            await self.tick()

    @property
    def a(self) -> First:
        """The part of mix A."""
        assert isinstance(self.town.a.part, First)
        return self.town.a.part

    @property
    def b(self) -> Second:
        """The part of mix B."""
        assert isinstance(self.town.b.part, Second)
        return self.town.b.part

    def letter(self, text: str, record: RecordBody | None = None) -> bytes:
        """A sealed letter of this text; the same text twice gives two letters."""
        body = record or self.town.record().body
        desk = body.desks[0]
        plain = Letter(
            LetterKind.LETTER, 0, b"c" * 16, b"e" * 32, b"x" * 32, desk.week, 0, text
        ).encode()
        return seal_letter(desk.key, body.desk_entry_hash(desk), plain)

    def filler(self) -> bytes:
        """A sealed filler."""
        body = self.town.record().body
        return seal_letter(body.desks[0].key, body.desk_entry_hash(body.desks[0]), FILLER)

    def hum(
        self, letter: bytes = b"", kind: Kind | None = None, record: RecordBody | None = None,
        token: bytes | None = None, key_a: bytes | None = None,
    ) -> list[bytes]:  # fmt: skip
        """Twelve cells around a letter, or a cover."""
        what = (Kind.LETTER if letter else Kind.COVER) if kind is None else kind
        body = record or self.town.record().body
        return make_hum(body, what, letter or self.filler(), self._draw, token, key_a=key_a)

    async def send(self, cells: list[bytes]) -> None:
        """Post cells to ingress."""
        for cell in cells:
            await self.town.net.post("http://ingress.example/", cell, limit=0)

    async def tick(self, times: int = 1) -> None:
        """Let so many ticks pass."""
        await self.town.pass_time(times * self.town.parameters.tick)

    def restart(self) -> None:
        """Every process starts again on its disk, and draws what was never drawn before."""
        self.town.seed += b"+"
        self.town.build()

    def drops(self) -> list[SignedDrop]:
        """Every drop that B has put out and nobody fetched."""
        return [parse_drop(entry.body) for entry in self.b.out.read(0, 4096)]

    def record_of(self, number: int) -> EpochRecord:
        """A finished record."""
        raw = self.town.server.records.raw(number)
        assert raw is not None
        return verify_record(raw, self.town.pins)

    def take(self, cells: Iterable[bytes]) -> None:
        """A takes one page of cells."""
        page = encode_entries([Entry(n, 0, cell) for n, cell in enumerate(cells, 1)])
        with self.town.a.state.transaction():
            self.a.take(parse_alike(page, CELL))

    def texts(self) -> list[str]:
        """The texts of all letters in all drops, sorted."""
        return sorted(t for drop in self.drops() for t in self.texts_of(drop))

    def texts_of(self, drop: SignedDrop) -> list[str]:
        """The texts of the letters of one drop; every slot has to open."""
        from wallflower.crypto import hpke

        record = self.record_of(drop.header.record)
        key = open_file_key(private("drop"), record.hash, drop)
        texts = []
        for index in range(drop.header.slots):
            # A letter may be sealed under yesterday's record: the desk's entry is the week's.
            info = hpke.info("desk", record.body.desk_entry_hash(record.body.desks[0]))
            plain = hpke.open_sealed(private("desk"), info, open_slot(key, drop, index))
            if plain[0]:
                size = int.from_bytes(plain[2:4])
                texts.append(plain[LETTER_HEADER : LETTER_HEADER + size].decode())
        return texts


Make = Callable[..., Awaitable[Room]]


def room_on(path: Path, parameters: Parameters = AT_ONCE, day: int = DAY) -> Room:
    """A room that is built but not yet open."""
    return Room(simulated_town(path, day, parameters=parameters))


@pytest.fixture
async def make_room(tmp_path: Path) -> AsyncIterator[Make]:
    """Makes open rooms and closes them."""
    rooms: list[Room] = []

    async def make(parameters: Parameters = AT_ONCE, day: int = DAY) -> Room:
        room = room_on(tmp_path / str(len(rooms)), parameters, day)
        rooms.append(room)
        await room.open()
        return room

    yield make
    for room in rooms:
        room.town.close()
