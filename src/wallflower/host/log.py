"""A durable queue between two processes: append, read, trim. Used wherever an inner node pulls.

`append` returns when the batch is on the disk. The order of a log is the order of arrival, so a
log is emptied as soon as the next node has what was in it, and a mix shuffles before it appends.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterable
from typing import NamedTuple

from wallflower.host.disk import has_room, settle, transaction

READ_BYTES = 20 * 1024 * 1024
_TRIMMED = 2048  # rows at a time, each on another page at worst: 17 MB of a disk's reserve


class Entry(NamedTuple):
    """One item of a log; `record` is the number of the epoch record in force when it came."""

    seq: int
    record: int
    body: bytes


class Log:
    """One table of a database. Sequence numbers rise and are never used again."""

    def __init__(self, db: sqlite3.Connection, name: str) -> None:
        self._db = db
        self.name = name
        db.execute(
            f"CREATE TABLE IF NOT EXISTS {name} (seq INTEGER PRIMARY KEY AUTOINCREMENT, "
            "record INTEGER NOT NULL, body BLOB NOT NULL)"
        )

    def append(self, record: int, bodies: Iterable[bytes]) -> int:
        """Append a batch in one commit and return its last number, once it is durable.

        Raises OSError while the disk has only its reserve left.
        """
        if not has_room(self._db):
            raise OSError(errno.ENOSPC, "the disk is full")
        with transaction(self._db):
            return self.add(record, bodies)

    def add(self, record: int, bodies: Iterable[bytes]) -> int:
        """Append inside of a transaction that the caller has begun and will commit."""
        insert = f"INSERT INTO {self.name}(record, body) VALUES (?, ?)"  # noqa: S608
        rows = [(record, body) for body in bodies]
        if not rows:
            return 0
        self._db.executemany(insert, rows)
        return int(self._db.execute("SELECT last_insert_rowid()").fetchone()[0])

    def read(
        self, after: int, most: int, wanted: Callable[[bytes], bool] = lambda _: True
    ) -> list[Entry]:
        """At most `most` entries above `after` whose bodies are wanted, in order, and no more than
        fit READ_BYTES."""
        query = f"SELECT seq, record, body FROM {self.name} WHERE seq > ? ORDER BY seq"  # noqa: S608
        entries: list[Entry] = []
        size = 0
        for row in self._db.execute(query, (after,)):
            if len(entries) >= most:
                break
            entry = Entry(*row)
            if not wanted(entry.body):
                continue
            size += len(entry.body)
            if entries and size > READ_BYTES:
                break
            entries.append(entry)
        return entries

    def go_on_above(self, number: int) -> None:
        """Give no number up to this one, which somebody says that we gave out.

        Where we never did, this disk is new and they knew another: all that waits here would be
        deleted as if they had it. So it gets numbers above, and they are handed all of it.
        """
        last = self._last()
        if number <= last:
            return
        with transaction(self._db):
            self._db.execute(f"UPDATE {self.name} SET seq = seq + ?", (number,))  # noqa: S608
            self._db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (self.name,))
            self._db.execute(
                "INSERT INTO sqlite_sequence VALUES (?, ?)", (self.name, number + last)
            )
        settle(self._db)

    def _last(self) -> int:
        """The highest number that was ever given; SQLite keeps it for AUTOINCREMENT."""
        query = "SELECT seq FROM sqlite_sequence WHERE name = ?"
        found = self._db.execute(query, (self.name,)).fetchone()
        return int(found[0]) if found else 0

    def trim(self, to: int) -> None:
        """Delete every entry up to and with number `to`, from the write-ahead log too: as many at a
        time as an answer holds, since several shares may have had one each since the last time."""
        size = f"SELECT length(body) FROM {self.name} WHERE seq <= ? LIMIT 1"  # noqa: S608
        few = f"SELECT seq FROM {self.name} WHERE seq <= ? ORDER BY seq LIMIT ?"  # noqa: S608
        delete = f"DELETE FROM {self.name} WHERE seq <= (SELECT max(seq) FROM ({few}))"  # noqa: S608
        while row := self._db.execute(size, (to,)).fetchone():
            self._db.execute(delete, (to, max(1, READ_BYTES // max(1, row[0]))))
            settle(self._db)

    def trim_wanted(self, to: int, wanted: Callable[[bytes], bool]) -> None:
        """`trim` of those entries only whose bodies are wanted; each that is left is looked at."""
        query = f"SELECT seq, body FROM {self.name} WHERE seq <= ?"  # noqa: S608
        gone = [(seq,) for seq, body in self._db.execute(query, (to,)) if wanted(body)]
        delete = f"DELETE FROM {self.name} WHERE seq = ?"  # noqa: S608
        for at in range(0, len(gone), _TRIMMED):
            with transaction(self._db):
                self._db.executemany(delete, gone[at : at + _TRIMMED])
            settle(self._db)

    def trim_records(self, below: int) -> None:
        """`trim` of every entry that came under a record whose keys are gone."""
        few = f"SELECT seq FROM {self.name} WHERE record < ? LIMIT {_TRIMMED}"  # noqa: S608
        delete = f"DELETE FROM {self.name} WHERE seq IN ({few})"  # noqa: S608
        while self._db.execute(delete, (below,)).rowcount:
            settle(self._db)

    def set_records(self, record: int) -> None:
        """Have everything that waits be of this record, the last entry after all others."""
        few = f"SELECT seq FROM {self.name} WHERE seq > ? ORDER BY seq LIMIT {_TRIMMED}"  # noqa: S608
        end = f"SELECT max(seq) FROM ({few})"  # noqa: S608
        update = f"UPDATE {self.name} SET record = ? WHERE seq > ? AND seq <= ?"  # noqa: S608
        last = -1
        while (to := self._db.execute(end, (last,)).fetchone()[0]) is not None:
            self._db.execute(update, (record, last, to))
            settle(self._db)
            last = to

    def newest_record(self, default: int) -> int:
        """The record number of the entry that came last, or `default` where nothing waits."""
        query = f"SELECT record FROM {self.name} ORDER BY seq DESC LIMIT 1"  # noqa: S608
        found = self._db.execute(query).fetchone()
        return int(found[0]) if found else default

    def span(self) -> int:
        """From the first number that waits to the last: never fewer than wait, quick to know."""
        # One by one each is a look at the tree's edge; asked for together, SQLite reads all rows.
        ends = (f"SELECT {end}(seq) FROM {self.name}" for end in ("min", "max"))  # noqa: S608
        first, last = (self._db.execute(query).fetchone()[0] for query in ends)
        return 0 if first is None else int(last) - int(first) + 1

    def size(self) -> int:
        """How many entries wait."""
        row = self._db.execute(f"SELECT count(*) FROM {self.name}").fetchone()  # noqa: S608
        return int(row[0])
