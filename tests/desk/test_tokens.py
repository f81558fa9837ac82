"""The sets of tokens that the desk hands to B: one size, on the clock, by lot. Spec: token 2."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
from tests.desk.simulated import World

from wallflower.crypto.derive import conversation_id
from wallflower.desk.tokens import MOST, KnownCase, chosen, week_set
from wallflower.lab.host import SeededEntropy
from wallflower.wire.sizes import TOKEN_SET, week_of_day
from wallflower.wire.token import TokenSet, parse_set, tokens_of_week

ALICE, BASIL = b"alice".ljust(16, b"."), b"basil".ljust(16, b".")
LOT = b"a key that the desk has drawn..."


def cases(count: int, *, answered: bool = False) -> list[KnownCase]:
    draw = SeededEntropy(b"cases %d" % answered).draw
    return [KnownCase(draw(16), answered) for _ in range(count)]


def held(found: TokenSet, secret: bytes) -> int:
    """How many of a conversation's tokens of its week stand in a set."""
    return sum(map(found.holds, tokens_of_week(conversation_id(secret), found.week)))


def newest(world: World) -> list[TokenSet]:
    return [parse_set(raw) for raw in world.sets[-2:]]


async def one_opened(world: World) -> None:
    await world.start()
    for secret in (ALICE, BASIL):
        world.drop(world.write(secret, "x"))
    await world.desk.step()
    letters = world.desk.conversation(conversation_id(ALICE)).letters
    world.desk.open_letter(letters[0].id)


async def test_only_a_conversation_of_which_a_letter_was_opened_stands_in_both_sets(
    world: World,
) -> None:
    await one_opened(world)
    world.clock.time += 3600
    await world.desk.step()
    now, following = newest(world)
    assert (now.week, following.week) == (week_of_day(world.day), week_of_day(world.day) + 1)
    assert [held(found, ALICE) for found in (now, following)] == [8, 8]
    assert [held(found, BASIL) for found in (now, following)] == [0, 0]


async def test_sets_are_handed_in_each_hour_whatever_changed_and_at_no_other_time(
    world: World,
) -> None:
    await one_opened(world)
    assert len(world.sets) == 2
    for step in range(1, 13):  # two hours in passes of ten minutes
        world.clock.time += 600
        if step == 3:
            world.desk.answer(conversation_id(ALICE), "an answer")
        await world.desk.step()
        assert len(world.sets) == 2 + 2 * (step // 6)
    assert {len(raw) for raw in world.sets} == {TOKEN_SET}


async def test_a_set_that_b_did_not_take_is_handed_in_at_the_next_pass(world: World) -> None:
    await world.start()
    world.clock.time += 3600
    world.net.down.add("/tokens")
    await world.desk.step()
    assert world.desk.status().unreachable == ["mix B: tokens"]
    before = len(world.sets)
    world.net.down.clear()
    world.clock.time += 600
    await world.desk.step()
    assert len(world.sets) == before + 2


async def test_no_two_sets_share_an_entry_so_that_nothing_is_seen_to_join(world: World) -> None:
    await one_opened(world)
    for _ in range(3):
        world.clock.time += 3600
        await world.desk.step()
    sets = [parse_set(raw) for raw in world.sets]
    together: set[bytes] = set()
    for found in sets:
        assert together.isdisjoint(found.entries)
        together |= found.entries
    assert len({found.salt for found in sets}) == len(sets)


@pytest.mark.parametrize("count", [0, 1, MOST, MOST + 40])
def test_a_set_has_one_size_and_full_of_entries_whoever_is_in_it(count: int) -> None:
    raw = week_set(cases(count), 125, LOT, SeededEntropy(b"set").draw)
    assert len(raw) == TOKEN_SET
    found = parse_set(raw)
    in_it = [c for c in cases(count) if all(map(found.holds, tokens_of_week(c.id, 125)))]
    assert len(in_it) == min(count, MOST)


def test_who_was_answered_stands_in_the_set_however_many_were_only_opened() -> None:
    answered = cases(20, answered=True)
    for week in range(100, 140):
        ids = chosen([*cases(10 * MOST), *answered], week, LOT)
        assert {c.id for c in answered} <= set(ids)
        assert len(ids) == MOST


def unfairness(lots: Iterable[list[bytes]], everybody: list[KnownCase]) -> float:
    """How far the case that fared worst, or best, lies from its share, in standard deviations."""
    weeks, times = 0, {case.id: 0 for case in everybody}
    for ids in lots:
        weeks += 1
        for one in ids:
            times[one] += 1
    share = MOST / len(everybody)
    error = math.sqrt(weeks * share * (1 - share))
    return max(abs(n - weeks * share) / error for n in times.values())


def test_each_week_another_lot_leaves_out_others_and_nobody_for_long() -> None:
    everybody = cases(MOST + MOST // 4)
    weeks = range(300)
    assert unfairness((chosen(everybody, week, LOT) for week in weeks), everybody) < 5
    by_id = [c.id for c in sorted(everybody, key=lambda c: c.id)]
    assert unfairness((by_id[:MOST] for _ in weeks), everybody) > 5, "a fixed order is found"
    assert unfairness((chosen(everybody, week % 2, LOT) for week in weeks), everybody) > 5


def test_a_lot_cannot_be_aimed_at_by_who_does_not_have_the_desk_s_key() -> None:
    """Ids that come first under one key are anywhere under another."""
    everybody = cases(8 * MOST)
    best = set(chosen(everybody, 125, bytes(32))[: MOST // 8])
    kept = best & set(chosen(everybody, 125, LOT))
    assert len(kept) < MOST // 8 * 0.5


async def test_the_handler_sees_how_many_are_known_and_how_many_were_left_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one_opened(world)
    status = world.desk.status()
    assert (status.known, status.known_left_out) == (1, 0)
    letters = world.desk.conversation(conversation_id(BASIL)).letters
    world.desk.open_letter(letters[0].id)
    monkeypatch.setattr("wallflower.desk.edge.desk.MOST", 1)
    status = world.desk.status()
    assert (status.known, status.known_left_out) == (2, 1)


async def test_the_lot_key_outlives_a_restart_and_another_desk_has_another(world: World) -> None:
    await world.start()
    rounds = world.desk._rounds
    assert rounds is not None
    first = rounds.parts.letters.lot_key()
    world.desk.lock()
    world.desk = world.new_desk()
    await world.start()
    again = world.desk._rounds
    assert again is not None
    assert again.parts.letters.lot_key() == first != bytes(32)
