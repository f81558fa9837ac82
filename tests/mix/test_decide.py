"""What leaves at a tick: one draw a hum, a flush at the end, a floor and a cap. Pure."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wallflower.lab.host import SeededEntropy
from wallflower.mix.decide import (
    FLUSH_TICKS,
    Release,
    Waiting,
    choose_release,
    chosen_to_leave,
    leave_probability,
    must_flush,
    tick_number,
)
from wallflower.wire.sizes import DAY_S

EASY = settings(derandomize=True, deadline=None, database=None)
TICK, MEAN = 600, 6 * 3600


def stays(hums: int, mean: int, tick: int, seed: bytes) -> list[int]:
    """How many ticks each of so many hums stayed."""
    draw, q = SeededEntropy(seed).draw, leave_probability(mean, tick)
    left, ticks, lengths = list(range(hums)), 0, []
    while left:
        ticks += 1
        gone = set(chosen_to_leave(left, q, draw))
        lengths += [ticks] * len(gone)
        left = [row for row in left if row not in gone]
    return lengths


def test_hums_stay_for_their_mean() -> None:
    n, p = 3000, TICK / MEAN
    lengths = stays(n, MEAN, TICK, b"mean")
    error = math.sqrt((1 - p) / p**2 / n)  # of the mean of a geometric distribution
    assert abs(sum(lengths) / n - 1 / p) < 3.3 * error


def test_how_long_a_hum_stays_is_geometric_and_has_no_memory() -> None:
    n, p = 3000, TICK / MEAN
    lengths = stays(n, MEAN, TICK, b"shape")
    for ticks in (1, 12, 36, 72, 144):
        share = sum(length > ticks for length in lengths) / n
        expected = (1 - p) ** ticks
        assert abs(share - expected) < 3.3 * math.sqrt(expected * (1 - expected) / n)
    old = [length - 36 for length in lengths if length > 36]
    error = math.sqrt((1 - p) / p**2 / len(old))
    assert abs(sum(old) / len(old) - 1 / p) < 3.3 * error


def test_a_mean_of_one_tick_or_less_lets_everything_go() -> None:
    assert leave_probability(600, 600) == 1.0
    assert leave_probability(1, 600) == 1.0
    draw = SeededEntropy(b"all").draw
    assert sorted(chosen_to_leave(range(100), 1.0, draw)) == list(range(100))
    assert chosen_to_leave(range(100), 0.0, draw) == []


def test_the_chosen_come_in_an_order_that_is_not_that_of_the_rows() -> None:
    orders = [
        tuple(chosen_to_leave(range(50), 1.0, SeededEntropy(bytes([n])).draw)) for n in (1, 2)
    ]
    assert orders[0] != orders[1]
    assert tuple(range(50)) not in orders


@EASY
@given(rows=st.lists(st.integers(), unique=True), q=st.floats(0, 1), seed=st.binary(max_size=4))
def test_nobody_leaves_twice_and_nobody_is_invented(rows: list[int], q: float, seed: bytes) -> None:
    gone = chosen_to_leave(rows, q, SeededEntropy(seed).draw)
    assert len(gone) == len(set(gone))
    assert set(gone) <= set(rows)


def test_a_tick_is_record_time_divided_by_its_length() -> None:
    assert [tick_number(t, 600) for t in (0, 599.9, 600, 1200)] == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("before_end", "flushed"),
    [(DAY_S, False), (FLUSH_TICKS * TICK + 1, False), (FLUSH_TICKS * TICK, True), (0, True),
     (-DAY_S, True)],
)  # fmt: skip
def test_a_hum_is_flushed_in_the_last_ticks_of_the_day_after_it_came(
    before_end: int, flushed: bool
) -> None:
    end = (20778 + 2) * DAY_S
    assert must_flush(20778, end - before_end, TICK) is flushed


@EASY
@given(second=st.integers(0, DAY_S - 1), tick=st.integers(1, 3600))
def test_every_hum_has_a_day_less_the_last_ticks_before_it_is_flushed(
    second: int, tick: int
) -> None:
    came = 20778 * DAY_S + second
    assert not must_flush(20778, came, tick)
    # The shortest is that of the day's last second; the key of B lives until the flush is over.
    flush = (20778 + 2) * DAY_S - FLUSH_TICKS * tick
    assert must_flush(20778, flush, tick)
    assert flush - came >= DAY_S - FLUSH_TICKS * tick
    assert flush + FLUSH_TICKS * tick <= (20778 + 1 + 2) * DAY_S


POOL = [Waiting(bytes([n]), False, 0) for n in range(40)]


def release(q: float = 1.0, slots: int = 32, seen: int = 10, floor: int = 10) -> Release:
    return choose_release(POOL, q, slots, seen, floor, SeededEntropy(b"release").draw)


def test_nothing_leaves_below_the_floor_and_the_count_goes_on() -> None:
    assert release(seen=9) == Release([], [], 9)
    assert release(seen=0, floor=1) == Release([], [], 0)


def test_at_the_floor_letters_leave_and_the_count_begins_again() -> None:
    out = release(seen=10)
    assert len(out.leaving) == 32
    assert out.seen == 0


def test_a_floor_of_nothing_holds_nobody_back() -> None:
    assert len(release(seen=0, floor=0).leaving) == 32


def test_when_nobody_is_drawn_the_count_stays() -> None:
    assert release(q=0.0) == Release([], [], 10)
    assert choose_release([], 1.0, 32, 10, 10, SeededEntropy(b"").draw) == Release([], [], 10)


def test_no_more_leave_than_there_are_slots_and_who_stays_is_drawn() -> None:
    first = set(release().leaving)
    other = set(choose_release(POOL, 1.0, 32, 10, 10, SeededEntropy(b"again").draw).leaving)
    assert len(first) == len(other) == 32
    assert first != other
    assert len(set(release(slots=0).leaving)) == 0


@EASY
@given(
    size=st.integers(0, 60), known=st.integers(0, 60), q=st.floats(0, 1), slots=st.integers(0, 40),
    seen=st.integers(0, 20), floor=st.integers(0, 20), seed=st.binary(max_size=4),
)  # fmt: skip
def test_a_release_keeps_its_bounds_whatever_waits(
    size: int, known: int, q: float, slots: int, seen: int, floor: int, seed: bytes
) -> None:
    pool = [Waiting(bytes([n]), n < known, n % 3) for n in range(size)]
    out = choose_release(pool, q, slots, seen, floor, SeededEntropy(seed).draw)
    assert len(out.leaving) <= min(slots, size)
    assert len(out.reserved) <= slots // 2
    assert set(out.reserved) <= {letter.name for letter in pool if letter.known}
    assert set(out.leaving) <= {letter.name for letter in pool}
    assert len(set(out.leaving)) == len(out.leaving)
    if seen < floor:
        assert out.leaving == []
    if q == 1.0 and seen >= floor:
        assert len(out.leaving) == min(slots, size), "no slot stays empty while somebody waits"
    assert out.seen == (0 if out.leaving else seen)
