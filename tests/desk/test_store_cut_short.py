"""A change of the passphrase, or an unlocking, that a full disk or a power cut ends half way."""

from __future__ import annotations

import dataclasses
import errno
import os
from collections.abc import Callable

import pytest
from tests.desk.simulated import PASSPHRASE, World
from tests.desk.test_web import Browser

from wallflower.crypto.sign import sign, verify_key
from wallflower.desk.edge import keyring
from wallflower.errors import Fault
from wallflower.host.disk import DiskTrouble, Folder
from wallflower.trust.pins import Pins
from wallflower.trust.record import EpochRecord, verified
from wallflower.wire.sizes import SIGNATURE

ANOTHER = "another long one"
ALICE = b"a" * 16


def no_room(*_: object) -> None:
    """What a full disk says of every new file."""
    raise OSError(errno.ENOSPC, "no space")


@pytest.mark.parametrize("tries", [1, 2, 3])
def test_a_change_that_finds_no_room_leaves_the_old_passphrase_however_often_it_is_tried(
    world: World, monkeypatch: pytest.MonkeyPatch, tries: int
) -> None:
    """The second try once overwrote what the first had given a second name: the header in use."""
    world.desk.unlock(PASSPHRASE)
    header = (world.folder / "store.json").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "write", no_room)
        for _ in range(tries):
            with pytest.raises(DiskTrouble):
                world.desk.change_passphrase(PASSPHRASE, ANOTHER, ANOTHER)
    assert (world.folder / "store.json").read_bytes() == header
    world.desk.lock()
    world.desk.unlock(PASSPHRASE)
    assert "store.old.json" not in Folder(world.folder).names()
    assert (world.folder / "store.json").read_bytes() == header


def test_an_old_header_that_a_power_cut_left_is_overwritten_at_the_next_unlocking(
    world: World,
) -> None:
    world.desk.unlock(PASSPHRASE)
    old = (world.folder / "store.json").read_bytes()
    world.desk.change_passphrase(PASSPHRASE, ANOTHER, ANOTHER)
    (world.folder / "store.old.json").write_bytes(old)
    blocks = world.path / "blocks"
    blocks.hardlink_to(world.folder / "store.old.json")
    world.desk.lock()
    world.desk.unlock(ANOTHER)
    assert "store.old.json" not in Folder(world.folder).names()
    assert blocks.read_bytes() == bytes(len(old))


def test_an_old_header_that_cannot_be_overwritten_yet_leaves_no_store_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.desk.unlock(PASSPHRASE)
    world.desk.lock()
    (world.folder / "store.old.json").write_bytes(b"of a change that power cut short")
    kept = []
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "erase", refusing(errno.EIO))
        for _ in range(2):
            with pytest.raises(DiskTrouble) as raised:
                world.desk.unlock(PASSPHRASE)
            kept.append(raised)  # as by the page that shows it
    world.desk.unlock(PASSPHRASE)
    assert Folder(world.folder).names() == ["store.db", "store.db-wal", "store.json"]


