"""A role's own folder: small files written whole, erased keys, and SQLite databases.

A file is either the old one or the new one after a crash: written beside, synced, renamed. What
is erased is overwritten and synced before it is unlinked; on a copy-on-write disk that alone
forgets nothing, so key files belong on a volume that can forget (docs/handbook).
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sqlite3
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from wallflower.errors import Fault

_PRIVATE = 0o600
BESIDE = ".new"  # what a power cut or a kill left half written; the next writing replaces it
OF_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO)  # what a full or failing disk says of a file
# Deleting writes too: the largest answer to a pull (log.READ_BYTES) has to fit the write-ahead log.
RESERVE = 32 * 1024 * 1024
# Bytes. A row of ours has 2.4 kB, or 8.3: of SQLite's own pages of 4 kB the one leaves a third
# empty, and the other needs three.
PAGE_SIZE = 8192
# What SQLite says of a file that is no database, or that it may not read and write.
_UNUSABLE = (
    sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM,
)  # fmt: skip
_LOG_PAGES = 500  # 4 MB, after which a write-ahead log is emptied, as by SQLite's own 1,000 of 4 kB


def write_synced(file: BinaryIO, data: bytes) -> None:
    """Write into an open file; it is on the disk when this returns, unlike the file's name."""
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def held(folder: Path, busy: Fault | None = None) -> Generator[None, None, None]:
    """Hold a folder; while somebody else does, wait, or raise `busy` where it is given. The system
    lets go of it however a process ends."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(fd, busy)
        yield
    finally:
        os.close(fd)


def _lock(fd: int, busy: Fault | None) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | (0 if busy is None else fcntl.LOCK_NB))
    except OSError as error:
        if busy is not None and isinstance(error, BlockingIOError):
            raise busy from None
        raise Fault(
            "This disk lets nobody hold a folder, as some network disks do (NFS)",
            "Use a folder on a disk of this computer; nothing was changed.",
        ) from None


class Folder:
    """A directory that one process owns, mode 0700."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def folder(self, name: str) -> Folder:
        """A folder inside of this one."""
        return Folder(self.path / name)

    def read(self, name: str) -> bytes | None:
        """The file's bytes, or None when there is none."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def names(self) -> list[str]:
        """The names of the files here, sorted; what a power cut left half written is none."""
        with os.scandir(self.path) as there:  # which says what is a file without asking for each
            return sorted(e.name for e in there if e.is_file() and not e.name.endswith(BESIDE))

    def write(self, name: str, data: bytes) -> None:
        """Replace a file whole, durably, readable by its owner only."""
        beside = self.path / f"{name}{BESIDE}"
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        try:
            with os.fdopen(fd, "wb") as file:
                write_synced(file, data)
            beside.replace(self.path / name)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        self.sync()

    def erase(self, name: str) -> None:
        """Overwrite, sync and unlink a file; nothing happens when there is none."""
        target = self.path / name
        try:
            size = target.stat().st_size
        except FileNotFoundError:
            return
        with target.open("r+b") as file:
            write_synced(file, bytes(size))
        target.unlink()
        self.sync()

    def remove(self, name: str) -> None:
        """Unlink a file that holds no secret."""
        (self.path / name).unlink(missing_ok=True)

    def database(self, name: str) -> sqlite3.Connection:
        """A database whose commits are on the disk when they return (WAL, FULL) and whose deleted
        rows are overwritten. One thread at a time uses it."""
        path = self.path / name
        if not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, _PRIVATE))
        # SQLite opens one that may only be read, and fails at each row.
        if not (path.is_file() and os.access(path, os.R_OK | os.W_OK)):
            raise UnusableDatabase(name)
        try:
            return _connect(path)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _UNUSABLE:
                raise
            raise UnusableDatabase(name) from None

    def sync(self) -> None:
        """Put the names of the files here on the disk: what was made, renamed or unlinked."""
        fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    for pragma in (f"page_size={PAGE_SIZE}", "journal_mode=WAL", "synchronous=FULL",
                   f"wal_autocheckpoint={_LOG_PAGES}", "secure_delete=ON",
                   "busy_timeout=5000", "temp_store=MEMORY"):  # fmt: skip
        db.execute(f"PRAGMA {pragma}")
    return db


class UnusableDatabase(Fault, sqlite3.DatabaseError):
    """A database is damaged, or another user's. An error of SQLite like those that come later, so
    that a role that runs goes on beside one that it opens for a while."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} cannot be opened as a database of this process",
            "See that its folder and all in it is this user's and can be written. If it is damaged,"
            " move it away with all that is called like it: what waited in it is lost.",
        )


class DiskTrouble(Fault):
    """The disk is full or fails. Nothing was damaged; the same start works once there is room."""

    EXIT = 75  # EX_TEMPFAIL of sysexits.h: a supervisor may try again

    def __init__(self) -> None:
        super().__init__(
            "The disk of this process is full, or fails",
            "Nothing was damaged: make room on it and start again ('wallflower doctor' looks).",
        )


def is_of_disk(error: Exception) -> bool:
    """Whether a database says by this that its disk is full or fails; SQLCipher's says it alike."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


@contextmanager
def disk_trouble() -> Generator[None, None, None]:
    """Within, a full or failing disk is a DiskTrouble; every other error stays what it is."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if not is_of_disk(error):
            raise
        raise DiskTrouble from None
    except OSError as error:
        if error.errno not in OF_DISK:
            raise
        raise DiskTrouble from None


def roll_back(db: sqlite3.Connection) -> None:
    """Undo a transaction, unless SQLite did: it rolls back by itself where a disk is full or fails,
    and a second time would be an error of its own that hides the first."""
    if db.in_transaction:
        db.execute("ROLLBACK")


@contextmanager
def transaction(db: sqlite3.Connection) -> Generator[None, None, None]:
    """All of it or nothing, on the disk when it ends. What cannot be committed is undone too, so
    that the next transaction can begin."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        roll_back(db)
        raise


def settle(db: sqlite3.Connection) -> None:
    """Empty the write-ahead log: it keeps every page as it was at each commit, and so what was
    deleted since, and the order in which rows came. Not inside of a transaction."""
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def has_room(db: sqlite3.Connection) -> bool:
    """Whether a database may take more. Without a reserve, what filled its disk could never be
    deleted again, however much of it was handed on. Its own empty pages count as room."""
    return room(db) >= 0


def may_hand_on(db: sqlite3.Connection) -> bool:
    """Whether what a database holds may go on its way, although that writes too: half of the
    reserve is for it. The other half is for deleting what has left."""
    return room(db) >= -(RESERVE // 2)


def has_room_for(db: sqlite3.Connection, size: int) -> bool:
    """Whether a database may take so many bytes at once. All of them are in the write-ahead log
    first, for which its own empty pages are no room."""
    return min(room(db), _free(db)) >= size


def room(db: sqlite3.Connection) -> int:
    """How many bytes a database may take: what is there beside the reserve."""
    (pages,), (size,) = (
        db.execute(f"PRAGMA {name}").fetchone() for name in ("freelist_count", "page_size")
    )
    return _free(db) + int(pages) * int(size) - RESERVE


def _free(db: sqlite3.Connection) -> int:
    file = db.execute("PRAGMA database_list").fetchone()[2]
    # A database in memory fills no disk.
    return shutil.disk_usage(file).free if file else sys.maxsize
