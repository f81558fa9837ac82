"""The sealed store: a SQLCipher database and the header that its data key is wrapped in.

The database is locked for one process as long as it is open, so that two desks on one folder
cannot give two replies the same index. Its log level is set, never `cipher_log`: that pragma takes
a file's name and would make a file called NONE.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from typing import Any, Final

from sqlcipher3 import dbapi2

from wallflower.desk.header import (
    DATA_KEY,
    NONCE,
    SALT,
    Cost,
    Header,
    check_passphrase,
    parse_header,
    unwrap,
    wrap,
)
from wallflower.errors import Fault
from wallflower.host.disk import OF_DISK, DiskTrouble, Folder, disk_trouble, is_of_disk, roll_back
from wallflower.host.entropy import Entropy

HEADER_FILE: Final = "store.json"
DATABASE_FILE: Final = "store.db"
_OLD_HEADER: Final = "store.old.json"
_PRAGMAS: Final = (
    "cipher_log_level=NONE", "cipher_memory_security=ON", "locking_mode=EXCLUSIVE",
    "journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "temp_store=MEMORY",
    "foreign_keys=ON",
)  # fmt: skip

# A log that is newer than the copy would be mixed into it page by page, and nothing would say so.
_PUT_BACK: Final = (
    "Lock the desk, move store.db and, if there is one, store.db-wal out of its folder, and put"
    " store.db back from your last copy."
)
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

# The keys of a day or week have turns: a revoked one is followed, and goes on opening.
# Letters are named by their hash and have no row number, so that the order of arrival within a
# day is not kept. `batch` is the day of the batch that a thing was put in.
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS drop_keys (
  day INTEGER NOT NULL, turn INTEGER NOT NULL, seed BLOB NOT NULL, PRIMARY KEY (day, turn));
CREATE TABLE IF NOT EXISTS desk_keys (
  week INTEGER NOT NULL, turn INTEGER NOT NULL, seed BLOB NOT NULL, PRIMARY KEY (week, turn));
CREATE TABLE IF NOT EXISTS records (number INTEGER PRIMARY KEY, raw BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS conversations (
  id BLOB PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  week INTEGER NOT NULL, e BLOB NOT NULL, x BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS used (
  conversation BLOB NOT NULL REFERENCES conversations, week INTEGER NOT NULL,
  indexes INTEGER NOT NULL, PRIMARY KEY (conversation, week)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS letters (
  id BLOB PRIMARY KEY, conversation BLOB NOT NULL REFERENCES conversations,
  week INTEGER NOT NULL, day INTEGER NOT NULL, continuity TEXT NOT NULL,
  part INTEGER NOT NULL, parts INTEGER NOT NULL, language INTEGER NOT NULL,
  mark INTEGER NOT NULL, text TEXT NOT NULL, receipt BLOB NOT NULL,
  opened INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS letters_of ON letters (conversation, day, continuity, opened);
CREATE TABLE IF NOT EXISTS receipts (
  value BLOB PRIMARY KEY, continuity TEXT NOT NULL, state TEXT NOT NULL, batch INTEGER
  ) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS replies (
  id INTEGER PRIMARY KEY, conversation BLOB NOT NULL REFERENCES conversations,
  day INTEGER NOT NULL, text TEXT NOT NULL, parts INTEGER NOT NULL,
  state TEXT NOT NULL, batch INTEGER);
CREATE INDEX IF NOT EXISTS replies_of ON replies (conversation);
CREATE TABLE IF NOT EXISTS outgoing (
  reply INTEGER NOT NULL REFERENCES replies, part INTEGER NOT NULL, slot BLOB NOT NULL,
  PRIMARY KEY (reply, part)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (
  day INTEGER PRIMARY KEY, body BLOB, posted INTEGER NOT NULL DEFAULT 0,
  settled INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS unseen (value BLOB PRIMARY KEY, batch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS faults (rule TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alarms (
  id INTEGER PRIMARY KEY, day INTEGER NOT NULL, what TEXT NOT NULL,
  seen INTEGER NOT NULL DEFAULT 0)
"""


