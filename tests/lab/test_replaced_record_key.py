"""A record key was stolen and another took its place: the town starts on its disks and goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.lab.test_revocation import bodies_signed
from tests.mix.room import room_on

from wallflower.errors import Refused
from wallflower.lab.town import SimulatedTown
from wallflower.trust.record import EpochRecord, verify_record
from wallflower.wire.sizes import DAY_S


def finished(town: SimulatedTown) -> dict[int, EpochRecord]:
    """Every finished record of the desk server, by number."""
    return dict(town.server.records._records)


def starts(town: SimulatedTown) -> bool:
    """Whether every role starts on its disk."""
    try:
        town.build()
    except Refused:
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
