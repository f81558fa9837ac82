"""The pure decisions: which keys live, what a batch takes, names, the header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import pytest
from tests.desk.simulated import CHEAP, MONDAY

from wallflower.crypto.derive import sha256
from wallflower.crypto.hpke import PrivateKey
from wallflower.desk import batch, header, keys, names
from wallflower.errors import Fault
from wallflower.host.entropy import shuffled
from wallflower.lab.host import SeededEntropy
from wallflower.wire.chain import Continuity
from wallflower.wire.sizes import DAY_S, week_of_day

T = TypeVar("T")
H72 = 3 * DAY_S


class SeededChance(SeededEntropy):
    def shuffled(self, items: Sequence[T]) -> list[T]:
        return shuffled(self.draw, items)


def reply(number: int, parts: int) -> batch.WaitingReply:
    return batch.WaitingReply(number, tuple(bytes([number, n]) for n in range(parts)))


def told(number: int, continuity: Continuity) -> batch.WaitingReceipt:
    return batch.WaitingReceipt(bytes([number]) * 16, continuity)


def test_keys_of_today_and_four_days_are_made_once() -> None:
    draw = SeededEntropy(b"k").draw
    made = keys.missing(MONDAY + 4, [], [], draw)
    assert sorted(made.drop) == list(range(MONDAY + 4, MONDAY + 9))
    week = week_of_day(MONDAY)
    assert sorted(made.desk) == [week, week + 1]
    again = keys.missing(MONDAY + 5, made.drop, made.desk, draw)
    assert (list(again.drop), again.desk) == ([MONDAY + 9], {})


@pytest.mark.parametrize(("late", "dead"), [(-1, []), (0, [MONDAY])])
def test_drop_key_dies_72_hours_after_its_day(late: int, dead: list[int]) -> None:
    now = (MONDAY + 1) * DAY_S + H72 + late
    assert keys.dead_drop_days([MONDAY, MONDAY + 1], now) == dead


@pytest.mark.parametrize("late", [-1, 0])
def test_desk_key_dies_by_the_records_rule(late: int) -> None:
    week, mean_b = week_of_day(MONDAY), 64800
    end = (MONDAY + 7 + 7 + 1 + 3) * DAY_S + 8 * mean_b
    assert keys.dead_desk_weeks([week], end + late, mean_b) == ([week] if late == 0 else [])


def test_a_revoked_key_alone_is_followed_by_another() -> None:
    draw = SeededEntropy(b"k").draw
    made = keys.missing(MONDAY + 4, [], [], draw)
    week = week_of_day(MONDAY)
    for revoked, days, weeks in (
        ([], [], []), ([made.drop[MONDAY + 6]], [MONDAY + 6], []),
        ([made.desk[week + 1]], [], [week + 1]),
    ):  # fmt: skip
        hashes = frozenset(sha256(PrivateKey.from_seed(seed).public.raw) for seed in revoked)
        found = keys.renewed(MONDAY + 4, made.drop, made.desk, hashes, draw)
        assert (list(found.drop), list(found.desk)) == (days, weeks)
        assert not {*found.drop.values(), *found.desk.values()} & {*revoked}
    every = frozenset(sha256(PrivateKey.from_seed(s).public.raw) for s in made.desk.values())
    past = keys.renewed(MONDAY + 9, made.drop, made.desk, every, draw)
    assert (past.drop, list(past.desk)) == ({}, [week + 1]), "only those of days ahead"


@pytest.mark.parametrize(
    ("until", "hour", "missing"),
    [(None, 0, ["23", "24"]), (MONDAY - 1, 0, ["23", "24"]), (MONDAY, 0, ["24"]),
     (MONDAY + 1, 23.99, []), (MONDAY + 1, 24, ["25"]), (MONDAY + 4, 72, [])],
)  # fmt: skip
def test_keys_that_were_not_handed_in_ring_a_day_before_they_matter(
    until: int | None, hour: float, missing: list[str]
) -> None:
    said = keys.alarms(until, None, MONDAY * DAY_S + hour * 3600)
    assert [line.split(":")[0][-2:] for line in said] == missing
    assert all("does not have the keys for 2026-11-" in line for line in said)


@pytest.mark.parametrize("last", [MONDAY, MONDAY + 5])
def test_drops_that_stay_away_ring_a_day_before_the_first_can_be_lost(last: int) -> None:
    dies = (last + 1) * DAY_S + H72
    assert keys.alarms(last + 9, last, dies - DAY_S - 0.001) == []
    (said,) = keys.alarms(last + 9, last, dies - DAY_S)
    assert f"No drop came since 2026-11-{23 + last - MONDAY}" in said


def test_living_keys_are_tried_newest_first() -> None:
    living = keys.living(bytes(32), "desk", [(1, b"1" * 32), (3, b"3" * 32), (2, b"2" * 32)])
    assert [week for week, _, _ in living] == [3, 2, 1]


def test_reply_goes_whole_or_waits() -> None:
    waiting = [reply(1, 3), reply(2, 4), reply(3, 2)]
    assert [r.id for r in batch.choose_replies(waiting, 5)] == [1, 3]


def test_known_conversations_receipts_come_first_and_unconfirmed_last() -> None:
    waiting = [
        told(1, Continuity.UNCONFIRMED), told(2, Continuity.FIRST), told(3, Continuity.CONFIRMED),
        told(4, Continuity.FIRST), told(5, Continuity.CONFIRMED),
    ]  # fmt: skip
    chosen = batch.choose_receipts(waiting, 4, SeededChance(b"r"))
    found = [w.value[0] for w in chosen]
    assert set(found[:2]) == {3, 5}
    assert set(found[2:]) == {2, 4}


def test_first_letters_receipts_are_drawn_by_lot() -> None:
    waiting = [told(n, Continuity.FIRST) for n in range(20)]
    chance = SeededChance(b"lot")
    drawn = {batch.choose_receipts(waiting, 1, chance)[0].value for _ in range(40)}
    assert len(drawn) > 5


def test_batch_is_full_and_real_ones_stand_at_random_places() -> None:
    size, chance, places = batch.Room(12, 5), SeededChance(b"b"), set()
    real = b"R" * 768
    for _ in range(30):
        built = batch.build(7, size, [batch.WaitingReply(1, (real,))], [], chance)
        assert len(built.body) == 4 + 12 * 768 + 5 * 16
        places.add((built.body.index(real) - 4) // 768)
    assert len(places) > 5


def test_fillers_of_a_batch_are_all_different_and_of_nobody_twice() -> None:
    """Reply 1.5, receipt 3: each from a random e of its own; twins would be seen to be filler."""
    built = batch.build(7, batch.Room(40, 300), [], [], SeededChance(b"fillers")).body[4:]
    slots, values = built[: 40 * 768], built[40 * 768 :]
    tags = {slots[at : at + 16] for at in range(0, len(slots), 768)}
    assert len(tags) == 40
    assert len({values[at : at + 16] for at in range(0, len(values), 16)}) == 300


@pytest.mark.parametrize(("hour", "yes"), [(0, False), (17.999, False), (18, True), (23.9, True)])
def test_evening_begins_at_eighteen(hour: float, yes: bool) -> None:
    assert batch.is_evening(MONDAY * DAY_S + hour * 3600) is yes


def test_names_are_all_different() -> None:
    for plants in (1, 2):
        all_of_them = {names.name_of(n, plants) for n in range(names.names(plants))}
        assert len(all_of_them) == names.names(plants)


def test_header_gives_the_key_for_the_same_passphrase_in_another_form() -> None:
    made = header.wrap("caf\u00e9 and long words", b"k" * 32, CHEAP, b"s" * 16, b"n" * 12, False)
    read = header.parse_header(made.encode())
    assert header.unwrap(read, "cafe\u0301 and long words") == b"k" * 32
    with pytest.raises(Fault, match="not the passphrase"):
        header.unwrap(read, "cafe and long words")


@pytest.mark.parametrize("change", [
    (b'"memory_kib": 64', b'"memory_kib": 99999999'), (b'"passes": 1', b'"passes": 0'),
    (b'"version": 1', b'"version": 2'), (b'"salt": "73', b'"salt": "'), (b"{", b""),
    (b'"passes": 1', b'"passes": 65'), (b'"lanes": 1', b'"lanes": 0'),
    (b'"lanes": 1', b'"lanes": 9'), (b'"memory_kib": 64', b'"memory_kib": 4194305'),
])  # fmt: skip
def test_damaged_header_is_a_fault(change: tuple[bytes, bytes]) -> None:
    made = header.wrap("a long passphrase", b"k" * 32, CHEAP, b"s" * 16, b"n" * 12, False)
    with pytest.raises(Fault, match="header is damaged"):
        header.parse_header(made.encode().replace(*change))


def test_a_cost_is_read_to_its_bounds() -> None:
    made = header.wrap("a long passphrase", b"k" * 32, CHEAP, b"s" * 16, b"n" * 12, False)
    for cost in (header.Cost(64, 64, 8), header.Cost(4 * 1024 * 1024, 1, 4)):
        assert header.parse_header(replace(made, cost=cost).encode()).cost == cost


def test_usual_cost_is_the_one_that_was_chosen() -> None:
    assert header.Cost() == header.Cost(memory_kib=262144, passes=3, lanes=4)