class Locked(Fault):
    """The desk is locked: nothing of its store can be read."""

    def __init__(self) -> None:
        super().__init__("The desk is locked", "Unlock it with its passphrase.")


class Store:
    """An open store. Statements run on the loop's thread; a transaction never spans an await."""

    def __init__(self, db: Any) -> None:
        self._db = db

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """One statement's rows; Locked when the store was closed, DiskTrouble when its disk is full
        or fails, a Fault when a page of it is damaged: that is found when it is read, if at all."""
        if self._db is None:
            raise Locked
        try:
            rows: list[tuple[Any, ...]] = self._db.execute(statement, values).fetchall()
        except dbapi2.DatabaseError as error:
            if is_of_disk(error):
                raise DiskTrouble from None
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
                raise _damaged() from None
            raise
        return rows

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; on the disk when it returns."""
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            if self._db is not None:
                roll_back(self._db)
            raise

    def get(self, name: str) -> Any:
        """A value of the state, or None."""
        rows = self.run("SELECT value FROM state WHERE name = ?", name)
        return rows[0][0] if rows else None

    def put(self, name: str, value: object) -> None:
        """Set a value of the state."""
        self.run("INSERT OR REPLACE INTO state VALUES (?, ?)", name, value)

    def forget_log(self) -> None:
        """Empty the write-ahead log, so that an erased key is not left in an old page of it."""
        self.run("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close; every later statement is Locked."""
        if self._db is not None:
            self._db.close()
            self._db = None


def exists(folder: Folder) -> bool:
    """Whether the folder has a store that was made whole."""
    data = folder.read(HEADER_FILE)
    return data is not None and not parse_header(data).fresh


