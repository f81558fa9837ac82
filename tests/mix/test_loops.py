"""A mix's own loops and those of others: known by their marks, told once, kept without order."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from tests.mix.room import DAY, Make
from tests.mix.test_second import give, parcel

from wallflower.host.disk import Folder
from wallflower.host.loops import LoopSettings, LoopWatch
from wallflower.mix.edge import loops as at_mix
from wallflower.wire.census import Census, make_census
from wallflower.wire.hello import Kind
from wallflower.wire.loop import STEP_S, WINDOW, Way, next_loop, step_of
from wallflower.wire.sizes import DAY_S

LOOPS = LoopSettings(b"k" * 32, 96)
NOON = DAY * DAY_S + DAY_S / 2


async def test_a_watcher_knows_only_loops_that_have_begun_and_counts_each_once(
    make_room: Make,
) -> None:
    room = await make_room()
    db = room.town.host("watcher").disk.database("loops.db")
    watch = LoopWatch(db, LOOPS, NOON)
    loop = next_loop(LOOPS.key, LOOPS.per_day, step_of(NOON))
    before = loop.step * STEP_S - 1.0
    assert not watch.came(loop.token, before)
    assert watch.came(loop.token, before + 1)
    assert watch.came(loop.token, before + 2)
    assert not watch.came(b"stranger".ljust(16), before + 2)
    assert db.execute("SELECT count(*) FROM loops_came").fetchone() == (1,)
    again = LoopWatch(db, LOOPS, before + 3)
    verdict = again.judge(Way(0.0, 0.0), before + 1 + STEP_S)
    assert (verdict.due, verdict.missing) == (1, 0), "what came outlives a restart"


async def test_a_watcher_misses_nothing_from_before_it_watched_and_forgets_old_loops(
    make_room: Make,
) -> None:
    room = await make_room()
    db = room.town.host("watcher").disk.database("loops.db")
    watch = LoopWatch(db, LOOPS, NOON)
    assert watch.judge(Way(0.0, 0.0), NOON + 1).due == 0
    loop = next_loop(LOOPS.key, LOOPS.per_day, step_of(NOON))
    assert watch.came(loop.key_a, loop.step * STEP_S)
    late = NOON + 20 * DAY_S
    assert not watch.came(loop.key_a, late)
    newer = next_loop(LOOPS.key, LOOPS.per_day, step_of(late))
    assert watch.came(newer.key_a, newer.step * STEP_S)
    watch.forget(newer.step * STEP_S)
    assert db.execute("SELECT step FROM loops_came").fetchall() == [(newer.step,)]


def test_what_came_is_remembered_when_a_clock_that_was_weeks_ahead_is_right(
    tmp_path: Path,
) -> None:
    watch = LoopWatch(Folder(tmp_path).database("a.db"), LOOPS, NOON)
    now = NOON + 2 * DAY_S
    assert watch.which_came(set(watch.marks(now)), now)
    watch.marks(now + 20 * DAY_S)
    watch.forget(now + 20 * DAY_S)
    verdict = watch.judge(Way(0.0, 0.0), now)
    assert (verdict.due, verdict.missing) == (WINDOW, 0)


def test_a_loop_that_came_while_all_clocks_were_ahead_has_no_later_one_forgotten(
    tmp_path: Path,
) -> None:
    """Else every loop is missing until that day: the alarm rings for nothing, and for all else."""
    watch = LoopWatch(Folder(tmp_path).database("a.db"), LOOPS, NOON)
    ahead = NOON + 30 * DAY_S
    assert watch.which_came(set(watch.marks(ahead)), ahead)
    now = NOON + 2 * DAY_S
    assert watch.which_came(set(watch.marks(now)), now)
    watch.forget(now)
    assert not watch.judge(Way(0.0, 0.0), now).alarm


@pytest.mark.parametrize("ahead", [1, 9, 365])
def test_a_clock_that_was_ahead_for_one_look_leaves_the_watching_as_it_was(
    tmp_path: Path, ahead: int
) -> None:
    few = LoopSettings(LOOPS.key, 8)  # so that all loops of the days that are kept are judged
    watches = [LoopWatch(Folder(tmp_path / n).database("a.db"), few, NOON) for n in ("a", "b")]
    now = NOON + 7 * DAY_S
    watches[0].judge(Way(0.0, 0.0), now + ahead * DAY_S)
    for day in range(3):
        known, same = (watch.marks(now + day * DAY_S) for watch in watches)
        assert known == same != frozenset()
        judged, well = (watch.judge(Way(0.0, 0.0), now + day * DAY_S) for watch in watches)
        assert judged == well
        assert judged.alarm, "nothing came at all"


@pytest.mark.parametrize("restarted", [False, True])
def test_a_watch_that_began_while_the_clock_was_ahead_begins_anew_when_it_is_right(
    tmp_path: Path, restarted: bool
) -> None:
    db = Folder(tmp_path).database("a.db")
    watch = LoopWatch(db, LOOPS, NOON + 365 * DAY_S)
    if restarted:
        watch = LoopWatch(db, LOOPS, NOON)
    watch.marks(NOON)
    assert watch.judge(Way(0.0, 0.0), NOON + DAY_S).alarm, "a day on which nothing came"
    if restarted:
        again = LoopWatch(db, LOOPS, NOON + DAY_S)
        assert again.judge(Way(0.0, 0.0), NOON + DAY_S).alarm, "and that outlives a restart"


@pytest.mark.parametrize("restarted", [False, True])
def test_a_watch_that_began_in_1970_misses_nothing_of_the_days_before_its_clock_was_right(
    tmp_path: Path, restarted: bool
) -> None:
    db = Folder(tmp_path).database("a.db")
    watch = LoopWatch(db, LOOPS, 60.0)
    assert watch.marks(30 * DAY_S / 2), "the control: it watches by the clock that it has"
    if restarted:
        watch = LoopWatch(db, LOOPS, NOON)
    assert watch.judge(Way(0.0, 0.0), NOON).due == 0
    assert watch.judge(Way(0.0, 0.0), NOON + DAY_S).alarm, "a day on which nothing came"


async def test_loops_of_others_wait_without_order_are_told_once_and_never_fill_the_disk(
    make_room: Make,
) -> None:
    room = await make_room()
    loops = room.town.b.loops
    tokens = [bytes([n]) * 16 for n in (9, 3, 200, 3)]
    with room.town.b.state.transaction():
        for token in tokens:
            loops.keep_for_organisation(token)
    assert loops.to_tell() == sorted(set(tokens))
    room.town.clock.time += 3601
    await room.tick(2)
    assert loops.to_tell() == []
    with room.town.b.state.transaction():
        for n in range(at_mix.MOST_TOLD + 5):
            loops.keep_for_organisation(n.to_bytes(16))
    assert len(loops.to_tell()) == at_mix.MOST_TOLD


async def test_what_could_not_be_told_is_told_with_the_next_hour(make_room: Make) -> None:
    room = await make_room()
    give(room, parcel(room, room.filler(), Kind.LOOP))
    room.town.net.cut.add("board.example")
    room.town.clock.time += 3601
    await room.tick()
    assert len(room.town.b.loops.to_tell()) == 1
    room.town.net.cut.clear()
    room.town.clock.time += 3601
    await room.tick()
    assert room.town.b.loops.to_tell() == []


async def test_b_tells_again_within_the_hour_when_a_clock_that_was_ahead_is_right(
    make_room: Make,
) -> None:
    room = await make_room()
    room.town.skew["mix-b"] = 20 * 3600.0
    await room.tick()
    del room.town.skew["mix-b"]
    give(room, parcel(room, room.filler(), Kind.LOOP))
    room.town.clock.time += 3601
    await room.tick()
    assert room.town.b.loops.to_tell() == []


async def test_loops_that_the_desk_server_does_not_take_hold_up_no_census(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await make_room()
    town = room.town

    def failing(_data: bytes) -> None:
        raise OSError(errno.ENOSPC, "the disk is full")

    monkeypatch.setattr(town.server.told, "take_loops", failing)
    with town.b.state.transaction():
        town.b.loops.keep_for_organisation(bytes(16))
        census = make_census(Census(town.record().number, DAY - 1, ()), town.signers.drop)
        town.b.state.set_data("census", census)
    town.clock.time += 3601
    await town.b.step()
    assert town.server.told.census == census
    assert town.b.loops.to_tell() == [bytes(16)], "they wait"
