"""A source's surroundings: records of known keys, a mirror, an ingress, time that jumps."""

from __future__ import annotations

import asyncio
import fcntl
import os
import selectors
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.trust.made import PINS, board, body, record

from wallflower.host import Host
from wallflower.host.asgi import Receive, Scope, Send, answer, read_body, refuse
from wallflower.host.disk import Folder
from wallflower.lab.host import SeededEntropy, SimulatedClock, SimulatedNet
from wallflower.source.edge.store import Store
from wallflower.source.edge.visit import send_hum, visit
from wallflower.source.letters import Kept, Place, write_letter
from wallflower.trust.record import EpochRecord
from wallflower.wire.record import RecordBody, Way, WayKind
from wallflower.wire.sizes import CELL, DAY_S

MIRROR = "http://mirror.example"
SECRET = b"sixteen bytes 16"
WAYS = (Way(WayKind.INGRESS, 12, "http://i.example/"), Way(WayKind.BOARD, 12, "http://b.example/"))

T = TypeVar("T")


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer: ninety seconds of a hum take a moment."""

    def __init__(self) -> None:
        super().__init__(_JumpingSelector(self))
        self.jumped = 0.0

    def time(self) -> float:
        return self.jumped


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout > 0:
            self._loop.jumped += timeout
        return super().select(0)


def jump(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop whose clock jumps, and the wall's with it: by that of
    this machine, a test that others hold up for seconds would skip cells as if it had slept.
    """
    with (
        pytest.MonkeyPatch.context() as patch,
        asyncio.Runner(loop_factory=JumpingLoop) as runner,
    ):
        defaults = send_hum.__defaults__ or ()
        patch.setattr(send_hum, "__defaults__", (runner.get_loop().time, *defaults[1:]))
        return runner.run(main)


def days(count: int) -> list[EpochRecord]:
    """So many chained records of following days, with an ingress and a second way to the board."""
    bodies: list[RecordBody] = []
    for n in range(count):
        before = bodies[-1] if bodies else None
        bodies.append(replace(body(n + 1, body().day + n, before), ways=WAYS))
    return [record(b) for b in bodies]


@dataclass
class Scene:
    """One source, one mirror, one ingress; the test decides what they answer."""

    path: Path
    records: list[EpochRecord]
    today: int = 0
    segments: int = 3
    salt: int = 0
    refuse_cells: frozenset[int] = frozenset()
    cells: list[bytes] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    clock: SimulatedClock = field(init=False)
    net: SimulatedNet = field(init=False)
    store: Store = field(init=False)
    on_cell: Any = None

    def __post_init__(self) -> None:
        self.clock = SimulatedClock(self.record.body.day * DAY_S + 3600.0)
        self.net = SimulatedNet({
            "mirror.example": self.mirror, "b.example": self.mirror, "i.example": self.ingress,
            "127.0.0.1": self.mirror,
        })  # fmt: skip
        self.store = Store(Folder(self.path / "store"))

    @property
    def record(self) -> EpochRecord:
        """The record of the day."""
        return self.records[self.today]

    def next_day(self) -> None:
        """The day after."""
        self.today += 1
        self.clock.time += DAY_S

    @property
    def host(self) -> Host:
        """What the source runs on."""
        seed = SeededEntropy(b"source%d" % self.today)
        return Host(self.clock, seed, Folder(self.path / "own"), self.net)

    def fetched(self, path: str) -> bytes | None:
        """What the mirror holds under a path."""
        shown = board(self.records[0], self.segments, salt=self.salt)
        if path == "/record":
            return self.record.raw
        if path == "/board/head":
            return shown.head()
        number = path.removeprefix("/board/")
        return shown.raw[int(number) - 1] if number.isdigit() else None

    async def mirror(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        found = self.fetched(scope["path"])
        await (refuse(send) if found is None else answer(send, 200, found))

    async def ingress(self, scope: Scope, receive: Receive, send: Send) -> None:
        cell = await read_body(receive, CELL)
        assert cell is not None
        self.cells.append(cell)
        self.times.append(asyncio.get_running_loop().time())
        if self.on_cell is not None:
            self.on_cell()
        await (refuse(send) if cell[1] in self.refuse_cells else answer(send, 204))

    async def visit(self, mirror: str = MIRROR) -> tuple[bool, int]:
        """One visit."""
        return await visit(self.host, mirror, PINS, self.store)

    def write(self, text: str, place: int | None = None) -> Kept:
        """Seal a letter into the store, as `wallflower write` does."""
        kept = self.store.letters()
        draw = SeededEntropy(text.encode()).draw
        new = write_letter(SECRET, text, 1, self.record, PINS.desk, kept, draw)
        at = next(i for i, k in enumerate(kept) if k.place is Place.FILLER)
        kept[at if place is None else place] = new
        self.store.write_letters(kept)
        return new


def watch_writing(scene: Scene, patch: pytest.MonkeyPatch) -> list[bool]:
    """For each writing of the letters from now on, whether its folder was held meanwhile."""
    held: list[bool] = []
    real = Store.write_letters

    def look(store: Store, kept: list[Kept]) -> None:
        there = os.open(scene.path / "store", os.O_RDONLY)
        try:
            fcntl.flock(there, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held.append(False)
        except BlockingIOError:
            held.append(True)
        finally:
            os.close(there)
        real(store, kept)

    patch.setattr(Store, "write_letters", look)
    return held
