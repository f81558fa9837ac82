"""Keys die at the second of the table (record 4), with everything that they would still open.

Just before: they open. Just after: they are gone from the disk, also when the process was off at
that second, and then before it serves or asks anything.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.faults.carving import NOTHING, Recorded, attack
from tests.lab.site import PASSPHRASE, SATURDAY, Make, Site
from tests.mix.room import DAY, Room, room_on

from wallflower.desk.inbox import open_drop
from wallflower.host.disk import Folder
from wallflower.lab.town import PARAMETERS, SimulatedTown
from wallflower.mix.edge.mix import Mix
from wallflower.mix.edge.pool import name_of
from wallflower.wire.drop import parse_drop
from wallflower.wire.record import RecordBody
from wallflower.wire.sizes import DAY_S, WEEK_BASE_DAY, week_of_day

ENDS = {"a": (DAY + 2) * DAY_S, "b": (DAY + 3) * DAY_S}


def keys(town: SimulatedTown, position: str) -> list[str]:
    return Folder(town.path / f"mix-{position}-keys").names()


def mix_that_starts(town: SimulatedTown, position: str) -> Mix:
    """A mix's process begins on its disk, and draws what was never drawn before; nothing was asked
    or served yet."""
    town.seed += b"+"
    return town._mix(position, "http://nobody.example/x", bytes(32), bytes(32))


@pytest.mark.parametrize("position", ["a", "b"])
async def test_a_mix_that_was_off_when_a_hop_key_was_due_erases_it_before_anything_else(
    room: Room, position: str
) -> None:
    town = room.town
    town.net.cut.update({"board.example", "a.example", "inner.example"})
    town.clock.time = ENDS[position] - 0.001
    assert mix_that_starts(town, position).records.private(1) is not None
    assert "hop-1" in keys(town, position), "the control: a moment before it is there"
    link = town.path / f"link-{position}"
    link.hardlink_to(town.path / f"mix-{position}-keys" / "hop-1")
    town.clock.time = ENDS[position]
    mix = mix_that_starts(town, position)
    assert "hop-1" not in keys(town, position)
    assert link.read_bytes() == bytes(32), "overwritten, not only unlinked"
    assert mix.records.private(1) is None


@pytest.mark.parametrize("position", ["a", "b"])
async def test_a_running_mix_erases_at_the_second_even_when_the_desk_server_hangs(
    room: Room, position: str
) -> None:
    town = room.town
    mix = {"a": town.a, "b": town.b}[position]
    mix.records.forget(ENDS[position] - 0.001)
    assert "hop-1" in keys(town, position)
    seen: list[list[str]] = []

    async def hangs() -> None:
        seen.append(keys(town, position))

    mix.records.step = hangs  # type: ignore[method-assign]
    town.clock.time = mix._steady = ENDS[position]
    await mix.step()
    assert seen, "the records' round came"
    assert "hop-1" not in seen[0], "and the key had gone before it"


@pytest.mark.parametrize("position", ["a", "b"])
async def test_a_pool_key_of_yesterday_is_gone_at_the_start_and_its_rows_live_on(
    tmp_path: Path, position: str
) -> None:
    slow = replace(PARAMETERS, mean_a=10**6 if position == "a" else 1800, mean_b=10**6)
    room = room_on(tmp_path / "slow", slow)
    await room.open()
    town = room.town
    await room.send(room.hum(room.letter("held over midnight")))
    await room.tick(4)
    mix = {"a": town.a, "b": town.b}[position]
    assert mix.pool.size() == 1
    assert f"pool-{DAY}" in keys(town, position)
    rows = mix.state.db.execute("SELECT name, sealed FROM pool")
    image = [(name_of(number), sealed) for number, sealed in rows]
    day_key = Folder(town.path / f"mix-{position}-keys").read(f"pool-{DAY}") or b""
    recorded = Recorded(town.record(), rows=image)
    assert attack([day_key], recorded).rows == 1, "the control: the key opens yesterday's image"
    mix.state.db.close()
    town.clock.time = (DAY + 1) * DAY_S
    town.net.cut.update({"board.example", "a.example", "inner.example"})
    started = mix_that_starts(town, position)
    assert f"pool-{DAY}" not in keys(town, position)
    left = [Folder(town.path / f"mix-{position}-keys").read(n) or b"" for n in keys(town, position)]
    assert attack(left, recorded) == NOTHING
    assert started.pool.size() == 1
    assert started.pool.lost == 0
    (row,) = started.pool.rows()
    assert started.pool.take(row.name) is not None
    town.close()


async def test_keys_that_no_record_will_use_are_not_kept(room: Room) -> None:
    """A number that was offered and skipped leaves nothing behind."""
    town = room.town
    skipped = max(town.a.records._hops.numbers())
    Folder(town.path / "mix-a" / "records").write("revoke", b"hops")
    await room.tick(3)
    assert town.record().number > skipped
    for position in ("a", "b"):
        assert f"hop-{skipped}" not in keys(town, position)


# The desk.


async def drops_of_a_day(make_place: Make) -> tuple[Site, list[bytes], RecordBody]:
    site = await make_place()
    person = site.person("recorded")
    await person.visit()
    person.write("somebody records the drops")
    await site.pass_days(1)
    record = site.town.record().body
    await person.visit()
    # B's drops are heard on their way, and the desk reads them too.
    heard: list[bytes] = []
    end = (record.day + 1) * DAY_S
    while site.town.clock.now() < end:
        await site.town.pass_time(1800)
        heard += [e.body for e in site.town.b.part.out.read(0, 4096)]
        await site.desk.step()
    ours = [d for d in dict.fromkeys(heard) if parse_drop(d).header.record == record.number]
    return site, ours, record


async def test_recorded_drops_open_until_72_hours_after_their_day_and_then_nowhere(
    make_place: Make,
) -> None:
    site, drops, record = await drops_of_a_day(make_place)
    assert drops
    parts = site.desk._rounds.parts if site.desk._rounds else None
    assert parts is not None
    end = (record.day + 1) * DAY_S + 3 * DAY_S

    def texts() -> list[str] | None:
        """What the desk's own keys open of the recording now; None without the day's key."""
        opened = []
        for raw in drops:
            private = parts.keyring.drop_key(record.day, record.drop_key)
            if private is None:
                return None
            letters = open_drop(parse_drop(raw), private, record.hash(), parts.keyring.living())
            opened += [arrived.letter.text for arrived in letters.letters]
        return opened

    before = texts()
    assert before == ["somebody records the drops"]
    parts.keyring.erase_dead(end - 0.001, 7200)
    assert texts() == before
    parts.keyring.erase_dead(end, 7200)
    assert texts() is None
    rows = parts.store.run("SELECT day FROM drop_keys WHERE day = ?", record.day)
    assert rows == []


async def test_a_desk_that_was_locked_when_its_keys_were_due_erases_them_before_it_asks_anything(
    make_place: Make,
) -> None:
    site = await make_place()
    town, desk = site.town, site.desk
    week = week_of_day(SATURDAY)
    mean_b = town.parameters.mean_b
    end_drop = (SATURDAY + 1) * DAY_S + 3 * DAY_S
    end_desk = (WEEK_BASE_DAY + (week + 1) * 7 + 7 + 1 + 3) * DAY_S + 8 * mean_b

    def here() -> tuple[bool, bool]:
        assert desk._store is not None
        drop = desk._store.run("SELECT 1 FROM drop_keys WHERE day = ?", SATURDAY)
        key = desk._store.run("SELECT 1 FROM desk_keys WHERE week = ?", week)
        return bool(drop), bool(key)

    town.net.cut.update({"board.example", "b.example"})
    for moment, expected in (
        (end_drop - 0.001, (True, True)), (end_drop, (False, True)),
        (end_desk - 0.001, (False, True)), (end_desk, (False, False)),
    ):  # fmt: skip
        desk.lock()
        town.clock.time = moment
        desk.unlock(PASSPHRASE)
        assert here() == expected, f"{moment - SATURDAY * DAY_S} s after the day began"


async def test_with_the_end_of_the_desk_key_its_letters_are_read_by_nobody(
    make_place: Make,
) -> None:
    """A drop that B still has after the desk key's end: the slots stay closed (letter 3.2)."""
    site = await make_place()
    parts = site.desk._rounds.parts if site.desk._rounds else None
    assert parts is not None
    before = len(parts.keyring.living())
    week = week_of_day(SATURDAY)
    end = (WEEK_BASE_DAY + (week + 1) * 7 + 11) * DAY_S + 8 * site.town.parameters.mean_b
    parts.keyring.erase_dead(end - 1, site.town.parameters.mean_b)
    assert len(parts.keyring.living()) == before
    parts.keyring.erase_dead(end, site.town.parameters.mean_b)
    assert week not in [w for w, _, _ in parts.keyring.living()]
