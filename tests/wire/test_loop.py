"""Loops: when they begin, what marks them, and when their absence is an alarm. Spec: loop.md."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from wallflower.lab.host import SeededEntropy
from wallflower.mix.decide import chosen_to_leave, leave_probability
from wallflower.wire.loop import (
    FALSE_ALARM,
    STEPS_A_DAY,
    TOLERATED,
    WINDOW,
    at_least,
    judge,
    loop_at,
    next_loop,
    way_to_b,
)

KEY = b"k" * 32


def _steps(per_day: int, days: int, key: bytes = KEY) -> list[int]:
    return [s for s in range(days * STEPS_A_DAY) if loop_at(key, per_day, s)]


def test_loops_come_at_their_rate_and_without_memory() -> None:
    steps = _steps(96, 60)
    assert 5760 - 4 * 74 < len(steps) < 5760 + 4 * 74  # binomial: four standard deviations
    gaps = [b - a for a, b in pairwise(steps)]
    # Of a memoryless wait, what is left after 15 minutes is as long as the whole.
    rest = [gap - 15 for gap in gaps if gap > 15]
    assert abs(sum(rest) / len(rest) - sum(gaps) / len(gaps)) < 4 * 15 / len(rest) ** 0.5


def test_a_key_makes_the_same_loops_again_and_another_key_other_ones() -> None:
    assert _steps(96, 2) == _steps(96, 2) != _steps(96, 2, b"o" * 32)
    marks = {m for s in _steps(96, 20) for m in (loop_at(KEY, 96, s),) if m}
    assert len({m.token for m in marks}) == len({m.key_a for m in marks}) == len(marks)


def test_the_next_loop_is_the_first_one_later() -> None:
    steps = _steps(96, 3)
    assert [next_loop(KEY, 96, s).step for s in steps[:-1]] == steps[1:]


def test_the_tail_is_the_exact_binomial() -> None:
    assert at_least(0, 10, 0.3) == pytest.approx(1.0)
    assert at_least(10, 10, 0.3) == pytest.approx(0.3**10)
    assert at_least(9, 10, 0.3) == pytest.approx(0.3**10 + 10 * 0.3**9 * 0.7)


def test_the_first_number_of_missing_loops_that_alarms_is_the_one_in_the_spec() -> None:
    later = way_to_b(6 * 3600, 600, 1).later
    assert later == pytest.approx(0.0176, abs=0.001)
    for share, full, few in ((0.0, 12, 4), (later, 16, 5)):
        for size, first in ((WINDOW, full), (5, few)):
            sent = [True] * (size - first) + [False] * first
            assert judge(sent, share).alarm
            assert not judge([True, *sent[:-1]], share).alarm


def test_false_alarms_of_a_month_stay_below_three_in_a_thousand() -> None:
    """A loop that falls due is one look; by the union bound their chances add up."""
    looks = 30 * 96
    for later in (0.0, way_to_b(6 * 3600, 600, 1).later):
        first = next(k for k in range(WINDOW) if at_least(k, WINDOW, TOLERATED + later) < 1e-6)
        assert looks * at_least(first, WINDOW, TOLERATED + later) < looks * FALSE_ALARM <= 0.003


def _returns(loops: int, lost: float, seed: int) -> list[bool]:
    """Whether each loop is at B when it falls due, through A's real pool, `lost` on the way."""
    tick, mean = 600, 6 * 3600
    chance, draw = random.Random(seed), SeededEntropy(b"pool %d" % seed).draw
    q, draws = leave_probability(mean, tick), 4 * mean // tick
    held = [n for n in range(loops) if chance.random() >= lost]
    came: set[int] = set()
    for _ in range(draws):
        left = set(chosen_to_leave(held, q, draw))
        came |= left
        held = [n for n in held if n not in left]
    return [n in came for n in range(loops)]


def test_a_month_without_loss_does_not_ring_and_one_that_loses_thirty_in_a_hundred_does() -> None:
    later = way_to_b(6 * 3600, 600, 1).later
    month = _returns(30 * 96, 0.005, 1)
    assert not any(judge(month[: n + 1], later).alarm for n in range(len(month)))
    for seed in range(12):
        good = _returns(WINDOW, 0.005, 100 + seed)
        bad = _returns(WINDOW, 0.3, 200 + seed)
        rang = [n for n in range(WINDOW) if judge([*good, *bad[: n + 1]], later).alarm]
        assert rang, "within a day of loops"
