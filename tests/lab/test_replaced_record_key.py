"""A record key was stolen and another took its place: the town starts on its disks and goes on."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.desk.simulated import CHEAP, PASSPHRASE, hand_over
from tests.lab.test_revocation import bodies_signed
from tests.mix.room import DAY, Room, room_on

from wallflower.desk.edge.desk import Desk
from wallflower.desk.edge.parts import DeskSettings, Peer
from wallflower.errors import Fault, Refused
from wallflower.lab.town import BOARD, DESK_NAME, PARAMETERS, TOKEN, SimulatedTown
from wallflower.trust.record import EpochRecord, verify_record
from wallflower.wire.sizes import DAY_S
from wallflower.wire.withdrawal import Withdrawal


def finished(town: SimulatedTown) -> dict[int, EpochRecord]:
    """Every finished record of the desk server, by number."""
    return dict(town.server.records._records)


def starts(town: SimulatedTown) -> bool:
    """Whether every role starts on its disk."""
    try:
        town.build()
    except Fault:
        return False
    return True


@pytest.mark.parametrize("whose", ["organisation", "a", "b"])
async def test_records_of_a_key_that_was_replaced_are_signed_anew_with_the_bodies_that_they_had(
    tmp_path: Path, whose: str
) -> None:
    room = room_on(tmp_path)
    await room.open()
    town = room.town
    await town.pass_time(DAY_S)
    if whose != "organisation":
        {"a": town.a, "b": town.b}[whose].records.revoke()
        await town.pass_time(4 * town.parameters.tick)
    await room.send(room.hum(room.letter("under the old key")))
    old, old_pins = finished(town), town.pins
    withdrawn = [list(mix.records._withdrawn) for mix in (town.a, town.b)]
    signed = bodies_signed(town, "a")

    setattr(town.signers, whose, b"n" * 32)
    assert starts(town)
    assert finished(town) == {}, "none of them holds under the new pins"
    await town.pass_time(4 * town.parameters.tick)

    new = finished(town)
    ahead = {number for number, record in old.items() if record.body.not_after > town.clock.now()}
    assert ahead <= new.keys()
    for number in ahead:
        assert new[number].body == old[number].body
        assert verify_record(new[number].raw, town.pins).hash == old[number].hash
        with pytest.raises(Refused):
            verify_record(new[number].raw, old_pins)
    assert bodies_signed(town, "a").items() >= signed.items(), "no number got a second body"
    assert [list(mix.records._withdrawn) for mix in (town.a, town.b)] == withdrawn
    assert town.a.status()["hums"] == 1, "what was sent before is opened"


def desk_of(town: SimulatedTown) -> Desk:
    """An unlocked desk that starts on its disk with the pins of today."""
    peers = Peer("http://b.example", "b.token"), Peer(BOARD, "board.token")
    desk = Desk(town.host("desk"), DeskSettings(DESK_NAME, town.pins, *peers), CHEAP)
    desk.unlock(PASSPHRASE)
    return desk


@pytest.mark.parametrize("whose", ["organisation", "a", "b"])
async def test_a_desk_reads_what_waited_from_before_a_record_key_was_replaced(
    tmp_path: Path, whose: str
) -> None:
    """It was shut meanwhile, so it never had the record of the day of which the letter is."""
    hour = replace(PARAMETERS, tick=3600, mean_a=3600, mean_b=3600)
    room = room_on(tmp_path, hour)
    town = room.town
    hand_over(town.host("desk").disk, TOKEN, TOKEN)
    desk = desk_of(town)
    await with_record(room, desk)
    desk.lock()
    await town.pass_time(DAY_S)
    old = town.record().body.day
    await room.send(room.hum(room.letter("of the day when the desk was shut")))
    await town.pass_time(DAY_S)
    setattr(town.signers, whose, b"n" * 32)
    town.build()
    await room.tick(3)
    assert town.record().body.day == old + 1 == DAY + 2

    desk = desk_of(town)
    for _ in range(3):
        await desk.step()
    status = desk.status()
    assert (status.letters, status.alarms, status.unreachable) == (1, [], [])
    assert town.b.part.out.size() == 0
    desk.lock()


async def with_record(room: Room, desk: Desk) -> None:
    """Go on until the desk has a record."""
    for _ in range(12):
        await desk.step()
        if desk.status().record:
            return
        await room.tick()
    raise AssertionError("there is no record")


@pytest.mark.parametrize("keys_too", [False, True])
@pytest.mark.parametrize("whose", ["a", "b"])
async def test_a_mix_whose_disk_was_lost_goes_on_with_a_new_record_key_however_high_the_numbers(
    tmp_path: Path, whose: str, keys_too: bool
) -> None:
    """It knows no number, and of the days ahead only what lies on its key volume, if that is
    there."""
    room = room_on(tmp_path)
    town = room.town
    passed_over = Withdrawal(1, 300)
    town.server.records._withdraw(passed_over)
    for mix in (town.a, town.b):
        mix.records._withdrawn.append(passed_over)
        mix.records._told.add(passed_over)
    await room.open()
    await town.pass_time(DAY_S)
    before = town.record()
    for mix in (town.a, town.b):
        mix.close()

    shutil.rmtree(tmp_path / f"mix-{whose}")
    if keys_too:
        shutil.rmtree(tmp_path / f"mix-{whose}-keys")
    setattr(town.signers, whose, b"n" * 32)
    town.build()
    await town.pass_time(6 * town.parameters.tick)

    now = town.record()
    assert now.body.day == before.body.day
    assert (now.number > before.number) is keys_too, "what it still has the key of stays"
    assert town.server.status()["days_ahead"] == 3
    assert [*town.server.alarms(), *town.a.alarms(), *town.b.alarms()] == []
    await room.send(room.hum(room.letter("to the new disk")))
    await room.tick(4)
    assert (room.b.counts["letters"], room.b.counts["released"]) == (1, 1)


async def test_a_mix_on_a_new_disk_asks_once_for_a_draft_that_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be hundreds, and a round has a minute: over a long line it would be cut at each
    before it got to those that are not over."""
    room = room_on(tmp_path)
    town = room.town
    await room.open()
    await town.pass_time(5 * DAY_S)
    for mix in (town.a, town.b):
        mix.close()
    for folder in ("mix-a", "mix-a-keys"):
        shutil.rmtree(tmp_path / folder)
    town.signers.a = b"n" * 32
    town.build()
    ends = {n: body.not_after for n, body in town.server.records._drafts.items()}
    asked: list[int] = []
    get = town.net.get

    async def noting(url: str, *rest: Any, **more: Any) -> bytes:
        _, _, number = url.partition("/drafts/")
        asked.extend([int(number)] if number.isdigit() else [])
        return await get(url, *rest, **more)

    monkeypatch.setattr(town.net, "get", noting)
    town.clock.time += 30 * DAY_S  # all are over by this clock, which is wrong
    await town.a.records.step()
    assert asked == sorted(ends)
    town.clock.time -= 30 * DAY_S
    over = [n for n, end in ends.items() if end <= town.clock.now()]
    assert len(over) >= 3
    for _ in range(2):
        asked.clear()
        await town.a.records.step()
        assert not set(over) & set(asked)
    assert all(town.a.records._is_withdrawn(n) for n in ends.keys() - set(over))
