"""B and the tokens of known conversations: spent once, never a reason to refuse. Spec: token 3."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from tests.mix.room import AT_ONCE, DAY, TICK, Make, Room
from tests.mix.test_second import give

from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.host.log import Entry
from wallflower.lab.host import SeededEntropy, ask
from wallflower.lab.town import TOKEN as BEARER
from wallflower.wire.hello import BRecord, Kind, seal_for_b
from wallflower.wire.parcel import Parcel, seal_parcel_body
from wallflower.wire.sizes import DAY_S, STAMP, week_of_day
from wallflower.wire.stamp import Stamp, _bound, class_of, make_stamp
from wallflower.wire.token import make_set, tokens_of_week

HELD = replace(AT_ONCE, mean_b=1000 * TICK)
WEEK = week_of_day(DAY)
CONVERSATION = b"c" * 16
TOKENS = tokens_of_week(CONVERSATION, WEEK)
_draw = SeededEntropy(b"known").draw


def a_set(week: int = WEEK, tokens: list[bytes] | None = None) -> bytes:
    return make_set(week, TOKENS if tokens is None else tokens, _draw)


def parcel(room: Room, token: bytes, letter: bytes | None = None, said: int | None = None) -> Entry:
    """A letter with a token, as A hands it over; `said` is a class that no stamp was made for."""
    record, key = room.town.record(), _draw(32)
    sealed = letter or room.letter("x")
    stamp = make_stamp(record.hash, sealed, _draw(4))
    if said is not None:
        bound = _bound(record.hash, sealed)
        empty = (n.to_bytes(STAMP) for n in itertools.count())
        stamp = Stamp(said, next(value for value in empty if not class_of(sha256(bound + value))))
    seal = seal_for_b(record.body.hop_b, record.hash, key, BRecord(Kind.LETTER, token, stamp))
    return Entry(1, record.number, Parcel(seal, seal_parcel_body(key, sealed)).encode())


def known(room: Room) -> list[bool]:
    """Of each letter in B's pool, whether it is of a known conversation; sorted."""
    return sorted(row.known for row in room.town.b.pool.rows())


def stored(room: Room) -> tuple[list[tuple[object, ...]], int]:
    """(sets, spent tokens) on B's disk."""
    db = room.b.known._db
    spent = db.execute("SELECT count(*) FROM spent").fetchone()[0]
    return db.execute("SELECT * FROM token_sets ORDER BY week").fetchall(), int(spent)


async def hand_in(room: Room, body: bytes, bearer: str = BEARER) -> int:
    status, _ = await ask(room.town.b.inner, "POST", "/tokens", body, bearer)
    return status


async def test_a_token_of_the_set_makes_a_letter_known_and_any_other_leaves_it_open(
    make_room: Make,
) -> None:
    room = await make_room(HELD)
    assert await hand_in(room, a_set()) == 204
    give(room, parcel(room, TOKENS[3]))
    assert known(room) == [True]
    stranger = tokens_of_week(b"s" * 16, WEEK)[3]
    next_week = tokens_of_week(CONVERSATION, WEEK + 1)[3]
    give(room, *(parcel(room, token) for token in (stranger, next_week, _draw(16))))
    assert known(room) == [False, False, False, True]
    assert room.b.counts["refused"] == 0
    assert room.b.counts["known"] == 1


async def test_a_spent_token_sends_the_next_letter_to_the_open_lane_even_after_a_restart(
    make_room: Make,
) -> None:
    room = await make_room(HELD)
    await hand_in(room, a_set())
    give(room, parcel(room, TOKENS[0]))
    give(room, parcel(room, TOKENS[0]))
    assert known(room) == [False, True]
    room.restart()
    give(room, parcel(room, TOKENS[0]), parcel(room, TOKENS[1]))
    assert known(room) == [False, False, True, True]
    await hand_in(room, a_set())  # a fresh set of the same week, with another salt
    give(room, parcel(room, TOKENS[0]))
    assert known(room) == [False, False, False, True, True]
    assert room.b.counts["refused"] == 0


async def test_a_copy_of_a_letter_spends_no_token(make_room: Make) -> None:
    room = await make_room(HELD)
    await hand_in(room, a_set())
    letter = room.letter("two tabs")
    give(room, parcel(room, TOKENS[0], letter), parcel(room, TOKENS[1], letter))
    assert stored(room)[1] == 1
    give(room, parcel(room, TOKENS[1]))
    assert known(room) == [True, True]


async def test_without_a_set_every_letter_is_a_first_letter_and_arrives(make_room: Make) -> None:
    room = await make_room()
    give(room, parcel(room, TOKENS[0]))
    await room.tick()
    assert room.texts() == ["x"]
    assert room.b.counts["reserved"] == 0


