"""A pool on the disk: rows under random names, sealed under the key of the day.

No time or order is kept: what SQLite would number rows by is the name, which is drawn. At each new
day every row is sealed anew and the old key is erased, so an image of the disk from before opens
nothing that stays there.
"""

from __future__ import annotations

import math
import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple, TypeVar

from wallflower.crypto import aead
from wallflower.crypto.hpke import Unopened
from wallflower.host.disk import Folder
from wallflower.host.entropy import Entropy

T = TypeVar("T")
_NAME = 8  # among half a million rows the next name is free but for one in 10^13
_NONCE = 12
_MARK = b"mark"  # shorter than any name, so it is no row's
_PAGE = 4096  # rows without their bodies
_BODIES = 256  # rows with them: 2 MB
_NAMES = 1 << (8 * _NAME)
_LOWEST = -_NAMES // 2  # of all names' numbers


def number_of(name: bytes) -> int:
    """A name as the table has it: SQLite's integers have 64 bits and a sign."""
    return int.from_bytes(name, signed=True)


def name_of(number: int) -> bytes:
    """A name out of the table."""
    return number.to_bytes(_NAME, signed=True)


def _further(first: int, number: int) -> int:
    """How many names lie between, upwards and from the highest to the lowest."""
    return (number - first) % _NAMES


class Row(NamedTuple):
    """One held hum: its random name, the record it was made under, the day it came; at B also
    whether its letter is of a known conversation, and its stamp class."""

    name: bytes
    record: int
    day: int
    known: bool
    stamp_class: int


