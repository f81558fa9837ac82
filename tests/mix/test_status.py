"""A mix's alarms: each is made by its cause, and a mix that is well has none."""

from __future__ import annotations

import shutil
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from tests.mix.room import AT_ONCE, DAY, TICK, Make

from wallflower.host.disk import PAGE_SIZE, Folder, settle
from wallflower.host.loops import LoopSettings
from wallflower.host.net import Net
from wallflower.host.pull import Alike
from wallflower.host.status import LITTLE_BYTES, TOO_LITTLE_BYTES, coarse
from wallflower.lab.host import ask
from wallflower.lab.town import TOKEN
from wallflower.mix.edge.intake import Source
from wallflower.mix.edge.mix import Mix
from wallflower.mix.edge.records import REQUEST
from wallflower.mix.edge.status import report
from wallflower.wire.sizes import DAY_S

HANDBOOK = Path(__file__).parents[2] / "docs" / "handbook" / "alarms.md"
LOOPS = LoopSettings(b"k" * 32, 96)
Usage = namedtuple("Usage", "total used free")


def names(mix: Mix) -> set[str]:
    """The alarms of a mix, but for loops, which this room does not send."""
    return {alarm.name for alarm in report(mix).alarms} - {"loops-unwatched", "loops-missing"}


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """How much room the disk has."""
    room = {"bytes": 1 << 40}
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 41, 0, room["bytes"]))
    yield room


async def test_a_mix_that_is_well_has_no_alarm(make_room: Make, free: dict[str, int]) -> None:
    del free
    room = await make_room()
    await room.tick(3)
    assert names(room.town.a) == names(room.town.b) == set()


async def test_a_disk_that_fills_is_an_alarm(make_room: Make, free: dict[str, int]) -> None:
    room = await make_room()
    free["bytes"] = LITTLE_BYTES - 1
    assert names(room.town.a) == {"disk-filling"}
    free["bytes"] = TOO_LITTLE_BYTES - 1
    assert names(room.town.a) == {"disk-full"}


async def test_keys_without_followers_and_then_no_record_are_alarms(make_room: Make) -> None:
    room = await make_room()
    room.town.net.cut.add("board.example")
    room.town.clock.time = (DAY + 2) * DAY_S + 60
    await room.tick(2)
    assert "keys-expire" in names(room.town.b)
    room.town.clock.time = (DAY + 6) * DAY_S
    assert "no-record" in names(room.town.b)


async def test_a_tick_that_is_late_is_an_alarm(make_room: Make) -> None:
    room = await make_room()
    await room.tick(2)
    room.town.clock.time += 2 * TICK
    assert "tick-late" not in names(room.town.b)
    room.town.clock.time += TICK
    assert "tick-late" in names(room.town.b)
    said = next(a for a in report(room.town.b).alarms if a.name == "tick-late")
    assert said.what == "the drop is late by 3 ticks"
    await room.tick()
    assert "tick-late" not in names(room.town.b)


async def test_a_neighbour_that_is_silent_is_an_alarm(make_room: Make) -> None:
    room = await make_room()
    room.town.net.cut |= {"inner.example", "a.example"}
    await room.tick(8)
    assert {"before-silent", "after-silent"} <= names(room.town.a)
    assert "before-silent" in names(room.town.b)
    assert "after-silent" not in names(room.town.b), "a desk may sleep for a night"
    room.town.net.cut.clear()
    await room.tick(2)
    assert names(room.town.a) == set()
    await room.tick(60)
    assert "after-silent" in names(room.town.b)


