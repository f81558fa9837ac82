"""Clocks that are wrong, and people who are away: what goes on, what is refused, who is told.

Nothing that was acknowledged is lost, but for the one loss that is named below.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.lab.site import SATURDAY, Make
from tests.mix.room import DAY, TICK, Room, room_on

from wallflower.crypto.hpke import Unopened
from wallflower.errors import Refused
from wallflower.host.disk import Folder
from wallflower.lab.town import MIRROR
from wallflower.source.edge.visit import fetch_record
from wallflower.source.letters import Place
from wallflower.trust.ahead import date_of
from wallflower.wire.census import parse_census
from wallflower.wire.hello import Report
from wallflower.wire.sizes import DAY_S

HOUR = 3600.0
OFF = [-2 * DAY_S, -HOUR, HOUR, 2 * DAY_S]
# Every change runs the days, every night the hours too.
NIGHTLY = pytest.mark.nightly
DAYS_NOW = [pytest.param(o, marks=[NIGHTLY] if abs(o) == HOUR else []) for o in OFF]


async def told(room: Room) -> list[str]:
    """What any operator of the town is told now."""
    town = room.town
    return [*town.server.alarms(), *town.a.alarms(), *town.b.alarms()]


def arrived(room: Room) -> list[str]:
    """The texts of all letters that came; a drop that its keys do not open is a loss as well."""
    try:
        return room.texts()
    except Unopened:
        return ["a drop that does not open"]


@pytest.mark.parametrize("seconds", DAYS_NOW)
@pytest.mark.parametrize("role", ["ingress", "board", "mix-a", "mix-b"])
async def test_a_server_whose_clock_is_off_loses_no_acknowledged_letter(
    room: Room, role: str, seconds: float
) -> None:
    town, record = room.town, room.town.record().body
    assert await told(room) == []
    await room.send(room.hum(room.letter("before"), record=record))
    town.skew[role] = seconds
    await room.tick(2)
    await room.send(room.hum(room.letter("meanwhile"), record=record))
    await room.tick(3)
    alarms = await told(room)
    is_mix, far = role.startswith("mix-"), abs(seconds) > HOUR
    if not far:
        assert arrived(room) == ["before", "meanwhile"], "an hour changes nothing at noon"
    del town.skew[role]
    await room.tick(5)
    assert arrived(room) == ["before", "meanwhile"]
    assert any("clock jumped" in alarm for alarm in alarms) is (is_mix and far)
    assert town.a.status()["refused"] == 0
    assert room.b.counts["refused"] == 0
    await room.send(room.hum(room.letter("after"), record=record))
    await room.tick(4)
    assert arrived(room) == ["after", "before", "meanwhile"]
    assert not any("clock" in alarm for alarm in await told(room))


@pytest.mark.parametrize(
    "seconds", [-DAY * DAY_S, pytest.param(-400 * DAY_S, marks=NIGHTLY), 400 * DAY_S]
)
@pytest.mark.parametrize("starts", ["never", "then", "later"])
async def test_an_ingress_whose_clock_is_years_off_deletes_nothing_that_it_acknowledged(
    room: Room, seconds: float, starts: str
) -> None:
    """A machine without a clock of its own begins in 1970, and is told the time later."""
    town = room.town
    await room.send(room.hum(room.letter("before")))
    town.skew["ingress"] = seconds
    if starts == "then":
        room.restart()
    await room.send(room.hum(room.letter("meanwhile")))
    if seconds > 0:
        await room.tick()
        await room.send(room.hum(room.letter("then")))
    del town.skew["ingress"]
    await room.send(room.hum(room.letter("after")))
    if starts == "later":
        room.restart()
    await room.tick(5)
    assert arrived(room) == ["after", "before", "meanwhile", *(["then"] if seconds > 0 else [])]


@pytest.mark.parametrize("role", ["mix-a", "mix-b"])
async def test_a_mix_whose_clock_is_set_back_and_then_ahead_loses_nothing(
    room: Room, role: str
) -> None:
    """It waits a day at most, by its own clock: from the one wrong time to the other is none."""
    town = room.town
    await room.send(room.hum(room.letter("on its way")))
    for wrong in (-3 * DAY_S, 400 * DAY_S):
        town.skew[role] = wrong
        await town.step()
        (alarm,) = [alarm for alarm in await told(room) if "clock jumped" in alarm]
        assert alarm.endswith(
            "no record agrees with it, so nothing is done for up to a day: set the clock right"
        )
    del town.skew[role]
    await room.tick(5)
    assert arrived(room) == ["on its way"]


@pytest.mark.parametrize("seconds", [-HOUR, pytest.param(HOUR, marks=NIGHTLY)])
@pytest.mark.parametrize(
    "role", ["mix-a", *(pytest.param(r, marks=NIGHTLY) for r in ("board", "mix-b"))]
)
async def test_an_hour_at_midnight_loses_nothing_either(
    room: Room, role: str, seconds: float
) -> None:
    town = room.town
    town.skew[role] = seconds
    await town.pass_time((DAY + 1) * DAY_S - town.clock.now())
    new, old = room.record_of(2), room.record_of(1)
    await room.send(room.hum(room.letter("today's record"), record=new.body))
    await room.send(room.hum(room.letter("yesterday's record"), record=old.body))
    await room.tick(5)
    assert room.texts() == ["today's record", "yesterday's record"]


@pytest.mark.parametrize("position", ["a", "b"])
async def test_a_mix_asks_as_each_tick_begins_and_at_no_other_time(
    room: Room, position: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether hums come or not: when it asks would else tell when they came (hum 2.9)."""
    mix = {"a": room.town.a, "b": room.town.b}[position]
    step, rounds, over = mix.step, list[float](), RuntimeError("over")

    async def watched() -> None:
        rounds.append(room.town.clock.now())
        if len(rounds) > 6:
            raise over
        if len(rounds) % 2:
            await room.send(room.hum(room.letter("x"), record=room.town.record().body))
        await step()

    monkeypatch.setattr(mix, "step", watched)
    with pytest.raises(RuntimeError, match="over"):
        await mix.run()
    first = (rounds[0] // TICK + 1) * TICK
    assert rounds[1:] == [first + n * TICK for n in range(6)]


async def test_counts_of_a_day_that_b_slept_through_are_deleted_and_never_published(
    room: Room,
) -> None:
    """Census 3.4. What is published then is of the day before, on which nobody was counted."""
    b = room.town.b
    with b.state.transaction():
        for _ in range(200):
            room.b._census.count(Report(3, 2))
    room.town.clock.time = (DAY + 3) * DAY_S + 60
    await room.tick(3)
    assert b.state.db.execute("SELECT count(*) FROM census").fetchone() == (0,)
    made = parse_census(room.b._census.file()).census
    assert (made.day, made.rows) == (DAY + 2, ())


async def test_a_mix_that_starts_with_a_clock_two_days_ahead_has_lost_keys_and_recovers(
    room: Room,
) -> None:
    """The named loss: keys die by the own clock, so what was on its way to them is lost."""
    town, record = room.town, room.town.record()
    await room.send(room.hum(room.letter("on its way"), record=record.body))
    town.skew["mix-a"] = 2 * DAY_S
    town.stop("mix-a", "a.example")
    town.start("mix-a", "a.example")
    await town.step()
    del town.skew["mix-a"]
    town.stop("mix-a", "a.example")
    town.start("mix-a", "a.example")
    assert any("its hums are lost" in alarm for alarm in town.a.alarms())
    await room.tick(3)
    assert town.record().number > record.number + 3
    assert town.record().body.day == record.body.day
    await room.send(room.hum(room.letter("after")))
    await room.tick(4)
    assert room.texts() == ["after"]
    assert await told(room) == []


@pytest.mark.parametrize("position", ["a", "b"])
async def test_a_mix_that_started_with_a_clock_that_was_ahead_keeps_no_pool_key_of_a_coming_day(
    room: Room, position: str
) -> None:
    """Claim 17: with that key an image of the disk would open until that day is over."""
    town = room.town
    pool = {"a": town.a, "b": town.b}[position].pool
    pool.put(town.record().number, DAY, b"held")
    for skew in (9 * DAY_S, 0):
        town.skew[f"mix-{position}"] = skew
        room.restart()
        pool = {"a": town.a, "b": town.b}[position].pool
        pool.put(1, DAY + skew // DAY_S, b"came then")
    names = Folder(town.path / f"mix-{position}-keys").names()
    assert [name for name in names if name.startswith("pool-")] == [f"pool-{DAY}"]
    assert {row.day for row in pool.rows()} == {DAY}, "nor does one stay longer than others"
    assert sorted(pool.take(row.name) or b"" for row in pool.rows()) == [
        b"came then", b"came then", b"held",
    ]  # fmt: skip


async def test_who_shows_an_old_record_for_ever_keeps_no_key_alive_for_more_than_a_day(
    room: Room,
) -> None:
    """The desk server's own clock stands; A slept over the end of a key."""
    town = room.town
    keys = town.path / "mix-a-keys"
    town.clock.time = (DAY + 2) * DAY_S + 3 * HOUR
    town.skew["board"] = (DAY + 0.5) * DAY_S - town.clock.now()
    await town.a.step()
    assert (keys / "hop-1").exists(), "it asked, and was told another day"
    assert town.a.alarms()
    town.clock.time += DAY_S
    town.skew["board"] -= DAY_S
    await town.a.step()
    assert not (keys / "hop-1").exists()


async def test_a_mix_that_slept_over_the_end_of_a_key_erases_it_when_the_record_agrees(
    room: Room,
) -> None:
    town = room.town
    town.clock.time = (DAY + 2) * DAY_S
    await town.a.step()
    assert not (town.path / "mix-a-keys" / "hop-1").exists()


@pytest.mark.parametrize("seconds", [-2 * DAY_S, pytest.param(2 * DAY_S, marks=NIGHTLY)])
async def test_a_source_whose_clock_is_days_off_sends_nothing_and_is_told(
    make_place: Make, seconds: float
) -> None:
    site = await make_place()
    person = site.person("off")
    await person.visit()
    person.write("waits for the right day")
    await site.pass_days(1)
    kept, hums = person.store.letters(), site.town.a.status()["hums"]
    site.town.skew["off"] = seconds
    with pytest.raises(Refused) as refusal:
        await person.visit()
    assert refusal.value.rule == "record 2.10"
    assert "clock" in refusal.value.next_step
    assert person.store.letters() == kept
    del site.town.skew["off"]
    await site.pass_days(0.1)
    assert site.town.a.status()["hums"] == hums
    await person.visit()
    assert Place.WAITING not in {k.place for k in person.store.letters()}
    await site.pass_days(1.5)
    assert site.texts(person) == [("first", "waits for the right day")]


@pytest.mark.parametrize(
    "seconds", [pytest.param(o, marks=[] if o == OFF[-1] else NIGHTLY) for o in OFF]
)
async def test_a_desk_whose_clock_is_off_reads_all_the_same(
    make_place: Make, seconds: float
) -> None:
    site = await make_place()
    person = site.person("writes")
    await person.visit()
    person.write("read whatever the clock says")
    await site.pass_days(1)
    await person.visit()
    site.town.skew["desk"] = seconds
    await site.pass_days(0.8)
    assert site.texts(person) == [("first", "read whatever the clock says")]
    refused = site.desk.status().faults.get("record 2.10", 0)
    assert bool(refused) is (abs(seconds) > HOUR), "its own record is refused, and counted"


# Signers, desks and people who are away.


@pytest.mark.parametrize(
    ("role", "at"), [("mix-a", "a.example"), ("mix-b", "b.example"), ("board", "board.example")]
)
async def test_a_signer_that_is_away_for_a_day_stops_nothing_and_catches_up(
    room: Room, role: str, at: str
) -> None:
    town = room.town
    town.stop(role, at)
    mix_time = town.clock.now()
    await room.tick(int(DAY_S / TICK))
    assert town.clock.now() == mix_time + DAY_S
    record = town.record()
    assert record.body.day == DAY + 1, "the records that are ahead serve"
    await room.send(room.hum(room.letter("while it was away"), record=record.body))
    town.start(role, at)
    await room.tick(6)
    assert town.server.status()["days_ahead"] == 3
    assert room.texts() == ["while it was away"]
    assert await told(room) == []


@pytest.mark.parametrize(
    ("role", "at", "who"), [("mix-a", "a.example", "of A"), ("mix-b", "b.example", "of B")]
)
async def test_a_missing_signature_is_an_alarm_a_day_before_it_matters(
    room: Room, role: str, at: str, who: str
) -> None:
    town = room.town
    town.stop(role, at)
    ahead = DAY + 3  # the last day that is signed
    while town.clock.now() < ahead * DAY_S - TICK:
        await room.tick()
    assert town.server.alarms() == [], "a moment before: day and night are covered"
    await room.tick()
    alarms = town.server.alarms()
    assert len(alarms) == 1
    assert f"The day {date_of(ahead + 1)} " in alarms[0]
    assert who in alarms[0]
    other = town.b if role == "mix-a" else town.a
    assert any(date_of(ahead + 1) in alarm for alarm in other.alarms())
    town.start(role, at)
    await room.tick(6)
    assert await told(room) == []


async def test_a_desk_that_hands_in_no_keys_is_named_a_day_before_it_matters(
    tmp_path: Path,
) -> None:
    room = room_on(tmp_path / "few")
    await room.open(days=4)
    await room.tick(int(2.5 * DAY_S / TICK) + 1)
    (alarm,) = room.town.server.alarms()
    assert f"The day {date_of(DAY + 4)} " in alarm
    assert "desk" in alarm
    room.town.close()


FRIDAY = SATURDAY - 1


@pytest.mark.parametrize(
    ("hours_shut", "lost"),
    [pytest.param(66, False, id="weekend"), pytest.param(84, True, id="84 h", marks=NIGHTLY)],
)
async def test_a_desk_that_was_shut_reads_all_drops_that_it_fetches_within_72_hours(
    make_place: Make, hours_shut: int, lost: bool
) -> None:
    """Friday 18:00 to Monday noon; or until Tuesday 06:00, when Friday's key is six hours dead."""
    site = await make_place(FRIDAY - 1)
    names = ["friday", "saturday", "sunday"]
    people = {name: site.person(name) for name in names}
    for person in people.values():
        await person.visit()
        person.write(person.name)
    now = site.town.clock.now
    await site.pass_days((FRIDAY * DAY_S + 18 * HOUR - now()) / DAY_S)
    desk_opens = now() + hours_shut * HOUR
    for index, name in enumerate(names):
        moment = (FRIDAY + index) * DAY_S + 18 * HOUR
        await site.town.pass_time(max(0.0, moment - now()))
        await people[name].visit()
        left = site.town.b.status()["released"]
        while site.town.b.status()["released"] == left:
            await site.town.pass_time(TICK)
    assert now() < FRIDAY * DAY_S + 3 * DAY_S, "all three are in drops on their days"
    await site.town.pass_time(desk_opens - now())
    await site.desk.step()
    await site.pass_days(0.2)
    read = {name: [text for _, text in site.texts(people[name])] for name in names}
    gone = site.desk.status().faults.get("drop key is gone", 0)
    if lost:
        assert read == {"friday": [], "saturday": ["saturday"], "sunday": ["sunday"]}
        assert gone > 0
    else:
        assert read == {name: [name] for name in names}
        assert gone == 0


# The last hours of a record (hum 1.7).


async def test_a_hum_in_the_last_minutes_of_a_record_would_be_acknowledged_and_lost(
    room: Room,
) -> None:
    """Why no client makes one: this is what becomes of it."""
    town, record = room.town, room.town.record()
    end = record.body.not_after
    await town.pass_time(end - TICK - town.clock.now())
    await room.send(room.hum(room.letter("with time to spare"), record=record.body))
    await room.tick()  # the tick at the very end of the record
    assert "hop-1" not in [p.name for p in (town.path / "mix-a-keys").iterdir()]
    refused = town.a.status()["refused"]
    assert refused == 12, "A came at its tick, and the key had gone in that second"
    await room.tick(4)
    assert room.texts() == []


@pytest.mark.parametrize(("before_end", "arrives"), [(7201.0, True), (7200.0, False)])
async def test_a_hum_that_a_client_makes_at_the_last_moment_is_never_lost(
    make_place: Make, before_end: float, arrives: bool
) -> None:
    """A mirror that shows the same record for two days; A's clock is an hour ahead."""
    site = await make_place()
    town = site.town
    person = site.person("late")
    await person.visit()
    person.write("in time")
    await site.pass_days(1)
    record = town.record()
    raw = dict(town.mirror._copy)["record"]
    town.skew["mix-a"] = HOUR
    await site.pass_days((record.body.not_after - before_end - town.clock.now()) / DAY_S)
    town.mirror._copy["record"] = raw
    kept = person.store.letters()
    if not arrives:
        with pytest.raises(Refused) as refusal:
            await fetch_record(town.host("late"), MIRROR, town.pins)
        assert refusal.value.rule == "hum 1.7"
        with pytest.raises(Refused) as refusal:
            await person.visit()
        assert refusal.value.rule == "hum 1.7"
        assert person.store.letters() == kept, "it waits for the next visit"
        return
    with pytest.raises(Refused) as refusal:
        await person.visit()
    assert refusal.value.rule == "segment 3.6", "the second way shows that this mirror is old"
    await site.pass_days(1.5)
    assert site.texts(person) == [("first", "in time")]