class Pool:
    """The table `pool` of a mix's database. The caller begins and commits transactions."""

    def __init__(self, db: sqlite3.Connection, keys: Folder, entropy: Entropy) -> None:
        self._db = db
        self._keys = keys
        self._entropy = entropy
        self._read: dict[int, bytes] = {}
        self.high_water = 0
        self.lost = 0
        self.key_lost = False
        db.execute(
            "CREATE TABLE IF NOT EXISTS pool (name INTEGER PRIMARY KEY, record INTEGER NOT NULL, "
            "day INTEGER NOT NULL, known INTEGER NOT NULL, class INTEGER NOT NULL, "
            "key_day INTEGER NOT NULL, sealed BLOB NOT NULL)"
        )
        db.execute(
            "CREATE TABLE IF NOT EXISTS pool_mark (key_day INTEGER NOT NULL, sealed BLOB NOT NULL)"
        )

    def look_again(self) -> None:
        """Forget the keys that were read: at the beginning of each page and tick, so that a volume
        that went away is noticed, and a key is read once for many rows."""
        self._read.clear()

    def _known(self, day: int) -> bytes | None:
        if day not in self._read:
            key = self._keys.read(f"pool-{day}")
            if key is None:
                return None
            self._read[day] = key
        return self._read[day]

    def _key(self, day: int) -> bytes:
        key = self._known(day)
        if key is None:
            key = self._entropy.draw(32)
            self._keys.write(f"pool-{day}", key)
            self._read[day] = key
        return key

    def ready(self, day: int) -> None:
        """Have the key of a day on its volume, before several processes hold bodies under it; and
        notice, in `key_lost`, when the last one is gone or is another.

        A mark that is sealed under it says so, whatever is held: at B only letters are, and an
        alarm that needed one would tell of it (ADR 69).
        """
        self.look_again()
        for key_day, sealed in self._db.execute("SELECT * FROM pool_mark").fetchall():
            try:
                aead.open_at_rest(self._known(key_day) or b"", _MARK, sealed)
            except Unopened:
                self.key_lost = True
            else:
                if key_day == day:
                    return
        mark = aead.seal_at_rest(self._key(day), self._entropy.draw(_NONCE), _MARK, b"")
        self._db.execute("DELETE FROM pool_mark")
        self._db.execute("INSERT INTO pool_mark VALUES (?, ?)", (day, mark))

    def put(
        self, record: int, day: int, body: bytes, known: bool = False, stamp_class: int = 0
    ) -> None:
        """Hold a body under today's key, in the place of one that is drawn among all that are
        held: that one goes to a new place.

        SQLite gives new rows new pages, so where a row lies in the file would say about when it
        came. So each goes where another was, as in a shuffle (Knuth, algorithm P).
        """
        name = self._entropy.draw(_NAME)
        other = self._drawn(name)
        if other is not None:
            row, its = other
            self._hold(self._INSERT, row._replace(name=name), day, its)
            name = row.name
        how = self._INSERT if other is None else self._UPDATE
        self._hold(how, Row(name, record, day, known, stamp_class), day, body)

    _INSERT = "INSERT INTO pool VALUES (:name, :record, :day, :known, :class, :key_day, :sealed)"
    _UPDATE = (
        "UPDATE pool SET record = :record, day = :day, known = :known, class = :class, "
        "key_day = :key_day, sealed = :sealed WHERE name = :name"
    )

    def _hold(self, how: str, row: Row, key_day: int, body: bytes) -> None:
        nonce = self._entropy.draw(_NONCE)
        self._db.execute(how, {
            "name": number_of(row.name), "record": row.record, "day": row.day,
            "known": row.known, "class": row.stamp_class, "key_day": key_day,
            "sealed": aead.seal_at_rest(self._key(key_day), nonce, row.name, body),
        })  # fmt: skip

    def _drawn(self, new: bytes) -> tuple[Row, bytes] | None:
        """A row and its body, drawn among all names and a new one; None for the new one, and for a
        row that nothing on this disk opens."""
        first = number_of(self._entropy.draw(_NAME))
        query = "SELECT * FROM pool WHERE name >= ? ORDER BY name LIMIT 1"
        # Beyond the highest name comes the lowest.
        found = (
            self._db.execute(query, (first,)).fetchone()
            or self._db.execute(query, (_LOWEST,)).fetchone()
        )
        if found is None or _further(first, found[0]) > _further(first, number_of(new)):
            return None
        number, record, day, known, stamp_class, key_day, sealed = found
        row = Row(name_of(number), record, day, known == 1, stamp_class)
        try:
            return row, aead.open_at_rest(self._known(key_day) or b"", row.name, sealed)
        except Unopened:  # it is counted as lost when its turn comes
            return None

    def put_each(
        self, record: int, day: int, items: Sequence[T], body_of: Callable[[T], bytes | None]
    ) -> int:
        """Hold the body of each item that has one; how many. Of none is known what B knows.

        They go in by the names that are drawn for them, which is quicker and leaves less of their
        order. Each body is made when its turn comes, so that one at a time is in memory, and in
        the processor's caches from the first to the last.
        """
        count, seal = len(items), aead.Sealer(self._key(day)).seal
        names, nonces = (self._entropy.draw(size * count) for size in (_NAME, _NONCE))
        numbers = struct.unpack(f">{count}q", names)  # `number_of` each

        def rows() -> Iterator[tuple[int, bytes]]:
            for n in sorted(range(count), key=numbers.__getitem__):
                body = body_of(items[n])
                if body is not None:
                    nonce = nonces[n * _NONCE : (n + 1) * _NONCE]
                    yield numbers[n], seal(nonce, names[n * _NAME : (n + 1) * _NAME], body)

        # Numbers, and the same for all: to bind them to each row would take as long as its name.
        same = f"{record:d}, {day:d}, 0, 0, {day:d}"
        insert = f"INSERT INTO pool VALUES (?, {same}, ?)"  # noqa: S608
        return self._db.executemany(insert, rows()).rowcount

    def pages(self) -> Iterator[list[Row]]:
        """Everything held, without the bodies, so many rows at a time. To be read to its end."""
        found = self._db.execute("SELECT name, record, day, known, class FROM pool")
        size = 0
        while held := found.fetchmany(_PAGE):
            page = [Row(name_of(n), record, day, k == 1, c) for n, record, day, k, c in held]
            size += len(page)
            yield page
        self.high_water = max(self.high_water, size)

    def rows(self) -> list[Row]:
        """Everything held, without the bodies, at once."""
        return [row for page in self.pages() for row in page]

    def _opened(self, name: bytes, key_day: int, sealed: bytes) -> bytes | None:
        """A row's body; None, and counted, when its key went with a power cut."""
        try:
            return aead.open_at_rest(self._known(key_day) or b"", name, sealed)
        except Unopened:
            self.lost += 1
            return None

    def look_at(self, name: bytes) -> bytes | None:
        """The body of a row; None when nothing on this disk opens it."""
        query = "SELECT key_day, sealed FROM pool WHERE name = ?"
        key_day, sealed = self._db.execute(query, (number_of(name),)).fetchone()
        return self._opened(name, key_day, sealed)

    def delete(self, names: Iterable[bytes]) -> None:
        """Hold these rows no longer, if they still are here."""
        self._db.executemany("DELETE FROM pool WHERE name = ?", [(number_of(n),) for n in names])

    def take(self, name: bytes) -> bytes | None:
        """The body of a row, which is deleted; None when nothing on this disk opens it."""
        body = self.look_at(name)
        self.delete([name])
        return body

    def size(self) -> int:
        """How many are held."""
        return int(self._db.execute("SELECT count(*) FROM pool").fetchone()[0])

    def new_day(
        self, day: int, step: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        """Seal every row of another day's key under today's; of a clock that was ahead, too.
        `forget_before` and `forget_after` follow after the commit.

        So many rows in each transaction that `step` makes: in one alone a whole pool would be in
        the write-ahead log too, and a disk without that much room would have no new day.
        """
        with step():
            self.ready(day)
        for rows in self._of_others(day):
            with step():
                self._seal_anew(day, rows)

    def _seal_anew(self, day: int, rows: Iterable[tuple[int, int, bytes]]) -> None:
        for number, key_day, sealed in rows:
            name = name_of(number)
            body = self._opened(name, key_day, sealed)
            if body is None:
                self._db.execute("DELETE FROM pool WHERE name = ?", (number,))
                continue
            again = aead.seal_at_rest(self._key(day), self._entropy.draw(_NONCE), name, body)
            self._db.execute(
                "UPDATE pool SET day = min(day, ?1), key_day = ?1, sealed = ?2 WHERE name = ?3",
                (day, again, number),
            )

    def _of_others(self, day: int) -> Iterator[list[tuple[int, int, bytes]]]:
        """Every row that is sealed under another key; so many in memory at a time, since a whole
        pool may be larger than that. These may be changed or deleted before the next."""
        query = (
            "SELECT name, key_day, sealed FROM pool WHERE name > ? AND key_day != ? "
            "ORDER BY name LIMIT ?"
        )
        last = -math.inf
        while rows := self._db.execute(query, (last, day, _BODIES)).fetchall():
            yield rows
            last = rows[-1][0]

    def forget_before(self, day: int) -> None:
        """Erase the keys of days before `day`; no row needs them any more."""
        self._forget(lambda other: other < day)

    def forget_after(self, day: int) -> None:
        """Erase the keys of days after `day`, by a clock that was ahead. To be called at a new day
        only, when no pool has a row of another: at its end one may be a day further."""
        self._forget(lambda other: other > day)

    def _forget(self, is_over: Callable[[int], bool]) -> None:
        self.look_again()
        for name in self._keys.names():
            kind, _, number = name.partition("-")
            if kind == "pool" and number.isdigit() and is_over(int(number)):
                self._keys.erase(name)
