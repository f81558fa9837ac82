"""Files are whole or old, private, and gone when they are erased."""

from __future__ import annotations

import os
import pickle
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from errno import EACCES, EBADF, EDQUOT, EIO, ENOSPC
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from wallflower.errors import Fault
from wallflower.host.disk import (
    RESERVE,
    DiskTrouble,
    Folder,
    disk_trouble,
    has_room,
    has_room_for,
    held,
    roll_back,
    settle,
    transaction,
)

OLD, NEW = b"old" * 100, b"new" * 500


class PowerCut(BaseException):
    """The machine stops here: nothing after it runs, no handler of our own included."""


def cut(*_: object, **__: object) -> NoReturn:
    raise PowerCut


def full(*_: object, **__: object) -> NoReturn:
    raise OSError(28, "No space left on device")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def write_cut_short(folder: Folder, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write whose power goes out before its rename."""
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", cut)
        with pytest.raises(PowerCut):
            folder.write(name, NEW)


def test_a_power_cut_between_write_and_rename_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    folder.write("keys", OLD)
    write_cut_short(folder, "keys", monkeypatch)
    assert Folder(tmp_path).read("keys") == OLD
    Folder(tmp_path).write("keys", NEW)
    assert Folder(tmp_path).read("keys") == NEW


def test_a_file_that_was_cut_before_its_rename_is_not_among_the_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    folder.write("record-4", OLD)
    write_cut_short(folder, "record-5", monkeypatch)
    assert any(tmp_path.glob("record-5*")), "the control: something was left behind"
    assert Folder(tmp_path).names() == ["record-4"]


def test_a_full_disk_leaves_the_old_file_and_nothing_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    folder.write("keys", OLD)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            folder.write("keys", NEW)
    assert [p.name for p in tmp_path.iterdir()] == ["keys"]
    assert folder.read("keys") == OLD


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is synced, with how many bytes that are not zero, and what is renamed or unlinked."""
    noted: list[str] = []
    sync = os.fsync

    def noted_sync(fd: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            noted.append("folder")
        else:
            data = Path(f"/proc/self/fd/{fd}").read_bytes()
            noted.append(f"file of {len(data)}, {len(data) - data.count(0)} left")
        sync(fd)

    def note(name: str) -> None:
        real = getattr(Path, name)

        def noted_call(self: Path, *arguments: Any, **named: Any) -> object:
            noted.append(name)
            return real(self, *arguments, **named)

        monkeypatch.setattr(Path, name, noted_call)

    monkeypatch.setattr(os, "fsync", noted_sync)
    note("replace")
    note("unlink")
    return noted


def test_a_write_syncs_the_whole_file_before_its_rename_and_the_folder_after(
    tmp_path: Path, order: list[str]
) -> None:
    Folder(tmp_path).write("keys", NEW)
    assert order == [f"file of {len(NEW)}, {len(NEW)} left", "replace", "folder"]


@pytest.mark.usefixtures("open_umask")
def test_files_are_0600_and_folders_0700_whatever_the_umask_allows(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "role")
    inner = folder.folder("records")
    folder.write("key", b"k")
    folder.database("cells.db").execute("CREATE TABLE t (x)")
    assert mode(folder.path) == mode(inner.path) == 0o700
    files = [p for p in folder.path.iterdir() if p.is_file()]
    assert {p.name for p in files} >= {"key", "cells.db", "cells.db-wal"}
    assert {p.name: mode(p) for p in files} == {p.name: 0o600 for p in files}


def test_erase_overwrites_the_bytes_before_it_unlinks_them(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("hop-1", NEW)
    other = tmp_path / "link"
    os.link(tmp_path / "hop-1", other)  # a hard link sees what happens to the blocks
    folder.erase("hop-1")
    assert folder.read("hop-1") is None
    assert other.read_bytes() == bytes(len(NEW))


def test_plain_removal_would_have_left_the_bytes(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("segment", NEW)
    os.link(tmp_path / "segment", tmp_path / "link")
    folder.remove("segment")
    assert folder.read("segment") is None
    assert (tmp_path / "link").read_bytes() == NEW


def test_erase_syncs_the_zeros_before_it_unlinks_and_the_folder_after(
    tmp_path: Path, order: list[str]
) -> None:
    folder = Folder(tmp_path)
    folder.write("hop-1", NEW)
    order.clear()
    folder.erase("hop-1")
    assert order == [f"file of {len(NEW)}, 0 left", "unlink", "folder"]


def test_a_power_cut_before_the_unlinking_leaves_zeros_and_the_next_erase_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    folder.write("hop-1", NEW)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", cut)
        with pytest.raises(PowerCut):
            folder.erase("hop-1")
    assert folder.read("hop-1") == bytes(len(NEW))
    folder.erase("hop-1")
    assert folder.names() == []


def test_erasing_or_removing_nothing_is_no_fault(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.erase("nothing")
    folder.remove("nothing")
    assert folder.read("nothing") is None
    assert folder.names() == []


def test_names_are_sorted_files_without_folders(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for name in ("b", "a"):
        folder.write(name, b"")
    folder.folder("c")
    assert folder.names() == ["a", "b"]


def test_a_database_is_durable_at_each_commit_and_overwrites_what_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect

    def careless(*args: Any, **options: Any) -> sqlite3.Connection:
        """An SQLite that was built otherwise: that of some systems would do both unasked."""
        made: sqlite3.Connection = connect(*args, **options)
        made.executescript("PRAGMA synchronous=OFF; PRAGMA secure_delete=OFF")
        return made

    monkeypatch.setattr(sqlite3, "connect", careless)
    db = Folder(tmp_path).database("cells.db")
    asked = ("journal_mode", "synchronous", "secure_delete", "temp_store", "wal_autocheckpoint")
    assert [db.execute(f"PRAGMA {name}").fetchone()[0] for name in asked] == ["wal", 2, 1, 2, 500]
    db.execute("CREATE TABLE t (x)")
    db.execute("INSERT INTO t VALUES (?)", (b"a canary of a row" * 9,))
    db.execute("DELETE FROM t")
    assert b"a canary" in (tmp_path / "cells.db-wal").read_bytes(), "the log keeps old pages"
    settle(db)
    assert not [p for p in tmp_path.iterdir() if b"a canary" in p.read_bytes()]
    db.close()


@pytest.mark.parametrize("spoil", [
    lambda path: path.write_bytes(b"no database" * 999), lambda path: path.mkdir(),
], ids=["damaged", "a folder"])  # fmt: skip
def test_a_database_that_cannot_be_opened_is_named_and_is_an_error_of_databases_all_the_same(
    tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    spoil(tmp_path / "cells.db")
    with pytest.raises(Fault, match=r"^cells.db .* move it") as fault:
        Folder(tmp_path).database("cells.db")
    assert isinstance(fault.value, sqlite3.Error), "a role that runs goes on beside it"
    assert str(pickle.loads(pickle.dumps(fault.value))) == str(fault.value)  # noqa: S301


def test_a_database_that_may_only_be_read_is_none_for_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Folder(tmp_path).database("cells.db").close()
    monkeypatch.setattr(os, "access", lambda _, asked: not asked & os.W_OK)  # root may write all
    with pytest.raises(Fault, match=r"^cells.db .* this user's"):
        Folder(tmp_path).database("cells.db")


@pytest.mark.parametrize("busy", [None, Fault("Somebody else has it", "Wait.")])
def test_a_network_disk_on_which_no_folder_can_be_held_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, busy: Fault | None
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OSError(EBADF, "Bad file descriptor")  # flock(2) has NFS say so of any folder

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(Fault, match="network disks"), held(tmp_path, busy):
        pass


def of_sqlite(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("of a test")
    error.sqlite_errorcode = code
    return error


FULL_OR_FAILING = [
    of_sqlite(sqlite3.SQLITE_FULL), of_sqlite(sqlite3.SQLITE_IOERR),
    of_sqlite(sqlite3.SQLITE_IOERR_FSYNC), *(OSError(n, "") for n in (ENOSPC, EDQUOT, EIO)),
]  # fmt: skip
ANYTHING_ELSE = [
    of_sqlite(sqlite3.SQLITE_BUSY), of_sqlite(0), OSError(EACCES, ""), ValueError("of a test"),
]  # fmt: skip


@pytest.mark.parametrize("error", FULL_OR_FAILING, ids=str)
def test_a_full_or_failing_disk_is_a_fault_that_says_to_make_room(error: Exception) -> None:
    with pytest.raises(DiskTrouble, match="full, or fails") as fault, disk_trouble():
        raise error
    assert (fault.value.EXIT, "make room" in fault.value.next_step) == (75, True)


@pytest.mark.parametrize("error", ANYTHING_ELSE, ids=str)
def test_every_other_error_stays_what_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as same, disk_trouble():
        raise error
    assert same.value is error


def test_a_transaction_that_sqlite_has_undone_is_not_undone_again(tmp_path: Path) -> None:
    db = Folder(tmp_path).database("cells.db")
    db.execute("CREATE TABLE t (x)")
    db.execute("BEGIN")
    db.execute("INSERT INTO t VALUES (1)")
    for _ in range(2):
        roll_back(db)
        assert db.execute("SELECT count(*) FROM t").fetchone() == (0,)
    db.close()


def test_a_transaction_that_cannot_be_committed_is_undone_and_the_next_one_begins(
    tmp_path: Path,
) -> None:
    db = Folder(tmp_path).database("cells.db")
    db.execute("PRAGMA foreign_keys=ON")
    db.execute("CREATE TABLE parents (x INTEGER PRIMARY KEY)")
    db.execute("CREATE TABLE children (x REFERENCES parents DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(sqlite3.IntegrityError), transaction(db):  # found out by the commit alone
        db.execute("INSERT INTO children VALUES (1)")
    with transaction(db):
        db.execute("INSERT INTO parents VALUES (2)")
    assert db.execute("SELECT count(*) FROM children").fetchone() == (0,)
    assert db.execute("SELECT count(*) FROM parents").fetchone() == (1,)
    db.close()


def test_a_database_takes_more_down_to_its_reserve_and_its_empty_pages_are_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = Folder(tmp_path).database("cells.db")
    db.execute("CREATE TABLE t (x)")
    free = RESERVE
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert has_room(db)
    free = RESERVE - 1
    assert not has_room(db)
    db.execute("INSERT INTO t VALUES (zeroblob(100000))")
    db.execute("DELETE FROM t")
    assert has_room(db)
    free = 0
    assert not has_room(db)
    db.close()
    assert has_room(sqlite3.connect(":memory:")), "it fills no disk"


def test_what_comes_at_once_needs_room_beside_the_empty_pages_of_a_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db, free = Folder(tmp_path).database("cells.db"), 1 << 20
    db.execute("CREATE TABLE t (x)")
    db.execute("INSERT INTO t VALUES (zeroblob(?))", (2 * free,))
    db.execute("DELETE FROM t")
    monkeypatch.setattr("wallflower.host.disk.RESERVE", free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert has_room_for(db, free), "here as empty pages, and beside them for the log"
    assert not has_room_for(db, free + 1)
    db.execute("DROP TABLE t")
    db.execute("VACUUM")
    assert has_room_for(db, 0)
    assert not has_room_for(db, 1), "the reserve is for nobody"
    db.close()
