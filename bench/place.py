"""A town whose mixes are real and whose upstreams are pages in memory, and hums to feed it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.parts import Part
from wallflower.crypto import hpke
from wallflower.host import Host
from wallflower.host.asgi import Receive, Scope, Send, answer, read_body
from wallflower.host.disk import Folder, settle
from wallflower.host.entropy import OsEntropy
from wallflower.host.log import Entry
from wallflower.host.loops import LoopSettings
from wallflower.host.pull import QUESTION, encode_entries, parse_question
from wallflower.lab.host import SimulatedClock, SimulatedNet
from wallflower.lab.town import BOARD, PARAMETERS, TOKEN, Signers, SimulatedTown
from wallflower.mix.edge.mix import PAGE, Mix
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
        return sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)


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
    pages: dict[str, list[bytes]] = field(default_factory=dict)

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
        """Let a mix pull all of it as it does at a tick, until it is durable; `slow` is called once
        a page, for the control."""
        size = PAGE[mix.position]
        record = self.town.record().number
        first = mix.state.number("cursor") + 1
        entries = [Entry(n, record, body) for n, body in enumerate(bodies, first)]
        pages = [encode_entries(entries[at : at + size]) for at in range(0, len(entries), size)]
        self.pages[mix.position] = pages
        with timed() as spent:
            for _ in pages:
                slow()
            await mix._intake()
            settle(mix.state.db)
        assert mix.state.number("cursor") == entries[-1].seq, "everything was pulled"
        return spent(len(bodies))

    def upstream(self, position: str) -> Callable[[Scope, Receive, Send], object]:
        """What a mix pulls from: the pages that were laid out for it, each once."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            _, most = parse_question(await read_body(receive, QUESTION) or b"")
            pages = self.pages.get(position, []) if most else []
            await answer(send, 200, pages.pop(0) if pages else b"")

        return app


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


async def open_place(path: Path, *, in_memory: bool, workers: int = 0) -> Place:
    """A town at noon with records of three days, loops watched as `wallflower new` sets them."""
    parameters = replace(PARAMETERS, tick=600, mean_a=6 * 3600, mean_b=18 * 3600, slots=32)
    town = BenchTown(
        path, SimulatedClock(DAY * DAY_S + DAY_S / 2), SimulatedNet({}), b"bench",
        Signers(*(draw(32) for _ in range(5))), parameters, LoopSettings(draw(32), 96), workers,
        in_memory=in_memory,
    )  # fmt: skip
    town.build()
    desk, drop = (hpke.PrivateKey.from_seed(draw(32)) for _ in range(2))
    keys = b"".join(
        d.to_bytes(4) + drop.public.raw + week_of_day(d).to_bytes(2) + desk.public.raw
        for d in range(DAY, DAY + 12)
    )
    await town.net.post(f"{BOARD}/desk/keys", keys, TOKEN)
    while town.server.status()["days_ahead"] < 3:
        await town.pass_time(parameters.tick)
    place = Place(town, desk, drop)
    town.net.apps["inner.example"] = place.upstream("a")  # type: ignore[assignment]
    town.net.apps["a.example"] = place.upstream("b")  # type: ignore[assignment]
    return place


def spread(hums: list[list[bytes]]) -> list[bytes]:
    """The cells of hums in the order in which a large audience sends them: those of one hum lie
    far apart, since each sends one cell a slot."""
    count = len(hums)
    apart = -(-count // 12)
    return [hums[(n - c * apart) % count][c] for n in range(count) for c in range(12)]
