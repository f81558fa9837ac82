"""A town whose mixes are real and whose upstreams are pages that lie ready, and hums to feed it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bench.parts import Part
from wallflower.crypto import hpke
from wallflower.host import Host
from wallflower.host.asgi import Receive, Scope, Send, answer, read_body
from wallflower.host.disk import PAGE_SIZE, Folder
from wallflower.host.entropy import OsEntropy
from wallflower.host.log import Entry
from wallflower.host.loops import LoopSettings
from wallflower.host.net import Unreachable
from wallflower.host.pull import SHARE_QUESTION, encode_entries, parse_share_question
from wallflower.lab.host import SimulatedClock, SimulatedNet
from wallflower.lab.town import BOARD, PARAMETERS, TOKEN, Signers, SimulatedTown
from wallflower.mix.edge.mix import PAGE, Mix
from wallflower.wire.cells import share_of
from wallflower.wire.hello import Kind
from wallflower.wire.hum import make_hum
from wallflower.wire.letter import FILLER, Letter, LetterKind, seal_letter
from wallflower.wire.sizes import DAY_S, week_of_day

DAY = 20778
LETTERS = 50  # one hum in so many carries a letter
draw = OsEntropy().draw


def no_step() -> None:
    """What is done before each page, but for the control: nothing."""


class MemoryFolder(Folder):
    """A folder whose databases are in memory and never on a disk."""

    def database(self, name: str) -> sqlite3.Connection:
        """An empty database."""
        db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        db.execute(f"PRAGMA page_size={PAGE_SIZE}")
        return db


@dataclass(slots=True)
class BenchTown(SimulatedTown):
    """The town of the tests, with the machine's own entropy; mixes in memory when asked."""

    in_memory: bool = False

    def host(self, name: str) -> Host:
        """A host with real entropy and the disk that is measured."""
        folder = MemoryFolder if self.in_memory and name.startswith("mix-") else Folder
        return Host(self.clock, OsEntropy(), folder(self.path / name), self.net)


@dataclass(slots=True)
class Place:
    """A town with records, the keys of its desk, and the pages that its mixes will pull."""

    town: BenchTown
    desk: hpke.PrivateKey
    drop: hpke.PrivateKey
    pages: Path
    in_files: bool
    next: int = 1  # of all that was ever laid out

    def hums(self, count: int) -> list[list[bytes]]:
        """So many hums of today's record, one in LETTERS with a letter, each with its own."""
        body = self.town.record().body
        entry = body.desks[0]
        binding = body.desk_entry_hash(entry)
        filler = seal_letter(entry.key, binding, FILLER)
        made = []
        for n in range(count):
            kind, sealed = Kind.COVER, filler
            if n % LETTERS == 0:
                kind, sealed = Kind.LETTER, seal_letter(entry.key, binding, letter(entry.week))
            made.append(make_hum(body, kind, sealed, draw))
        return made

    async def take(self, mix: Mix, bodies: list[bytes], slow: Callable[[], None] = no_step) -> Part:
        """Let a mix take all of it as it does at a tick, until it is durable; `slow` is called once
        a page, for the control."""
        of = self.town.workers + 1 if mix.position == "a" else 1
        shares: list[list[bytes]] = [[] for _ in range(of)]
        for body in bodies:
            shares[share_of(body, of) if of > 1 else 0].append(body)
        laid = [self._lay_out(mix, share, number) for number, share in enumerate(shares)]
        lines = {"a": "inner.example", "b": "a.example"}
        line = PageLine(self.pages, mix.position, in_memory=not self.in_files)
        self.town.net.apps[lines[mix.position]] = line.app
        with timed() as spent:
            for _ in range(sum(laid)):
                slow()
            await mix._intake(self.town.record())
            mix.settle()
        assert line.left(0) == 0, "everything was pulled"
        return spent(len(bodies))

    def _lay_out(self, mix: Mix, bodies: list[bytes], share: int) -> int:
        """Write the pages that a share will pull; how many."""
        for old in self.pages.glob(f"{mix.position}-{share}-*"):
            old.unlink()
        size, record = PAGE[mix.position], self.town.record().number
        entries = [Entry(n, record, body) for n, body in enumerate(bodies, self.next)]
        self.next += len(bodies)
        pages = [encode_entries(entries[at : at + size]) for at in range(0, len(entries), size)]
        for number, page in enumerate(pages):
            (self.pages / f"{mix.position}-{share}-{number:04}").write_bytes(page)
        return len(pages)