async def test_a_floor_that_is_not_met_for_a_day_is_an_alarm(make_room: Make) -> None:
    room = await make_room(replace(AT_ONCE, floor=3))
    state = room.town.b.state
    await room.tick(DAY_S // TICK - (state.number("tick") - state.number("floor_tick")))
    assert "floor-unmet" not in names(room.town.b)
    await room.tick(1)
    assert "floor-unmet" in names(room.town.b)
    for _ in range(3):
        await room.send(room.hum())
    await room.tick(3)
    assert "floor-unmet" not in names(room.town.b)


async def test_a_floor_that_is_not_met_rings_a_day_after_a_clock_that_was_ahead_is_right(
    make_room: Make,
) -> None:
    room = await make_room(replace(AT_ONCE, floor=3))
    for skew, seen in ((2 * DAY_S, 3), (0, 0)):
        room.town.skew["mix-b"] = skew
        room.restart()
        room.town.b.state.set_number("seen", seen)
        await room.town.b.step()
    room.town.clock.time += DAY_S + TICK
    assert "floor-unmet" in names(room.town.b)


@pytest.mark.parametrize(("cause", "name"), [
    (lambda m: setattr(m.records, "refused_drafts", 1), "records"),
    (lambda m: setattr(m.pool, "lost", 1), "hums-lost"),
    (lambda m: setattr(m, "answers_refused", 1), "answers-refused"),
    (lambda m: setattr(m, "disk_failures", 1), "disk-failed"),
    (lambda m: setattr(m, "skipped", 9), "ticks-slept"),
])  # fmt: skip
async def test_what_went_wrong_since_the_start_is_an_alarm(make_room: Make, cause, name) -> None:  # type: ignore[no-untyped-def]
    room = await make_room()
    assert name not in names(room.town.a)
    cause(room.town.a)
    assert name in names(room.town.a)
    pages = HANDBOOK.read_text("utf-8").split("\n\n")
    assert any(f"`{name}`" in page for page in pages if "since the process began" in page)


async def test_a_damaged_pool_leaves_the_operator_a_status_that_rings(make_room: Make) -> None:
    """A refusal would say that another program answers there, and nothing of the records."""
    room = await make_room()
    db = room.town.a.state.db
    settle(db)
    (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'pool'").fetchone()
    with (room.town.a.folder / "mix.db").open("r+b") as file:
        file.seek((page - 1) * PAGE_SIZE)
        file.write(b"x" * PAGE_SIZE)
    room.restart()
    room.town.clock.time += 9 * DAY_S
    assert {"disk-failed", "no-record"} <= names(room.town.a)


async def test_a_revocation_that_this_process_may_not_read_stops_no_tick_and_rings(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await make_room()

    def read(folder: Folder, name: str, real: Any = Folder.read) -> bytes | None:
        if name == REQUEST:
            raise PermissionError
        return real(folder, name)  # type: ignore[no-any-return]

    ticks = room.town.a.ticks
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "read", read)
        await room.tick()
        assert room.town.a.ticks == ticks + 1
        assert "request-unread" in names(room.town.a)
    await room.tick()
    assert "request-unread" not in names(room.town.a)


async def test_a_mix_without_a_loop_key_says_that_it_watches_nothing(make_room: Make) -> None:
    room = await make_room()
    assert "loops-unwatched" in {a.name for a in report(room.town.a).alarms}
    room.town.loops = LOOPS
    room.restart()
    assert "loops-unwatched" not in {a.name for a in report(room.town.a).alarms}


async def test_the_status_needs_the_token_and_shows_no_exact_count(make_room: Make) -> None:
    room = await make_room(replace(AT_ONCE, mean_b=1000 * TICK))
    for n in range(12):
        await room.send(room.hum(room.letter(f"{n}")))
    await room.tick(3)
    for mix in (room.town.a, room.town.b):
        for path in ("/status", "/counts"):
            assert await ask(mix.inner, "GET", path, b"", "wrong") == (400, b"")
        assert await ask(mix.inner, "GET", "/counts", b"", TOKEN) == (400, b""), "demo only"
        assert (await ask(mix.inner, "GET", "/status", b"", TOKEN))[0] == 200
    facts = report(room.town.b).facts
    assert facts["pool"] == "fewer than a thousand"
    known = {"record", "days_ahead", "pool", "waiting_for_the_next", "ticks_late"}
    assert set(facts) == known | {"hums_last_round"}, "nothing else is shown"
    of_a = report(room.town.a).facts
    assert set(of_a) == known
    said = [facts["hums_last_round"], facts["waiting_for_the_next"]]
    said += [of_a["pool"], of_a["waiting_for_the_next"]]
    assert set(said) <= {"none", "fewer than ten", "tens"}, "no number"


@pytest.mark.parametrize("stays", [1, 3])
async def test_what_b_says_of_itself_is_the_same_whether_letters_come_and_leave_or_covers(
    make_room: Make, free: dict[str, int], stays: int
) -> None:
    """A monitor that keeps it has no list of when letters came and left."""
    del free
    rooms = [await make_room(replace(AT_ONCE, mean_b=stays * TICK, floor=3)) for _ in range(2)]
    said: list[list[bytes]] = [[], []]
    for n in range(20):
        for room, mine in zip(rooms, said, strict=True):
            writes = room is rooms[0] and n in (2, 3)
            await room.send(room.hum(room.letter("a letter") if writes else b""))
            await room.tick()
            mine.append(report(room.town.b).encode() + report(room.town.a).encode())
    assert rooms[0].town.b.status()["released"] == 2
    assert said[0] == said[1]
    assert "hums_last_round" in said[0][0].decode(), "the control: hums are counted"


@pytest.mark.parametrize("day", [DAY, DAY + 1])
async def test_what_b_says_after_its_keys_were_lost_does_not_tell_whether_it_held_a_letter(
    make_room: Make, free: dict[str, int], day: int
) -> None:
    """With keys on tmpfs any power cut is a look at what was held, for a monitor or its thief."""
    del free
    said = []
    for writes in (True, False):
        room = await make_room(replace(AT_ONCE, mean_b=1000 * TICK))
        await room.send(room.hum(room.letter("a letter") if writes else b""))
        await room.tick(2)
        assert "hums-lost" not in names(room.town.b)
        for key in (room.town.path / "mix-b-keys").iterdir():
            key.unlink()
        room.town.clock.time += (day - DAY) * DAY_S
        room.restart()
        await room.tick()
        assert "hums-lost" in names(room.town.b)
        said.append(report(room.town.b).encode())
        await room.tick(DAY_S // TICK)
        said.append(report(room.town.b).encode())
        assert room.town.b.status()["pool_lost"] == writes, "the control: there was a letter"
        room.restart()
        await room.tick()
        assert "hums-lost" not in names(room.town.b), "a loss rings once"
    assert said[:2] == said[2:]


async def test_how_far_a_disk_is_filled_is_not_said(make_room: Make, free: dict[str, int]) -> None:
    """At B it is filled by letters and not by covers."""
    room = await make_room()
    for least, most in ((TOO_LITTLE_BYTES, LITTLE_BYTES), (0, TOO_LITTLE_BYTES)):
        said = []
        for free["bytes"] in (least, most - 1):
            said.append(report(room.town.b).encode())
        assert said[0] == said[1]
        assert b"of disk is free" in said[0]


async def test_one_letter_more_on_bs_disk_is_said_at_the_admitted_steps_alone(
    make_room: Make, free: dict[str, int]
) -> None:
    """At the last of them B takes no hum any more, and says that its rounds fail."""
    room = await make_room()
    said = []
    for free["bytes"] in [n for step in (1 << 30, 100 << 20, 32 << 20) for n in (step, step - 1)]:
        await room.tick()
        said.append(names(room.town.b))
    assert said[1::2] == [{"disk-filling"}, {"disk-full"}, {"disk-full", "disk-failed"}]
    assert said[::2] == [set(), *said[1:-1:2]], "nothing between"


async def test_what_b_asks_a_for_says_of_its_disk_no_more_than_two_steps(
    make_room: Make, free: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A, which may have filled it, could else count the letters among the hums of each page."""
    room = await make_room()
    asked: list[int] = []
    real = room.b.ask

    async def noting(net: Net, source: Source, after: int, most: int) -> Alike:
        asked.append(most)
        return await real(net, source, after, most)

    monkeypatch.setattr(room.b, "ask", noting)
    for free["bytes"] in range(256 << 20, 32 << 20, -(7 << 20)):
        await room.tick()
    assert [most for most, _ in groupby(filter(None, asked))] == [2048, 64]


def test_a_count_is_shown_as_its_power_of_ten() -> None:
    shown = [coarse(n) for n in (0, 1, 9, 10, 99, 100, 999, 1000, 10**9)]
    assert shown == [
        "none", "fewer than ten", "fewer than ten", "tens", "tens", "hundreds", "hundreds",
        "thousands or more", "thousands or more",
    ]  # fmt: skip
