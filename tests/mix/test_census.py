"""B's census: only covers count, the noise is OpenDP's, and a day's counters end with the day."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from tests.mix.room import AT_ONCE, DAY, TICK, Make, Room
from tests.mix.test_second import give

import wallflower.mix.edge.census as at_b
from wallflower.host.log import Entry
from wallflower.lab.host import SeededEntropy
from wallflower.lab.town import BOARD, MIRROR, TOKEN
from wallflower.mix.noise import measurement, with_noise
from wallflower.trust.census import verify_census
from wallflower.wire.census import (
    EPSILON,
    THRESHOLD,
    Census,
    Row,
    make_census,
    parse_census,
    places,
)
from wallflower.wire.hello import SILENT, BRecord, Kind, Report, seal_for_b
from wallflower.wire.parcel import Parcel, seal_parcel_body
from wallflower.wire.sizes import DAY_S

HELD = replace(AT_ONCE, mean_b=1000 * TICK)
SPOKEN = Report(3, 2)
_draw = SeededEntropy(b"census").draw


def parcel(room: Room, kind: Kind, report: Report) -> Entry:
    """A parcel that reports, as A hands it over."""
    record, key = room.town.record(), _draw(32)
    inside = BRecord(kind, _draw(16), report=report)
    seal = seal_for_b(record.body.hop_b, record.hash, key, inside)
    letter = room.letter("x") if kind is Kind.LETTER else room.filler()
    return Entry(1, record.number, Parcel(seal, seal_parcel_body(key, letter)).encode())


def counters(room: Room) -> list[tuple[int, ...]]:
    """Everything that B's disk holds of the census."""
    return room.b._db.execute("SELECT * FROM census").fetchall()


async def test_only_covers_that_report_are_counted(make_room: Make) -> None:
    room = await make_room(HELD)
    for kind in Kind:
        give(room, parcel(room, kind, SPOKEN))
        give(room, parcel(room, kind, SILENT))
    assert counters(room) == [(DAY, 2, 2, 1)]


async def test_a_language_that_nobody_knows_is_counted_as_unknown(make_room: Make) -> None:
    room = await make_room(HELD)
    give(room, parcel(room, Kind.COVER, Report(255, 200)))
    assert counters(room) == [(DAY, 254, 0, 1)]


async def test_the_disk_holds_counters_and_nothing_of_a_single_hum(make_room: Make) -> None:
    room = await make_room(HELD)
    for _ in range(3):
        give(room, parcel(room, Kind.COVER, SPOKEN))
    assert counters(room) == [(DAY, 2, 2, 3)]
    columns = [row[1] for row in room.b._db.execute("PRAGMA table_info(census)")]
    assert columns == ["day", "channel", "language", "reports"]
    (made,) = room.b._db.execute("SELECT sql FROM sqlite_master WHERE name = 'census'").fetchone()
    assert "WITHOUT ROWID" in made, "a rowid would be the order of arrival"


async def test_a_day_becomes_one_signed_file_that_a_mirror_serves(make_room: Make) -> None:
    room = await make_room(HELD)
    with room.town.b.state.transaction():
        for _ in range(200):
            room.b._census.count(SPOKEN)
        for _ in range(3):
            room.b._census.count(Report(9, 1))
    room.town.clock.time = (DAY + 1) * DAY_S + 60
    await room.tick(2)
    assert counters(room) == []
    room.town.clock.time += 3600
    await room.tick(2)
    served = await room.town.net.get(f"{MIRROR}/census")
    census = verify_census(served, room.town.record())
    assert census.day == DAY
    assert [(r.channel, r.language) for r in census.rows] == [(2, 2)], "three are too few to show"
    assert 200 - 25 <= census.rows[0].reports <= 200 + 25
    assert served == room.b._census.file()


async def test_the_noise_of_a_day_is_drawn_once(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await make_room(HELD)
    drawn: list[int] = []

    def counted(counts: list[int]) -> list[int]:
        drawn.append(len(counts))
        return with_noise(counts)

    monkeypatch.setattr(at_b, "with_noise", counted)
    room.town.clock.time = (DAY + 1) * DAY_S + 60
    await room.tick(2)
    file = room.b._census.file()
    assert file
    room.restart()
    await room.tick(3)
    assert drawn == [len(places())], "every cell, those without a report too"
    assert room.b._census.file() == file


async def test_after_a_clock_that_was_ahead_is_right_no_day_is_kept_and_the_next_is_published(
    make_room: Make,
) -> None:
    """Census 2: else the counters of several days lie at B without noise, and no file comes."""
    room = await make_room(HELD)
    census, clock = room.b._census, room.town.clock
    clock.time += 2 * DAY_S
    census.close_days(1)
    census.count(SPOKEN)
    clock.time -= 2 * DAY_S
    census.close_days(1)
    assert counters(room) == []
    census.count(SPOKEN)
    clock.time += DAY_S
    census.close_days(1)
    assert counters(room) == []
    assert parse_census(census.file()).census.day == DAY


async def test_a_census_that_b_did_not_sign_is_refused_and_changes_nothing(make_room: Make) -> None:
    room = await make_room(HELD)
    told = room.town.server.told
    forged = make_census(Census(1, DAY, (Row(0, 0, 99),)), b"f" * 32)
    with pytest.raises(Exception, match="refused"):
        await room.town.net.post(f"{BOARD}/mix/census", forged, TOKEN)
    assert told.census is None
    good = make_census(Census(1, DAY, (Row(0, 0, 99),)), room.town.signers.drop)
    with pytest.raises(Exception, match="refused"):
        await room.town.net.post(f"{BOARD}/mix/census", good, "wrong")
    assert told.census is None
    await room.town.net.post(f"{BOARD}/mix/census", good, TOKEN)
    assert told.census == good


def test_the_noise_is_opendps_discrete_laplace_of_the_stated_epsilon() -> None:
    """The library's own privacy map, and its draws against the distribution of that scale."""
    made = measurement()
    assert made.map(d_in=1) == pytest.approx(EPSILON)  # type: ignore[attr-defined]
    assert type(made).__module__.startswith("opendp")
    draws, step = with_noise([1000] * 60_000), math.exp(-EPSILON)
    noise = [value - 1000 for value in draws]
    for distance in range(4):
        chance = (1 - step) / (1 + step) * step**distance * (1 if distance == 0 else 2)
        seen = sum(abs(value) == distance for value in noise)
        # Five standard deviations: it fails by chance once in 1.7 million runs.
        assert abs(seen - 60_000 * chance) < 5 * math.sqrt(60_000 * chance * (1 - chance))
    assert abs(sum(noise)) < 5 * math.sqrt(60_000 * 2 * step / (1 - step) ** 2)


def test_an_empty_place_passes_the_threshold_once_in_a_hundred_million_times() -> None:
    step = math.exp(-EPSILON)
    assert step**THRESHOLD / (1 + step) < 2e-9
    assert step**THRESHOLD / (1 + step) * len(places()) * 365 < 0.001, "in a year, any place"