async def test_a_desk_whose_disk_is_full_while_it_is_unlocked_is_unlocked_when_there_is_room(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys that were due are erased at unlocking, which a full disk does not let happen."""

    def full(*_: object) -> None:
        raise DiskTrouble

    await world.start()
    world.desk.lock()
    with monkeypatch.context() as patch:
        patch.setattr("wallflower.desk.edge.keyring.Keyring.erase_dead", full)
        kept = []
        for _ in range(2):
            with pytest.raises(DiskTrouble) as raised:
                world.desk.unlock(PASSPHRASE)
            assert world.desk.locked
            kept.append(raised)  # its frames keep the store, which nobody else closes then
    world.desk.unlock(PASSPHRASE)
    assert world.desk.status().record == 1


async def test_a_desk_opens_its_letters_with_the_pins_of_another_signer_too(world: World) -> None:
    """A record key was replaced: what the desk kept under the old one says nothing any more."""
    await world.start()
    world.drop(world.write(ALICE, "hello"))
    await world.desk.step()
    world.desk.lock()
    world.signers[1] = world.entropy.draw(32)
    world.pins = dataclasses.replace(world.pins, a=verify_key(world.signers[1]))
    world.desk = world.new_desk()
    world.desk.unlock(PASSPHRASE)
    [case] = world.desk.inbox()
    assert (case.letters, world.desk.status().record) == (1, None)
    await world.begin_day(1)
    world.drop(world.write(ALICE, "under the new signers"))
    await world.desk.step()
    assert world.desk.inbox()[0].letters == 2
    assert world.desk.status().record == 2


async def test_a_record_of_another_signer_is_looked_at_once_and_kept_once_it_is_signed_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each page and each drop of the next three months looks at all that was kept before."""
    await world.start()
    for day in (1, 2):
        await world.begin_day(day)
    bodies = [record.raw[: -3 * SIGNATURE] for record in world.records]
    world.desk.lock()
    world.signers[1] = world.entropy.draw(32)
    world.pins = dataclasses.replace(world.pins, a=verify_key(world.signers[1]))
    looked: list[bytes] = []

    def counted(data: bytes, pins: Pins) -> EpochRecord | None:
        looked.append(data)
        return verified(data, pins)

    monkeypatch.setattr(keyring, "verified", counted)
    world.desk = world.new_desk()
    world.desk.unlock(PASSPHRASE)
    for _ in range(3):
        await world.desk.step()
        assert world.desk.status().record is None
    assert len(looked) == len(set(looked)) == 3
    body = bodies[-1]
    raw = body + b"".join(sign(seed, "record", body) for seed in world.signers)
    world.server.records[3] = raw
    await world.desk.step()
    assert world.desk.status().record == 3
    world.desk.lock()
    world.desk.unlock(PASSPHRASE)
    assert world.desk.status().record == 3


WITHOUT_LINKS = [errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EACCES]


def refusing(code: int) -> Callable[..., None]:
    """A disk that says this of whatever it is asked."""

    def refused(*_: object) -> None:
        raise OSError(code, "refused")

    return refused


def kept_as_it_was(world: World, header: bytes) -> None:
    """The old passphrase opens the store, by the same header, which has one name."""
    assert Folder(world.folder).names() == ["store.db", "store.db-wal", "store.json"]
    assert (world.folder / "store.json").read_bytes() == header
    world.desk.lock()
    with pytest.raises(Fault, match="not the passphrase"):
        world.desk.unlock(ANOTHER)
    world.desk.unlock(PASSPHRASE)


@pytest.mark.parametrize("code", WITHOUT_LINKS)
async def test_a_disk_that_names_no_file_twice_changes_no_passphrase_and_says_what_to_do(
    world: World, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """FAT: the page once answered as if the desk had failed."""
    world.desk.unlock(PASSPHRASE)
    header = (world.folder / "store.json").read_bytes()
    browser = await Browser(world).enter()
    fields = {"old": PASSPHRASE, "passphrase": ANOTHER, "again": ANOTHER}
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", refusing(code))
        status, _, page = await browser.post("/passphrase", fields)
    assert status == 400
    assert b"The passphrase was not changed: this disk cannot erase the old one" in page
    assert b"copy its folder to a disk with ext4" in page
    assert b"The passphrase was changed" not in page
    kept_as_it_was(world, header)


@pytest.mark.parametrize(("code", "fault"), [
    (errno.EINVAL, "The passphrase was not changed"), (errno.ENOTSUP, "was not changed"),
    (errno.EIO, "full, or fails"),
])  # fmt: skip
def test_a_disk_that_keeps_names_for_nobody_changes_no_passphrase(
    world: World, monkeypatch: pytest.MonkeyPatch, code: int, fault: str
) -> None:
    """It could lose the name of the new header after the old one was overwritten."""
    world.desk.unlock(PASSPHRASE)
    header = (world.folder / "store.json").read_bytes()
    with monkeypatch.context() as patch, pytest.raises(Fault, match=fault):
        patch.setattr(Folder, "sync", refusing(code))
        world.desk.change_passphrase(PASSPHRASE, ANOTHER, ANOTHER)
    kept_as_it_was(world, header)


@pytest.mark.parametrize("fails_at", [2, 3, 4])
def test_a_change_whose_end_the_disk_does_not_confirm_says_that_the_new_passphrase_opens(
    world: World, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    """Names are put on the disk: of the second name, of the new header, before the old one is
    overwritten, and after. It is overwritten by nobody who does not know that its name is gone."""
    world.desk.unlock(PASSPHRASE)
    header = (world.folder / "store.json").read_bytes()
    blocks = world.path / "blocks"
    blocks.hardlink_to(world.folder / "store.json")
    asked, sync = iter(range(1, 99)), Folder.sync

    def failing(folder: Folder) -> None:
        if next(asked) >= fails_at:
            raise OSError(errno.EIO, "fails")
        sync(folder)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "sync", failing)
        with pytest.raises(Fault, match="was changed, but this disk did not let the old one"):
            world.desk.change_passphrase(PASSPHRASE, ANOTHER, ANOTHER)
        assert blocks.read_bytes() == (header if fails_at < 4 else bytes(len(header)))
        world.desk.lock()
        if fails_at < 4:
            with pytest.raises(DiskTrouble):
                world.desk.unlock(ANOTHER)
            assert blocks.read_bytes() == header
    world.desk.unlock(ANOTHER)
    assert blocks.read_bytes() == bytes(len(header))
    assert Folder(world.folder).names() == ["store.db", "store.db-wal", "store.json"]


def test_a_disk_that_refuses_to_make_a_desk_is_a_fault_with_what_to_do(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code, name in ((errno.EROFS, "EROFS"), (errno.EINVAL, "EINVAL"), (errno.EACCES, "EACCES")):
        with monkeypatch.context() as patch, pytest.raises(Fault, match=name) as refused:
            patch.setattr(Folder, "write", refusing(code))
            world.desk.unlock(PASSPHRASE)
        assert "ext4, btrfs or xfs" in refused.value.next_step
        assert (world.desk.locked, world.desk.exists) == (True, False)
    world.desk.unlock(PASSPHRASE)
