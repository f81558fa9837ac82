"""The sealed store: passphrases, crashes, and what is left on the disk."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2
from tests.desk.simulated import CHEAP, PASSPHRASE, World
from tests.host.scarce import little_memory

from wallflower.desk.edge import store as stores
from wallflower.desk.header import Cost, Header, parse_header
from wallflower.errors import Fault
from wallflower.host.disk import DiskTrouble, Folder

ALICE = b"a" * 16
CANARY = "the canary sings in bergamot"


class PowerCut(Exception):
    """The machine is off."""


def open_files(folder: Path) -> list[str]:
    """The files below a folder that this process has open."""
    found = []
    for fd in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the listing's own
            found.append(str(fd.readlink()))
    return sorted(one for one in found if one.startswith(str(folder)))


def files_with(folder: Path, canary: bytes) -> list[str]:
    """The files below a folder that hold these bytes."""
    found = [p for p in folder.rglob("*") if p.is_file() and canary in p.read_bytes()]
    return sorted(p.name for p in found)


def test_wrong_passphrase_is_a_fault_and_loses_nothing(world: World) -> None:
    world.desk.unlock(PASSPHRASE)
    world.desk.lock()
    before = {n: Folder(world.folder).read(n) for n in Folder(world.folder).names()}
    with pytest.raises(Fault, match="This is not the passphrase"):
        world.desk.unlock("something else entirely")
    assert world.desk.locked
    assert {n: Folder(world.folder).read(n) for n in Folder(world.folder).names()} == before
    world.desk.unlock(PASSPHRASE)
    assert not world.desk.locked


def test_desk_without_the_memory_that_a_passphrase_takes_says_so_and_changes_nothing(
    world: World,
) -> None:
    with little_memory(128), pytest.raises(Fault, match=r"takes 256 MiB .* Nothing was changed"):
        stores.create_store(Folder(world.folder), world.entropy, PASSPHRASE, PASSPHRASE, Cost())
    assert Folder(world.folder).names() == ["b.token", "board.token"]


def test_changed_passphrase_opens_and_the_old_one_does_not(world: World) -> None:
    world.desk.unlock(PASSPHRASE)
    with pytest.raises(Fault, match="not the passphrase"):
        world.desk.change_passphrase("wrong one again", "another long one", "another long one")
    world.desk.change_passphrase(PASSPHRASE, "another long one", "another long one")
    world.desk.lock()
    with pytest.raises(Fault, match="not the passphrase"):
        world.desk.unlock(PASSPHRASE)
    world.desk.unlock("another long one")
    assert world.desk.inbox() == []
    assert Folder(world.folder).names() == ["store.db", "store.db-wal", "store.json"]


def test_an_old_header_and_its_passphrase_open_what_came_later(world: World) -> None:
    """The loss that the threat model and the page of the passphrase admit."""
    world.desk.unlock(PASSPHRASE)
    folder = Folder(world.folder)
    before = folder.read("store.json")
    assert before is not None
    world.desk.change_passphrase(PASSPHRASE, "another long one", "another long one")
    world.desk.lock()
    folder.write("store.json", before)
    world.desk.unlock(PASSPHRASE)
    assert world.desk.inbox() == []


@pytest.mark.parametrize(("one", "two"), [("short", "short"), (PASSPHRASE, PASSPHRASE + "x")])
def test_new_passphrase_is_long_and_typed_twice(world: World, one: str, two: str) -> None:
    with pytest.raises(Fault, match=r"fewer than 12|differ"):
        world.desk.unlock(one, two)
    assert not world.desk.exists
    assert Folder(world.folder).names() == ["b.token", "board.token"]


@pytest.mark.parametrize(("one", "two"), [("short", "short"), (CANARY, CANARY + "x")])
def test_passphrase_is_changed_to_a_long_one_typed_twice_or_not_at_all(
    world: World, one: str, two: str
) -> None:
    world.desk.unlock(PASSPHRASE)
    before = Folder(world.folder).read("store.json")
    with pytest.raises(Fault, match=r"fewer than 12|differ"):
        world.desk.change_passphrase(PASSPHRASE, one, two)
    assert Folder(world.folder).read("store.json") == before


def test_old_header_is_overwritten_and_not_only_replaced(world: World) -> None:
    world.desk.unlock(PASSPHRASE)
    link = world.path / "link"  # sees what happens to the blocks
    link.hardlink_to(world.folder / "store.json")
    size = link.stat().st_size
    (world.folder / "store.old.json").write_bytes(b"of a change that power cut short")
    world.desk.change_passphrase(PASSPHRASE, "another long one", "another long one")
    assert link.read_bytes() == bytes(size)
    assert "store.old.json" not in Folder(world.folder).names()


def test_a_store_is_never_made_over_another(world: World) -> None:
    world.desk.unlock(PASSPHRASE)
    world.desk.lock()
    folder = Folder(world.folder)
    before = {name: folder.read(name) for name in folder.names()}
    with pytest.raises(Fault, match="a store already"):
        stores.create_store(folder, world.entropy, CANARY, CANARY, CHEAP)
    assert {name: folder.read(name) for name in folder.names()} == before


def test_store_is_durable_overwrites_what_is_deleted_and_is_open_once(world: World) -> None:
    store = stores.create_store(Folder(world.folder), world.entropy, "x" * 12, "x" * 12, CHEAP)
    said = {
        name: store.run(f"PRAGMA {name}")[0][0]
        for name in ("journal_mode", "synchronous", "secure_delete", "temp_store", "locking_mode",
                     "foreign_keys", "cipher_memory_security")
    }  # fmt: skip
    assert said == {
        "journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "temp_store": 2,
        "locking_mode": "exclusive", "foreign_keys": 1, "cipher_memory_security": "1",
    }  # fmt: skip
    store.close()


def test_second_desk_on_the_same_folder_is_refused(world: World) -> None:
    world.desk.unlock(PASSPHRASE)
    with pytest.raises(Fault, match="open elsewhere"):
        world.new_desk().unlock(PASSPHRASE)


def test_crash_while_making_the_store_can_be_repeated(world: World) -> None:
    world.desk.unlock(PASSPHRASE)
    world.desk.lock()
    folder = Folder(world.folder)
    made = parse_header(folder.read("store.json") or b"")
    fresh = Header(made.cost, made.salt, made.wrapped, fresh=True)
    folder.write("store.json", fresh.encode())
    assert not world.desk.exists
    world.desk.unlock("a new passphrase then")
    assert world.desk.exists


def test_a_desk_that_dies_before_its_first_store_is_whole_makes_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_cut(folder: Folder, data_key: bytes) -> stores.Store:
        del folder, data_key
        raise PowerCut

    folder = Folder(world.folder)
    with monkeypatch.context() as patched, pytest.raises(PowerCut):
        patched.setattr(stores, "_connect", power_cut)
        stores.create_store(folder, world.entropy, CANARY, CANARY, CHEAP)
    assert (folder.path / "store.db").exists()
    assert not stores.exists(folder)
    stores.create_store(folder, world.entropy, CANARY, CANARY, CHEAP).close()
    stores.open_store(folder, CANARY).close()


def test_what_opens_or_changes_a_store_that_is_not_there_says_so(world: World) -> None:
    folder = Folder(world.folder)
    with pytest.raises(Fault, match="no store yet"):
        stores.open_store(folder, CANARY)
    with pytest.raises(Fault, match="no store yet"):
        stores.change_passphrase(folder, world.entropy, CANARY, "x" * 12, "x" * 12, CHEAP)
    assert folder.names() == ["b.token", "board.token"]


def test_a_store_that_does_not_open_is_let_go(world: World) -> None:
    """While its Fault is still held, as by a page that shows it."""
    world.desk.unlock(PASSPHRASE)
    with pytest.raises(Fault, match="open elsewhere") as elsewhere:
        world.new_desk().unlock(PASSPHRASE)
    world.desk.lock()
    assert open_files(world.folder) == []
    Folder(world.folder).write("store.db", bytes(8192))
    with pytest.raises(Fault, match="damaged") as damaged:
        world.desk.unlock(PASSPHRASE)
    assert open_files(world.folder) == []
    assert elsewhere.value is not damaged.value, "both are still held"


def test_a_store_that_opens_on_a_failing_disk_is_disk_trouble(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.desk.unlock(PASSPHRASE)
    world.desk.lock()
    monkeypatch.setattr(stores, "_SCHEMA", "PRAGMA max_page_count=1; CREATE TABLE more (x);")
    with pytest.raises(DiskTrouble):
        stores.open_store(Folder(world.folder), PASSPHRASE)


def test_store_without_its_header_is_never_overwritten(world: World) -> None:
    world.desk.unlock(PASSPHRASE)
    world.desk.lock()
    folder = Folder(world.folder)
    folder.remove("store.json")
    before = folder.read("store.db")
    with pytest.raises(Fault, match="lost its header"):
        world.desk.unlock(PASSPHRASE)
    assert folder.read("store.db") == before


def test_who_puts_a_copy_back_is_told_of_the_log_that_would_be_mixed_into_it(world: World) -> None:
    world.desk.unlock(PASSPHRASE)
    world.desk.lock()
    path, log = world.folder / "store.db", world.folder / "store.db-wal"
    copy = path.read_bytes()
    world.desk.unlock(PASSPHRASE)
    store, parts = world.desk._open()
    parts.letters.alarm(world.desk.today(), "before")
    store.forget_log()
    store.put("after", 1)
    newer = log.read_bytes()  # as a power cut leaves it
    world.desk.lock()
    path.write_bytes(bytes(8192))
    with pytest.raises(Fault, match="damaged") as damaged:
        world.desk.unlock(PASSPHRASE)
    path.unlink()
    with pytest.raises(Fault, match="missing") as missing:
        world.desk.unlock(PASSPHRASE)
    for fault in (damaged.value, missing.value):
        assert "store.db-wal" in fault.next_step
    path.write_bytes(copy)
    log.write_bytes(newer)
    world.desk.unlock(PASSPHRASE)
    store, parts = world.desk._open()
    assert (store.get("after"), parts.store.run("SELECT what FROM alarms")) == (1, []), "why"


def test_missing_and_damaged_databases_are_faults(world: World) -> None:
    world.desk.unlock(PASSPHRASE)
    world.desk.lock()
    folder = Folder(world.folder)
    folder.write("store.db", bytes(8192))
    with pytest.raises(Fault, match="damaged"):
        world.desk.unlock(PASSPHRASE)
    folder.remove("store.db")
    with pytest.raises(Fault, match="missing"):
        world.desk.unlock(PASSPHRASE)


async def test_no_plain_text_is_in_any_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    aside = world.path / "aside"
    aside.mkdir()
    monkeypatch.chdir(aside)  # nothing may land in the working directory either
    await world.start()
    world.drop(world.write(ALICE, CANARY))
    await world.desk.step()
    [case] = world.desk.inbox()
    [letter] = world.desk.conversation(case.id).letters
    world.desk.open_letter(letter.id)
    world.desk.answer(case.id, CANARY[::-1])
    for secret in (CANARY, CANARY[::-1], PASSPHRASE, "CREATE TABLE"):
        assert files_with(world.path, secret.encode()) == []
    assert files_with(world.path, case.id) == []
    world.desk.lock()
    assert files_with(world.path, CANARY.encode()) == []
    assert list(aside.iterdir()) == []
    (world.folder / "planted").write_text(CANARY)  # the search does find what is there
    assert files_with(world.path, CANARY.encode()) == ["planted"]


def test_files_are_for_their_owner_only(world: World) -> None:
    world.desk.unlock(PASSPHRASE)
    modes = {p.name: oct(p.stat().st_mode & 0o777) for p in world.folder.iterdir()}
    assert set(modes.values()) == {"0o600"}


def test_a_locked_desk_changes_no_passphrase(world: World) -> None:
    """Its folder may be open in another process, which knows nothing of a new header."""
    world.desk.unlock(PASSPHRASE)
    world.desk.lock()
    header = (world.folder / "store.json").read_bytes()
    with pytest.raises(stores.Locked):
        world.desk.change_passphrase(PASSPHRASE, "another long one", "another long one")
    assert (world.folder / "store.json").read_bytes() == header


def test_erased_rows_leave_the_write_ahead_log(world: World) -> None:
    store = stores.create_store(Folder(world.folder), world.entropy, "x" * 12, "x" * 12, CHEAP)
    with store.transaction():
        store.run("INSERT INTO drop_keys VALUES (1, 0, ?)", b"seed")
    assert os.path.getsize(world.folder / "store.db-wal") > 0
    store.forget_log()
    assert os.path.getsize(world.folder / "store.db-wal") == 0
    store.close()
    with pytest.raises(Fault, match="locked"):
        store.run("SELECT 1")


def test_a_transaction_that_cannot_be_committed_is_undone_and_the_next_one_begins(
    world: World,
) -> None:
    store = stores.create_store(Folder(world.folder), world.entropy, "x" * 12, "x" * 12, CHEAP)
    store.run("CREATE TABLE children (x REFERENCES conversations DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(dbapi2.IntegrityError), store.transaction():  # found out by the commit alone
        store.run("INSERT INTO children VALUES (?)", b"nobody")
    with store.transaction():
        store.put("next", 1)
    assert (store.run("SELECT * FROM children"), store.get("next")) == ([], 1)
    store.close()


def test_a_statement_on_a_full_disk_is_disk_trouble_and_every_other_error_stays(
    world: World,
) -> None:
    store = stores.create_store(Folder(world.folder), world.entropy, "x" * 12, "x" * 12, CHEAP)
    [(pages,)] = store.run("PRAGMA page_count")
    store.run(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DiskTrouble):
        store.put("large", bytes(1 << 20))
    assert store.get("large") is None
    with pytest.raises(dbapi2.OperationalError, match="no such table"):
        store.run("SELECT 1 FROM nowhere")
    store.close()


def test_failed_transaction_leaves_nothing(world: World) -> None:
    store = stores.create_store(Folder(world.folder), world.entropy, "x" * 12, "x" * 12, CHEAP)
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.put("half", 1)
        raise ZeroDivisionError
    assert store.get("half") is None
    store.close()


def test_a_store_that_is_closed_within_a_transaction_or_twice_says_nothing_else(
    world: World,
) -> None:
    store = stores.create_store(Folder(world.folder), world.entropy, "x" * 12, "x" * 12, CHEAP)
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.put("half", 1)
        store.close()
        raise ZeroDivisionError
    store.close()
    store = stores.open_store(Folder(world.folder), "x" * 12)
    assert store.get("half") is None
    store.close()
