"""The cells of hums that are not whole yet: on A's disk, never more than so many. Spec: hum 2.6.

Beyond the bound whole gatherings leave by lot. Each has a lot of its own, drawn when its first cell
came, so that nobody who chooses ids (those of body cells are in clear) chooses who leaves. A hum
that has become whole is here no more, and cannot be lost to it.
"""

from __future__ import annotations

from wallflower.host.entropy import Entropy
from wallflower.mix.edge.state import State
from wallflower.wire.cell import Cell, parse_cell
from wallflower.wire.hum import Gathering
from wallflower.wire.sizes import HUM_CELLS, POSITIONS

# Cells. About 1.2 GB of disk: SQLite gives each a page and a half of 4,096 bytes.
MOST_WAITING = 262_144
MOST_OPENINGS = HUM_CELLS // POSITIONS  # a position has so many copies (hum 2.3)
_LOT = 8


class Waiting:
    """Gatherings by (record, hum id). The caller begins and commits transactions."""

    def __init__(self, state: State, entropy: Entropy) -> None:
        self._db = state.db
        self._entropy = entropy
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS waiting (record INTEGER, hum BLOB, counter INTEGER, "
            "cell BLOB NOT NULL, PRIMARY KEY (record, hum, counter)) WITHOUT ROWID"
        )
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS gatherings (record INTEGER, hum BLOB, lot BLOB NOT NULL, "
            "cells INTEGER NOT NULL, openings INTEGER NOT NULL, PRIMARY KEY (record, hum)) "
            "WITHOUT ROWID"
        )
        self._db.execute("CREATE INDEX IF NOT EXISTS by_lot ON gatherings (lot)")

    def cells(self) -> int:
        """How many cells wait."""
        query = "SELECT coalesce(sum(cells), 0) FROM gatherings"
        return int(self._db.execute(query).fetchone()[0])

    def put(self, record: int, hum: bytes, cell: Cell) -> None:
        """Keep a cell; a second one with the same counter is dropped (hum 2.1)."""
        new = self._db.execute(
            "INSERT OR IGNORE INTO waiting VALUES (?, ?, ?, ?)",
            (record, hum, cell.counter, cell.encode()),
        ).rowcount
        if new:
            self._db.execute(
                "INSERT INTO gatherings VALUES (?, ?, ?, 1, 0) "
                "ON CONFLICT (record, hum) DO UPDATE SET cells = cells + 1",
                (record, hum, self._entropy.draw(_LOT)),
            )

    def gathered(self, record: int, hum: bytes) -> Gathering:
        """The cells of one hum that have come so far."""
        gathering = Gathering()
        query = "SELECT cell FROM waiting WHERE record = ? AND hum = ? ORDER BY counter"
        for (raw,) in self._db.execute(query, (record, hum)):
            gathering.add(parse_cell(raw))
        return gathering

    def opened(self, record: int, hum: bytes, broken: list[int]) -> bool:
        """Note an opening that made no parcel, and drop the copies that did not open.

        Returns whether this hum may be opened again when other copies come (hum 2.3).
        """
        for counter in broken:
            self._db.execute(
                "DELETE FROM waiting WHERE record = ? AND hum = ? AND counter = ?",
                (record, hum, counter),
            )
        query = (
            "UPDATE gatherings SET cells = cells - ?, openings = openings + 1 "
            "WHERE record = ? AND hum = ? RETURNING openings"
        )
        ((openings,),) = self._db.execute(query, (len(broken), record, hum)).fetchall()
        return int(openings) < MOST_OPENINGS

    def drop(self, record: int, hum: bytes) -> int:
        """Forget a hum: it went on, is junk, or lost its lot. Returns how many cells it had."""
        self._db.execute("DELETE FROM waiting WHERE record = ? AND hum = ?", (record, hum))
        query = "DELETE FROM gatherings WHERE record = ? AND hum = ? RETURNING cells"
        return sum(cells for (cells,) in self._db.execute(query, (record, hum)).fetchall())

    def bound(self) -> int:
        """Let gatherings leave by lot until no more than MOST_WAITING cells wait; how many left."""
        over, left = self.cells() - MOST_WAITING, 0
        while over > 0:
            over -= self.drop(*self._drawn())
            left += 1
        return left

    def _drawn(self) -> tuple[int, bytes]:
        query = "SELECT record, hum FROM gatherings WHERE lot >= ? ORDER BY lot LIMIT 1"
        found = self._db.execute(query, (self._entropy.draw(_LOT),)).fetchone()
        # Beyond the highest lot comes the lowest.
        record, hum = found or self._db.execute(query, (b"",)).fetchone()
        return int(record), bytes(hum)

    def records(self) -> list[int]:
        """The numbers of the records that cells wait under."""
        return [number for (number,) in self._db.execute("SELECT DISTINCT record FROM waiting")]

    def forget(self, record: int) -> None:
        """Drop everything of a record."""
        self._db.execute("DELETE FROM waiting WHERE record = ?", (record,))
        self._db.execute("DELETE FROM gatherings WHERE record = ?", (record,))
