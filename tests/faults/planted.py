"""`wallflower` with one fault planted in it: the positive controls of the fault tests.

    python planted.py FAULT COMMAND CONFIG

No test is worth its time that stays green when the thing that it watches for is there.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import replace

from wallflower.board.edge.board import Board
from wallflower.board.release import parse_batch
from wallflower.cli import main
from wallflower.desk.edge import drops
from wallflower.desk.edge.letters import Letters
from wallflower.desk.edge.parts import Parts
from wallflower.desk.inbox import Opened
from wallflower.host.disk import Folder
from wallflower.host.entropy import OsEntropy
from wallflower.host.log import Entry
from wallflower.host.net import Unreachable
from wallflower.host.pull import pull
from wallflower.host.quiet import PATIENCE_S
from wallflower.host.seats import Guest, Seats
from wallflower.ingress.edge.commit import Commit
from wallflower.mix.edge.mix import PAGE, Mix
from wallflower.mix.edge.pool import Pool, number_of
from wallflower.trust.record import EpochRecord
from wallflower.wire.drop import parse_drop
from wallflower.wire.sizes import HASH


def answer_early() -> None:
    """An ingress that answers 204 at once and puts nothing on the disk before a kill comes."""
    held: list[bytes] = []

    async def put(self: Commit, cell: bytes) -> bool:
        held.append(cell)
        return True

    Commit.put = put  # type: ignore[method-assign]


def acknowledge_early() -> None:
    """A mix that acknowledges what it pulled at once, and commits nothing before a kill comes."""
    held: list[Entry] = []

    async def intake(self: Mix, record: EpochRecord) -> None:
        s = self._settings
        while True:
            after = self.state.number("cursor")
            try:
                entries = await pull(
                    self._host.net, s.source_url, s.source_token, after, PAGE[self.position]
                )
            except Unreachable:
                return
            if not entries:
                return
            held.extend(entries)
            with self.state.transaction():
                self.state.set_number("cursor", entries[-1].seq)

    Mix._intake = intake  # type: ignore[method-assign]


def put_twice() -> None:
    """A mix that puts letters out in one commit and deletes them in the next. Between the two it
    stops itself, so that a kill hits that very instant."""
    honest_take, honest_tick = Pool.take, Mix._tick
    leaving: list[bytes] = []

    def take(self: Pool, name: bytes) -> bytes | None:
        query = "SELECT key_day, sealed FROM pool WHERE name = ?"
        key_day, sealed = self._db.execute(query, (number_of(name),)).fetchone()
        leaving.append(name)
        return self._opened(name, key_day, sealed)

    def tick(self: Mix, record: EpochRecord) -> None:
        honest_tick(self, record)
        if leaving:
            os.kill(os.getpid(), signal.SIGSTOP)
        with self.state.transaction():
            for name in leaving:
                honest_take(self.pool, name)
        leaving.clear()

    Pool.take = take  # type: ignore[method-assign]
    Mix._tick = tick  # type: ignore[method-assign]


def mislay_batch() -> None:
    """A desk server that says that it has a day-batch and keeps it in memory only."""

    def take_batch(self: Board, data: bytes, record: EpochRecord, now: float) -> None:
        parse_batch(data, record)

    Board.take_batch = take_batch  # type: ignore[method-assign]


def acknowledge_drops_early() -> None:
    """A desk that acknowledges each drop at once, and keeps nothing before a kill comes."""

    async def read_drop(parts: Parts, entry: Entry) -> None:
        with parts.store.transaction():
            parts.store.put("cursor", entry.seq)

    drops._read_drop = read_drop


def keep_twice() -> None:
    """A desk that keeps what is in a drop in one commit, under random names, and its cursor in the
    next. Between the two it stops itself when the drop held a letter."""

    async def read_drop(parts: Parts, entry: Entry) -> None:
        drop = parse_drop(entry.body)
        record = await parts.record(drop.header.record)
        assert record is not None
        before = _letters(parts)
        with parts.store.transaction():
            drops._keep_drop(parts, drop, record)
        if _letters(parts) > before:
            os.kill(os.getpid(), signal.SIGSTOP)
        with parts.store.transaction():
            parts.store.put("cursor", entry.seq)

    def keep(self: Letters, opened: Opened, day: int) -> None:
        for arrived in opened.letters:
            self._keep(replace(arrived, id=OsEntropy().draw(HASH)), day)

    drops._read_drop = read_drop
    Letters.keep = keep  # type: ignore[method-assign]


def _letters(parts: Parts) -> int:
    return int(parts.store.run("SELECT count(*) FROM letters")[0][0])


def no_sync() -> None:
    """Databases whose commits return before anything is on the disk."""
    honest = Folder.database

    def database(self: Folder, name: str) -> sqlite3.Connection:
        db = honest(self, name)
        db.execute("PRAGMA synchronous=OFF")
        return db

    Folder.database = database  # type: ignore[method-assign]


def no_seats() -> None:
    """Listeners whose connections may stay for ever, whatever they do, however many there are."""

    def enter(self: Seats, guest: Guest, prefix: str | None, now: float) -> tuple[bool, None]:
        return True, None

    Seats.enter = enter  # type: ignore[method-assign]
    for state in PATIENCE_S:
        PATIENCE_S[state] = 1e6


FAULTS: dict[str, Callable[[], None]] = {
    "answer-early": answer_early,
    "acknowledge-early": acknowledge_early,
    "put-twice": put_twice,
    "mislay-batch": mislay_batch,
    "acknowledge-drops-early": acknowledge_drops_early,
    "keep-twice": keep_twice,
    "no-sync": no_sync,
    "no-seats": no_seats,
}

if __name__ == "__main__":
    FAULTS[sys.argv.pop(1)]()
    main()