async def test_the_week_that_counts_is_that_of_the_hum_s_record(make_room: Make) -> None:
    """A hum of Sunday that reaches B on Monday is one of last week's set."""
    room = await make_room(HELD)
    await hand_in(room, a_set())
    following = tokens_of_week(CONVERSATION, WEEK + 1)
    await hand_in(room, a_set(WEEK + 1, following))
    late = parcel(room, TOKENS[0])
    wrong = parcel(room, following[0])
    room.town.clock.time = (DAY + 2) * DAY_S + 60  # Monday; Saturday's key still lives
    await room.town.b.step()
    assert week_of_day(DAY + 2) == WEEK + 1
    give(room, late)
    assert known(room) == [True]
    give(room, wrong, parcel(room, following[1]))
    assert known(room) == [False, True, True]


async def test_sets_and_spent_tokens_go_when_the_week_after_theirs_is_over(
    make_room: Make,
) -> None:
    room = await make_room(HELD)
    await hand_in(room, a_set())
    give(room, parcel(room, TOKENS[0]))
    sunday, record = DAY + 1, room.town.record()
    for day, left in ((sunday + 7, (1, 1)), (sunday + 8, (0, 0))):
        room.town.clock.time = day * DAY_S + 60
        room.b.forget(record)
        sets, spent = stored(room)
        assert (len(sets), spent) == left


async def test_a_bad_set_is_refused_by_its_rule_and_the_good_one_stays(make_room: Make) -> None:
    room = await make_room(HELD)
    good = a_set()
    assert await hand_in(room, good) == 204
    before = stored(room)
    for bad, rule in (
        (good[:-1], "token 4.1"), (b"\2" + good[1:], "token 4.2"),
        (good[:20] + good[36:52] + good[20:36] + good[52:], "token 4.3"),
        (a_set(WEEK - 1), "token 4.4"), (a_set(WEEK + 2), "token 4.4"),
    ):  # fmt: skip
        with pytest.raises(Refused) as refusal:
            room.b.known.keep(bad)
        assert refusal.value.rule == rule
        assert await hand_in(room, bad) == 400
        assert stored(room) == before
    give(room, parcel(room, TOKENS[0]))
    assert known(room) == [True]


async def test_only_the_desk_s_bearer_hands_in_a_set_and_only_to_b(make_room: Make) -> None:
    room = await make_room(HELD)
    assert await hand_in(room, a_set(), "w" * 64) == 400
    assert await hand_in(room, a_set() + b"\0") == 400
    status, _ = await ask(room.town.a.inner, "POST", "/tokens", a_set(), BEARER)
    assert status == 400
    assert stored(room) == ([], 0)


async def test_b_s_disk_holds_neither_tokens_nor_what_they_are_made_from(make_room: Make) -> None:
    room = await make_room(HELD)
    await hand_in(room, a_set())
    give(room, parcel(room, TOKENS[0]))
    (room.town.path / "control").write_bytes(b"..." + TOKENS[0])
    files = [path for path in room.town.path.rglob("*") if path.is_file()]
    for token in (*TOKENS, CONVERSATION):
        found = [path.name for path in files if token in path.read_bytes()]
        assert found == (["control"] if token == TOKENS[0] else [])


async def test_a_class_that_its_stamp_does_not_reach_counts_as_none_and_is_not_refused(
    make_room: Make,
) -> None:
    room = await make_room(HELD)
    give(room, *(parcel(room, _draw(16), said=n) for n in range(3)))
    assert [row.stamp_class for row in room.town.b.pool.rows()] == [0, 0, 0]
    give(room, parcel(room, _draw(16)))
    # Made by all tries: class 1 at least, but for 1 in 10 million.
    assert sorted(row.stamp_class for row in room.town.b.pool.rows())[-1] > 0
    assert room.b.counts["refused"] == 0


async def test_under_a_flood_a_known_letter_leaves_at_once_and_the_others_by_and_by(
    make_room: Make,
) -> None:
    room = await make_room()
    await hand_in(room, a_set())
    flood = 10 * AT_ONCE.slots
    give(room, *(parcel(room, _draw(16), room.letter(f"{n}")) for n in range(flood)))
    give(room, parcel(room, TOKENS[0], room.letter("known")))
    before = len(room.drops())
    await room.tick()
    (drop,) = room.drops()[before:]
    assert "known" in room.texts_of(drop)
    assert room.b.counts["reserved"] == 1
    await room.tick(10)
    assert len(room.texts()) == flood + 1
    assert room.town.b.pool.size() == 0
