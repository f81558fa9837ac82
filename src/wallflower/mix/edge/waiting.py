"""The cells of hums that are not whole yet: on A's disk, never more than so many. Spec: hum 2.6.

Beyond the bound whole gatherings leave by lot. Each has a lot of its own, drawn when its first cell
came, so that nobody who chooses ids (those of body cells are in clear) chooses who leaves. A hum
that has become whole is here no more, and cannot be lost to it.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Collection, Iterable, Mapping
from operator import itemgetter

from wallflower.host.entropy import Entropy
from wallflower.mix.edge.state import State
from wallflower.wire.hum import Gathering
from wallflower.wire.sizes import HUM_CELLS, POSITIONS

# Cells. About 0.8 GB of disk (3,150 bytes each, measured).
MOST_WAITING = 262_144
MOST_OPENINGS = HUM_CELLS // POSITIONS  # a position has so many copies (hum 2.3)
_LOT = 8
_NAME = 8  # 64 bits, as SQLite numbers rows


def among(
    db: sqlite3.Connection, query: str, record: int, hums: Collection[bytes]
) -> sqlite3.Cursor:
    """Ask once for many hums of a record: `%s` in the query stands for their names. No more than a
    page of them: SQLite takes 32,766 values."""
    return db.execute(query % ",".join("?" * len(hums)), (record, *hums))


class Waiting:
    """Gatherings by (record, hum id). The caller begins and commits transactions."""

    def __init__(self, state: State, entropy: Entropy, shares: int = 1) -> None:
        self._state = state
        self._db = state.db
        self._shares = shares
        self._entropy = entropy
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS waiting (name INTEGER PRIMARY KEY, "
            "record INTEGER NOT NULL, hum BLOB NOT NULL, counter INTEGER NOT NULL, "
            "cell BLOB NOT NULL)"
        )
        self._db.execute(
            "CREATE UNIQUE INDEX IF NOT EXISTS by_cell ON waiting (record, hum, counter)"
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

    def keep(
        self, record: int, gatherings: Mapping[bytes, Gathering], before: Mapping[bytes, Gathering]
    ) -> None:
        """Keep the cells of gatherings that are not whole; `before` is what `gathered` gave of
        them. A second cell with the same counter was dropped when it was added (hum 2.1)."""
        empty = Gathering()
        new = {
            hum: gathering.cells.keys() - before.get(hum, empty).cells.keys()
            for hum, gathering in sorted(gatherings.items(), key=itemgetter(0))  # as on the disk
        }
        cells = [(hum, counter) for hum, counters in new.items() for counter in sorted(counters)]
        # As in a pool, what SQLite numbers rows by is drawn. Several rows of a table fit one page
        # of the file; in a tree by the hums' ids each cell would have a page of its own.
        names = struct.unpack(f">{len(cells)}q", self._entropy.draw(_NAME * len(cells)))
        self._db.executemany(
            f"INSERT INTO waiting VALUES (?, {record:d}, ?, ?, ?)",  # noqa: S608
            (
                (name, hum, counter, gatherings[hum].cells[counter])
                for name, (hum, counter) in sorted(zip(names, cells, strict=True))
            ),
        )
        self._db.executemany(
            "INSERT INTO gatherings VALUES (?, ?, ?, ?, 0) "
            "ON CONFLICT (record, hum) DO UPDATE SET cells = cells + excluded.cells",
            (
                (record, hum, self._entropy.draw(_LOT), len(counters))
                for hum, counters in new.items() if counters
            ),
        )  # fmt: skip

    def gathered(self, record: int, hums: Collection[bytes]) -> dict[bytes, Gathering]:
        """What has come so far of these hums; one of which nothing came is not in it."""
        if self._db.execute("SELECT 1 FROM gatherings LIMIT 1").fetchone() is None:
            return {}
        # Two questions, since this table is wide and the other narrow: most hums are not here.
        query = "SELECT hum FROM gatherings WHERE record = ? AND hum IN (%s)"
        waiting = [hum for (hum,) in among(self._db, query, record, hums)]
        found: dict[bytes, Gathering] = {hum: Gathering() for hum in waiting}
        query = "SELECT hum, counter, cell FROM waiting WHERE record = ? AND hum IN (%s)"
        for hum, counter, raw in among(self._db, query, record, waiting):
            found[hum].cells[counter] = raw
        return found

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

    def drop_all(self, record: int, hums: Iterable[bytes]) -> None:
        """Forget hums that went on or are junk."""
        found = [(record, hum) for hum in sorted(hums)]
        for table in ("waiting", "gatherings"):
            self._db.executemany(f"DELETE FROM {table} WHERE record = ? AND hum = ?", found)  # noqa: S608

    def drop(self, record: int, hum: bytes) -> int:
        """Forget a hum that lost its lot. Returns how many cells it had."""
        self._db.execute("DELETE FROM waiting WHERE record = ? AND hum = ?", (record, hum))
        query = "DELETE FROM gatherings WHERE record = ? AND hum = ? RETURNING cells"
        return sum(cells for (cells,) in self._db.execute(query, (record, hum)).fetchall())

    def bound(self) -> int:
        """Let gatherings leave by lot until no more cells wait than MOST_WAITING, or this share's
        part of them; how many left."""
        over, left = self.cells() - MOST_WAITING // self._shares, 0
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
        """Drop everything of a record. Has transactions of its own."""
        self._state.forget("gatherings", record)
        self._state.forget("waiting", record)  # last, since `records` goes by it
