"""A simulated month: everything rotates, operators sleep, and every letter is accounted for.

The roles' own code on simulated hosts. What is left out of a visit, and said: most visitors do not
download the board (a few a day do, whole and verified), and the film does not exist.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.lab.site import Person, Site, desk_of

from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.host.disk import Folder
from wallflower.host.entropy import below
from wallflower.lab.host import SeededEntropy
from wallflower.lab.town import DESK_NAME, MIRROR, PARAMETERS, SimulatedTown, simulated_town
from wallflower.mix.edge.pool import Pool, name_of
from wallflower.source.edge.visit import fetch_record
from wallflower.source.letters import Kept, seal_filler, write_letter
from wallflower.trust.record import EpochRecord
from wallflower.wire.hello import Kind, open_seal_b
from wallflower.wire.hum import make_hum
from wallflower.wire.parcel import open_parcel_body, parse_parcel
from wallflower.wire.record import Parameters
from wallflower.wire.sizes import DAY_S, DROP_HEADER, DROP_SEAL, DROP_SLOT, SIGNATURE

INGRESS = "http://ingress.example/"
REAL = replace(
    PARAMETERS, mean_a=6 * 3600, mean_b=18 * 3600, tick=600, slots=32, floor=5
)  # fmt: skip
ADDRESS = {"mix-a": "a.example", "mix-b": "b.example"}


@dataclass(frozen=True, slots=True)
class Night:
    """An operator sleeps: the role's process is stopped from a moment on, for so long."""

    role: str
    day: int
    hour: float = 22.0
    hours: float = 9.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how many, and what happens. Days are counted from the first."""

    days: int
    letters: int
    covers: int
    nights: tuple[Night, ...] = ()
    revocations: tuple[tuple[int, str], ...] = ()
    desk_every: int = 6  # ticks
    parameters: Parameters = REAL
    readers: int = 1  # whole visits a day, board and all


@dataclass
class Waiting:
    """A letter from its sealing until it leaves."""

    text: str
    kept: Kept
    leaves: int


@dataclass
class Account:
    """What became of every letter, by text; and the sizes that were seen."""

    sent: dict[bytes, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    delivered: set[str] = field(default_factory=set)
    in_a: set[str] = field(default_factory=set)
    in_b: set[str] = field(default_factory=set)
    drop_sizes: Counter[int] = field(default_factory=Counter)
    segment_sizes: Counter[int] = field(default_factory=Counter)
    batch_sizes: Counter[int] = field(default_factory=Counter)
    cells_refused: int = 0
    boards_read: int = 0
    records: int = 0
    answers: int = 0

    def lost(self) -> set[str]:
        """Sent, and nowhere."""
        return set(self.sent.values()) - self.delivered - self.in_a - self.in_b

    def table(self, plan: Plan, seconds: float) -> str:
        """A few lines for a person."""
        rows = [
            ("days simulated", plan.days), ("letters written", plan.letters),
            ("honest covers", plan.covers), ("letters sent", len(self.sent)),
            ("delivered to the desk", len(self.delivered)), ("still in A's pool", len(self.in_a)),
            ("still in B's pool", len(self.in_b)), ("still with their writers", len(self.waiting)),
            ("refused, by number", dict(self.refused) or 0),
            ("cells refused at A", self.cells_refused),
            ("lost", len(self.lost())), ("records made", self.records),
            ("drops, by size", dict(self.drop_sizes)),
            ("board segments, by size", dict(self.segment_sizes)),
            ("day-batches, by size", dict(self.batch_sizes)),
            ("whole boards read and verified", self.boards_read), ("answers read", self.answers),
            ("seconds of one core", round(seconds)),
        ]  # fmt: skip
        return "\n".join(f"{name:32} {value}" for name, value in rows)


class Month:
    """Runs a plan. `say` gets a line a day."""

    def __init__(self, path: Path, plan: Plan, first_day: int, say: Callable[[str], None]) -> None:
        self.plan, self.first, self.say = plan, first_day, say
        self.town: SimulatedTown = simulated_town(path, first_day, b"month", plan.parameters)
        self.site = Site(self.town, desk_of(self.town))
        self.draw = SeededEntropy(b"people of a month").draw
        self.account = Account()
        self.waiting: list[Waiting] = []
        self.reader: Person = self.site.person("reader")
        self.known: EpochRecord | None = None
        self._seen_segments: set[str] = set()
        self._answered: set[bytes] = set()

    async def run(self) -> Account:
        """All of it."""
        began = time.process_time()
        for _ in range(6):
            await self.town.step()
            await self.site.desk.step()
        ticks = self.plan.days * DAY_S // self.plan.parameters.tick
        leaving = self._spread(self.plan.letters, ticks - DAY_S // self.plan.parameters.tick)
        covers = self._spread(self.plan.covers, ticks)
        for tick in range(ticks):
            now = self.town.clock.now()
            self._people_who_sleep(now)
            self._write(leaving, tick)
            await self._hums(tick, covers[tick])
            await self.town.pass_time(self.plan.parameters.tick)
            if tick % self.plan.desk_every == 0:
                await self._desk()
            if (tick + 1) % (DAY_S // self.plan.parameters.tick) == 0:
                await self._evening(
                    (tick + 1) * self.plan.parameters.tick // DAY_S, time.process_time() - began
                )
        await self._close()
        return self.account

    def _spread(self, count: int, ticks: int) -> list[int]:
        """How many of `count` fall on each tick, uniformly at random."""
        at = Counter(below(self.draw, ticks) for _ in range(count))
        return [at[tick] for tick in range(ticks)]

    def _people_who_sleep(self, now: float) -> None:
        for night in self.plan.nights:
            begin = (self.first + night.day) * DAY_S + night.hour * 3600
            asleep = begin <= now < begin + night.hours * 3600
            if asleep and night.role not in self.town.off:
                self.town.stop(night.role, ADDRESS[night.role])
            if not asleep and night.role in self.town.off:
                self.town.start(night.role, ADDRESS[night.role])

    def _write(self, leaving: list[int], tick: int) -> None:
        """Letters are sealed a day before they leave, under the record of that day."""
        if tick >= len(leaving):
            return
        record = self.town.record()
        for _ in range(leaving[tick]):
            number = len(self.account.sent) + len(self.waiting)
            text = f"letter {number} 证据 " + "x" * (number % 900)
            secret = sha256(f"writer {number // 12}".encode())[:16]
            kept = write_letter(secret, text, 2, record, DESK_NAME, [], self.draw)
            self.waiting.append(Waiting(text, kept, tick + DAY_S // self.plan.parameters.tick))

    async def _hums(self, tick: int, covers: int) -> None:
        due = [w for w in self.waiting if w.leaves <= tick]
        self.waiting = [w for w in self.waiting if w.leaves > tick]
        if not due and not covers:
            return
        try:
            record = await fetch_record(
                self.town.host("audience"), MIRROR, self.town.pins, self.known
            )
        except Refused as refused:
            self.account.refused[refused.rule] += len(due)
            self.waiting += due
            return
        self.known = record
        hums: list[tuple[Kind, bytes]] = [(Kind.COVER, b"")] * covers
        for one in due:
            if not record.is_ancestor(one.kept.record_hash):
                self.account.refused["hum 1.6"] += 1
                continue
            hums.append((Kind.LETTER, one.kept.sealed))
            self.account.sent[sha256(one.kept.sealed)] = one.text
        await asyncio.gather(*(self._hum(record, kind, sealed) for kind, sealed in hums))

    async def _hum(self, record: EpochRecord, kind: Kind, sealed: bytes) -> None:
        cells = make_hum(record.body, kind, sealed or seal_filler(record, DESK_NAME), self.draw)
        await asyncio.gather(*(self.town.net.post(INGRESS, cell, limit=0) for cell in cells))

    async def _desk(self) -> None:
        sizes = self.town.b.state.db.execute("SELECT seq, length(body) FROM drops").fetchall()
        fresh = {seq: size for seq, size in sizes if seq > self._last_drop}
        self._last_drop = max(fresh, default=self._last_drop)
        self.account.drop_sizes.update(fresh.values())
        await self.site.desk.step()

    _last_drop = 0

    async def _evening(self, day: int, seconds: float) -> None:
        """Somebody reads a whole board; the handler opens some letters and answers one."""
        desk, account = self.site.desk, self.account
        for _ in range(self.plan.readers):
            await self.reader.visit()
            account.boards_read += 1
        for case in [c for c in desk.inbox() if c.id not in self._answered][:3]:
            self._answered.add(case.id)
            for letter in desk.conversation(case.id).letters[:4]:
                desk.open_letter(letter.id)
            desk.answer(case.id, "谢谢")
        for folder, found in (
            ("board", account.segment_sizes), ("batches", account.batch_sizes)
        ):  # fmt: skip
            files = Folder(self.town.path / "board" / folder)
            for name in files.names():
                if name.isdigit() and f"{folder}/{name}" not in self._seen_segments:
                    self._seen_segments.add(f"{folder}/{name}")
                    found[len(files.read(name) or b"")] += 1
        for when, what in self.plan.revocations:
            if when == day:
                Folder(self.town.path / "board").write("revoke", what.encode())
        delivered = len(self._texts())
        self.say(
            f"day {day:2}: record {self.town.record().number}, sent {len(account.sent)}, delivered "
            f"{delivered}, pools {self.town.a.pool.size()} and {self.town.b.pool.size()}, "
            f"{seconds:.0f} s"
        )

    def _texts(self) -> set[str]:
        assert self.site.desk._store is not None
        return {text for (text,) in self.site.desk._store.run("SELECT text FROM letters")}

    async def _close(self) -> None:
        """Look into every place where a letter can be."""
        await self._desk()
        account, town = self.account, self.town
        account.delivered = self._texts() & set(account.sent.values())
        account.waiting = [w.text for w in self.waiting]
        account.in_b = {account.sent[sha256(body)] for body in self._bodies(town.b.pool)}
        account.in_a = {
            account.sent[name] for body in self._parcels() if (name := self._letter(body))
        }
        account.cells_refused = town.a.status()["refused"]
        account.records = len(town.server.records._records)
        assert self.site.desk._store is not None
        on_board = "SELECT count(*) FROM replies WHERE state = 'board'"
        account.answers = self.site.desk._store.run(on_board)[0][0]
        town.close()

    def _bodies(self, pool: Pool) -> list[bytes]:
        rows = pool._db.execute("SELECT name, key_day, sealed FROM pool").fetchall()
        opened = [pool._opened(name_of(number), *rest) for number, *rest in rows]
        assert None not in opened
        return [body for body in opened if body is not None]

    def _parcels(self) -> list[bytes]:
        """What A holds, and what it handed out and B has not asked for yet."""
        out = [entry.body for entry in self.town.a.part.out.read(0, 100_000)]
        return [*self._bodies(self.town.a.pool), *out]

    def _letter(self, body: bytes) -> bytes | None:
        """The hash of the letter in a parcel, with B's own keys; None for a cover."""
        parcel = parse_parcel(body)
        for number in sorted(self.town.b.records._hops.numbers(), reverse=True):
            usable = self.town.b.records.usable(number)
            if usable is None:
                continue
            try:
                key, b_record = open_seal_b(usable[1], usable[0], parcel.seal_b)
            except Refused:
                continue
            is_letter = b_record.kind is Kind.LETTER
            return sha256(open_parcel_body(key, parcel.body)) if is_letter else None
        raise AssertionError("a parcel that B could not open")


def drop_size(slots: int) -> int:
    """The bytes of every drop."""
    return DROP_HEADER + DROP_SEAL + slots * DROP_SLOT + SIGNATURE
