"""The few numbers of a mix that outlive a crash, in the same database as what they describe."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from wallflower.host.disk import settle, transaction

_CACHE_KB = 32 * 1024
_LAID = 65_536  # rows at a time, of some 50 bytes: 4 MB
_FORGOTTEN = 1024  # rows at a time, each on another page at worst: 8 MB of a disk's reserve


class State:
    """One table of named values, and the transaction that everything of one step shares."""

    Duplicate = sqlite3.IntegrityError

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        # A page of hums touches leaves all over the pool; SQLite's own 2 MB spill within one page.
        db.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        db.execute("CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value BLOB NOT NULL)")

    def data(self, name: str) -> bytes:
        """The bytes of a name, empty when there are none."""
        row = self.db.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return bytes(row[0]) if row else b""

    def set_data(self, name: str, value: bytes) -> None:
        """Replace the bytes of a name."""
        self.db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))

    def number(self, name: str) -> int:
        """The number of a name, 0 when there is none."""
        return int.from_bytes(self.data(name))

    def set_number(self, name: str, value: int) -> None:
        """Replace the number of a name."""
        self.set_data(name, value.to_bytes(8))

    def lay_anew(self, table: str, key: str) -> None:
        """Write a table of two columns anew in the order of its key, and not inside of a
        transaction: after a flood it is larger than what a full disk has room for at once.

        Of rows that came one by one the file shows the order: within a page SQLite puts each new
        one before the last.
        """
        delete = f"DELETE FROM {table} WHERE {key} BETWEEN ? AND ?"  # noqa: S608
        insert = f"INSERT INTO {table} VALUES (?, ?)"  # noqa: S608
        for rows in self._in_order(table, key):
            with self.transaction():
                self.db.execute(delete, (rows[0][0], rows[-1][0]))
                self.db.executemany(insert, rows)
            settle(self.db)

    def forget_days(self, table: str, key: str, before: int) -> None:
        """Delete what is of a day before this one out of such a table, and not inside of a
        transaction either: it lies on all of its pages."""
        delete = f"DELETE FROM {table} WHERE day < ? AND {key} BETWEEN ? AND ?"  # noqa: S608
        for rows in self._in_order(table, key):
            self.db.execute(delete, (before, rows[0][0], rows[-1][0]))
            settle(self.db)

    def _in_order(self, table: str, key: str) -> Iterator[list[tuple[bytes, int]]]:
        """All rows of a table of two columns, so many at a time. These may be written anew or
        deleted before the next."""
        query = f"SELECT * FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT {_LAID}"  # noqa: S608
        last = b""
        while rows := self.db.execute(query, (last,)).fetchall():
            last = rows[-1][0]
            yield rows

    def forget(self, table: str, record: int) -> None:
        """Delete the rows of all hums of a record, some hums at a time, and not inside of a
        transaction: in one alone all of them would be in the write-ahead log too, and a disk
        without that much room would never forget them."""
        some = f"SELECT hum FROM {table} WHERE record = ?1 LIMIT {_FORGOTTEN}"  # noqa: S608
        delete = f"DELETE FROM {table} WHERE record = ?1 AND hum IN ({some})"  # noqa: S608
        while self.db.execute(delete, (record,)).rowcount:
            pass

    @contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """All or nothing, durable when it ends."""
        with transaction(self.db):
            yield
