"""A change of the passphrase, or an unlocking, that a full disk or a power cut ends half way."""

from __future__ import annotations

import dataclasses
import errno

import pytest
from tests.desk.simulated import PASSPHRASE, World

from wallflower.crypto.sign import verify_key
from wallflower.host.disk import DiskTrouble, Folder

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
        for _ in range(2):
            with pytest.raises(DiskTrouble):
                world.desk.unlock(PASSPHRASE)
            assert world.desk.locked
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
