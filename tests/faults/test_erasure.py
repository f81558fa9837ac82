"""After a day's keys died, all recorded traffic of that day opens with nothing that is on the disk.

The disk is an ext4 filesystem inside of a file, read raw when everything has ended. The control is
the same town whose erasing only unlinks.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.faults.carving import NOTHING, Recorded, attack, carve
from tests.faults.disks import image_disk
from tests.mix.room import TICK, Room, room_on

from wallflower.host.disk import Folder
from wallflower.lab.town import PARAMETERS
from wallflower.mix.edge.mix import Mix
from wallflower.mix.edge.pool import name_of
from wallflower.wire.sizes import DAY_S

SIZE = 96 << 20
LETTERS, COVERS = 6, 3
# Everything rests a while in both pools, so that there is something in them to be sealed anew.
SLOW = replace(PARAMETERS, mean_a=4 * TICK, mean_b=4 * TICK, slots=4)


@dataclass(frozen=True, slots=True)
class Seized:
    """The raw disk, what was recorded before, and the keys that once were on it, by name."""

    image: bytes
    recorded: Recorded
    keys: dict[str, bytes]


def sealed_rows(mix: Mix) -> list[tuple[bytes, bytes]]:
    """The rows of a pool, as an image of the disk of this moment shows them."""
    rows = mix.state.db.execute("SELECT name, sealed FROM pool")
    return [(name_of(number), sealed) for number, sealed in rows]


def parcels_of(room: Room) -> list[bytes]:
    """The parcels that wait at A, as whoever records the line between A and B sees them."""
    return [entry.body for entry in room.a.out.read(0, 4096)]


async def live_a_day(room: Room) -> tuple[Recorded, dict[str, bytes]]:
    """Letters and covers go through; everything that passes is recorded, and every key noted."""
    town = room.town
    recorded = Recorded(town.record())
    recorded.hums = [room.hum(room.letter(f"letter {n}")) for n in range(LETTERS)]
    recorded.hums += [room.hum() for _ in range(COVERS)]
    for cells in recorded.hums:
        await room.send(cells)
    keys: dict[str, bytes] = {}
    while len(room.texts()) < LETTERS:
        await town.clock.sleep_until(town.clock.now() + TICK)
        town.server.step()
        await town.a.step()
        recorded.parcels += parcels_of(room)
        await town.b.step()
        recorded.rows += sealed_rows(town.a) + sealed_rows(town.b)
        for role in ("mix-a", "mix-b"):
            folder = Folder(town.path / f"{role}-keys")
            keys |= {f"{role}/{n}": folder.read(n) or b"" for n in folder.names()}
    return recorded, keys


async def seize(tmp_path: Path, held: Sequence[int] = ()) -> Seized:
    """A town lives on a disk of its own until the keys of its first day are dead. What is `held`
    open is closed at the very end.
    """
    image = tmp_path / "disk.img"
    with image_disk(image, tmp_path / "disk", SIZE) as disk:
        room = room_on(disk / "town", SLOW)
        await room.open()
        day = room.town.record().body.day
        recorded, keys = await live_a_day(room)
        number = recorded.record.number
        pools = [k for k in keys if "/pool-" in k and int(k.rpartition("-")[2]) <= day]
        dead = [f"mix-a/hop-{number}", f"mix-b/hop-{number}", *pools]
        assert len(dead) >= 4
        await room.town.pass_time((day + 3) * DAY_S - room.town.clock.now() + 2 * TICK)
        close(room)
        for descriptor in held:
            os.close(descriptor)
    return Seized(image.read_bytes(), recorded, {name: keys[name] for name in dead})


def close(room: Room) -> None:
    """Let go of every file."""
    room.town.close()
    for db in (room.town.a.state.db, room.town.b.state.db, room.town.ingress._log._db):
        db.close()


def found(seized: Seized) -> list[str]:
    """The dead keys that stand anywhere in the raw bytes of the disk."""
    return sorted(name for name, key in seized.keys.items() if key in seized.image)


async def test_recorded_traffic_opens_with_nothing_that_is_left_on_the_raw_disk(
    tmp_path: Path,
) -> None:
    seized = await seize(tmp_path)
    candidates = carve(seized.image)
    assert candidates, "the living keys are found by this search"
    assert found(seized) == []
    assert attack(candidates, seized.recorded) == NOTHING
    # The recording itself is good: the keys, had somebody kept them, open all of it.
    kept = attack(seized.keys.values(), seized.recorded)
    assert (kept.hums, kept.letters) == (LETTERS + COVERS, LETTERS + COVERS)
    print(f"\n{len(seized.image)} bytes raw, {len(candidates)} keys carved; kept keys open {kept}")


async def test_with_the_overwriting_removed_the_raw_disk_opens_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the same disk, the same recording, the same search."""
    held: list[int] = []

    def unlink(folder: Folder, name: str) -> None:
        """Erasing as most programs do it. Each file stays open, so that its place on the disk is
        given to no other: on a disk of 96 MB that is chance, on a large one nearly so."""
        with suppress(FileNotFoundError):
            held.append(os.open(folder.path / name, os.O_RDONLY))
            (folder.path / name).unlink()

    monkeypatch.setattr(Folder, "erase", unlink)
    seized = await seize(tmp_path, held)
    assert found(seized) == sorted(seized.keys)
    opened = attack(carve(seized.image), seized.recorded)
    assert (opened.hums, opened.letters) == (LETTERS + COVERS, LETTERS + COVERS)
    assert opened.rows > 0