def create_store(
    folder: Folder, entropy: Entropy, passphrase: str, again: str, cost: Cost
) -> Store:
    """Make a new store and open it.

    The header is written first as `fresh` and again when the database is whole, so that a crash in
    between leaves neither a header without a store nor a store that nothing opens.
    """
    check_passphrase(passphrase, again)
    data = folder.read(HEADER_FILE)
    if data is not None and not parse_header(data).fresh:
        raise Fault("There is a store already", "Unlock it.")
    if data is None and (folder.path / DATABASE_FILE).exists():
        raise Fault("The store has lost its header", "Put store.json back, or move store.db away.")
    data_key = entropy.draw(DATA_KEY)
    header = wrap(passphrase, data_key, cost, entropy.draw(SALT), entropy.draw(NONCE), fresh=True)
    folder.write(HEADER_FILE, header.encode())
    for name in (DATABASE_FILE, f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm"):
        folder.remove(name)
    os.close(os.open(folder.path / DATABASE_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    store = _connect(folder, data_key)
    whole = Header(header.cost, header.salt, header.wrapped, fresh=False)
    folder.write(HEADER_FILE, whole.encode())
    return store


def open_store(folder: Folder, passphrase: str) -> Store:
    """Open a store, or a Fault; a wrong passphrase changes nothing."""
    data_key = unwrap(_header(folder), passphrase)
    if not (folder.path / DATABASE_FILE).exists():
        raise Fault("The store's database is missing", _PUT_BACK)
    _check_own(folder)
    store = _connect(folder, data_key)
    try:
        _erase_old_header(folder)
    except BaseException:
        store.close()  # else the next try would find it open elsewhere
        raise
    return store


def _check_own(folder: Folder) -> None:
    """Refuse files that somebody else put back, or wrote as another user: the database would call
    them a failing disk or another desk, or raise what no page shows."""
    for path in (folder.path / DATABASE_FILE, folder.path / f"{DATABASE_FILE}-wal"):
        if path.exists() and not (path.is_file() and os.access(path, os.R_OK | os.W_OK)):
            raise Fault(
                f"The user that this desk runs as may not read and write {path.name}",
                "Nothing was damaged. See that its disk can be written, and that the desk's folder"
                " with all that is in it is this user's (chown); then try again.",
            )


def change_passphrase(
    folder: Folder, entropy: Entropy, old: str, new: str, again: str, cost: Cost
) -> None:
    """Wrap the same data key under another passphrase, then overwrite the old header.

    The old one gets a second name first, since a file that is replaced by a rename is not erased.
    Raises Fault, and says which of the two opens the store then.
    """
    check_passphrase(new, again)
    data_key = unwrap(_header(folder), old)
    header = wrap(new, data_key, cost, entropy.draw(SALT), entropy.draw(NONCE), fresh=False)
    _erase_old_header(folder)
    _give_second_name(folder)
    try:
        folder.write(HEADER_FILE, header.encode())
        _erase_old_header(folder)
    except OSError:
        if folder.read(HEADER_FILE) != header.encode():
            raise
        raise Fault(
            "The passphrase was changed, but this disk did not let the old one be erased",
            "The new one opens the desk. Mend the disk or make room on it, then lock and unlock:"
            " until then the old one may open this folder too.",
        ) from None


def _give_second_name(folder: Folder) -> None:
    """Name the header in use twice, on the disk; where that cannot be, nothing was changed."""
    try:
        os.link(folder.path / HEADER_FILE, folder.path / _OLD_HEADER)
        folder.sync()
    except OSError as error:
        folder.remove(_OLD_HEADER)
        if error.errno in OF_DISK:
            raise
        raise Fault(
            "The passphrase was not changed: this disk cannot erase the old one, as it gives no"
            " file a second name or does not keep names for certain (FAT, exFAT, some network"
            " disks)",
            "The old one goes on, and nothing is lost. To change it, lock the desk, copy its folder"
            " to a disk with ext4, btrfs or xfs, go on there, and overwrite the folder here.",
        ) from None


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Within, a full or failing disk is a DiskTrouble, and one that refuses anything else a Fault
    by the name of its error: a page can show both."""
    try:
        with disk_trouble():
            yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "unknown")
        raise Fault(
            f"The disk with the desk's folder refuses what the desk needs ({name})",
            "Nothing was damaged. See that the folder can be written by this user and lies on a"
            " disk with ext4, btrfs or xfs; then try again.",
        ) from None


def _erase_old_header(folder: Folder) -> None:
    """Overwrite what a change left. Where it was cut short before the new header was there, both
    names are one file, and that is the header in use: it loses a name and keeps its bytes."""
    old = folder.path / _OLD_HEADER
    if not old.exists():
        return
    if old.samefile(folder.path / HEADER_FILE):
        folder.remove(_OLD_HEADER)
        return
    folder.sync()  # else a power cut could bring back the name of what is overwritten here
    folder.erase(_OLD_HEADER)


def _header(folder: Folder) -> Header:
    data = folder.read(HEADER_FILE)
    if data is None:
        raise Fault("There is no store yet", "Choose a passphrase to make one.")
    return parse_header(data)


def _connect(folder: Folder, data_key: bytes) -> Store:
    db = dbapi2.connect(
        str(folder.path / DATABASE_FILE), check_same_thread=False, isolation_level=None, timeout=1.0
    )
    try:
        db.execute(f"PRAGMA key=\"x'{data_key.hex()}'\"")
        for pragma in _PRAGMAS:
            db.execute(f"PRAGMA {pragma}")
        db.executescript(_SCHEMA)
    except dbapi2.OperationalError as error:
        db.close()
        if is_of_disk(error):
            raise DiskTrouble from None
        raise Fault("The store is open elsewhere", "Close the other desk first.") from None
    except dbapi2.DatabaseError:
        db.close()
        raise _damaged() from None
    return Store(db)


def _damaged() -> Fault:
    return Fault("The store is damaged", _PUT_BACK)