class PageLine:
    """What is pulled: the pages that were laid out in a folder, each once, and no other process's
    work. The same for a mix and for its workers; or, `in_memory`, without looking at a file."""

    def __init__(self, folder: Path, position: str, *, in_memory: bool = False) -> None:
        self._folder = folder
        self._position = position
        self._came: dict[int, int] = {}
        self._read = {path: path.read_bytes() for path in self._paths(0)} if in_memory else {}

    def _paths(self, share: int) -> list[Path]:
        return sorted(self._folder.glob(f"{self._position}-{share}-*"))

    def left(self, share: int) -> int:
        """How many pages of a share were not asked for."""
        return len(self._paths(share)) - self._came.get(share, 0)

    async def get(self, url: str, token: str = "", limit: int = 0) -> bytes:
        """Nobody asks."""
        raise Unreachable

    async def post(self, url: str, body: bytes, token: str = "", limit: int = 0) -> bytes:
        """The next page."""
        _, most, share = parse_share_question(body)
        number = self._came.get(share.number, 0)
        path = self._folder / f"{self._position}-{share.number}-{number:04}"
        if not most or not path.exists():
            return b""
        self._came[share.number] = number + 1
        return self._read.get(path) or path.read_bytes()

    async def close(self) -> None:
        """There is nothing to be closed."""

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The same for who asks in this process."""
        question = await read_body(receive, SHARE_QUESTION) or b""
        await answer(send, 200, await self.post("", question))


def letter(week: int) -> bytes:
    """The plain bytes of a letter, new each time."""
    text = draw(100).hex()
    return Letter(LetterKind.LETTER, 0, draw(16), draw(32), draw(32), week, 0, text).encode()


@contextmanager
def timed() -> Iterator[Callable[[int], Part]]:
    """Measure what is done within; afterwards, given how many things that were, say it."""
    wall, cpu = time.perf_counter(), time.process_time()
    spent = [0.0, 0.0]

    def say(count: int) -> Part:
        return Part(count, *spent)

    yield say
    spent[:] = time.perf_counter() - wall, time.process_time() - cpu


async def open_place(
    path: Path, *, in_memory: bool, workers: int = 0, in_files: bool = False
) -> Place:
    """A town at noon with records of three days, loops watched as `wallflower new` sets them."""
    parameters = replace(PARAMETERS, tick=600, mean_a=6 * 3600, mean_b=18 * 3600, slots=32)
    town = BenchTown(
        path, SimulatedClock(DAY * DAY_S + DAY_S / 2), SimulatedNet({}), b"bench",
        Signers(*(draw(32) for _ in range(5))), parameters, LoopSettings(draw(32), 96), workers,
        in_memory=in_memory,
    )  # fmt: skip
    pages = path / "pages"
    pages.mkdir(parents=True)
    town.dial = partial(PageLine, pages, "a")
    town.build()
    desk, drop = (hpke.PrivateKey.from_seed(draw(32)) for _ in range(2))
    keys = b"".join(
        d.to_bytes(4) + drop.public.raw + week_of_day(d).to_bytes(2) + desk.public.raw
        for d in range(DAY, DAY + 12)
    )
    await town.net.post(f"{BOARD}/desk/keys", keys, TOKEN)
    while town.server.status()["days_ahead"] < 3:
        await town.pass_time(parameters.tick)
    return Place(town, desk, drop, pages, in_files)


def spread(hums: list[list[bytes]]) -> list[bytes]:
    """The cells of hums in the order in which a large audience sends them: those of one hum lie
    far apart, since each sends one cell a slot."""
    count = len(hums)
    apart = -(-count // 12)
    return [hums[(n - c * apart) % count][c] for n in range(count) for c in range(12)]
