"""`wallflower` with one fault planted in it: the positive controls of the fault tests.

    python planted.py FAULT COMMAND CONFIG

No test is worth its time that stays green when the thing that it watches for is there.
"""

from __future__ import annotations

import itertools
import sqlite3
import sys
from collections.abc import Callable

from wallflower.cli import main
from wallflower.host.disk import Folder
from wallflower.host.log import Entry
from wallflower.host.net import Unreachable
from wallflower.host.pull import pull
from wallflower.host.quiet import PATIENCE_S
from wallflower.host.seats import Guest, Seats
from wallflower.mix.edge.mix import PAGE, Mix

_ROUNDS_HELD = 8


def acknowledge_early() -> None:
    """A mix that acknowledges what it pulled at once, and commits it some rounds later. (A hum
    lasts three rounds and holds each cell three times, which would mend a shorter lapse.)"""
    held: list[Entry] = []
    rounds = itertools.count(1)

    async def intake(self: Mix) -> None:
        if next(rounds) % _ROUNDS_HELD == 0:
            with self.state.transaction():
                self.part.take(held)
            held.clear()
        s = self._settings
        while True:
            after = self.state.number("cursor")
            try:
                entries = await pull(self._host.net, s.source_url, s.source_token, after, PAGE)
            except Unreachable:
                return
            if not entries:
                return
            held.extend(entries)
            with self.state.transaction():
                self.state.set_number("cursor", entries[-1].seq)

    Mix._intake = intake  # type: ignore[method-assign]


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
    "acknowledge-early": acknowledge_early,
    "no-sync": no_sync,
    "no-seats": no_seats,
}

if __name__ == "__main__":
    FAULTS[sys.argv.pop(1)]()
    main()
