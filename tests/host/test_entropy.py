"""Chance decides who is hidden: no value is favoured, nothing is lost in a shuffle."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.host.chance import chi_square, limit

from wallflower.host.entropy import OsEntropy, below, shuffled, uniform
from wallflower.lab.host import SeededEntropy

DRAWS = 20_000


@pytest.mark.parametrize("values", [2, 3, 10, 200, 255, 256, 257])
def test_below_favours_no_value(values: int) -> None:
    draw = SeededEntropy(b"below").draw
    seen = [below(draw, values) for _ in range(DRAWS)]
    assert set(seen) <= set(range(values))
    assert chi_square(seen, values) < limit(values)


def test_the_chi_square_of_these_tests_sees_a_remainder_without_rejection() -> None:
    draw = SeededEntropy(b"below").draw
    biased = [draw(1)[0] % 200 for _ in range(DRAWS)]  # 0-55 come twice as often
    assert chi_square(biased, 200) > limit(200)


def test_below_one_is_always_zero() -> None:
    draw = SeededEntropy(b"one").draw
    assert {below(draw, 1) for _ in range(50)} == {0}


@settings(derandomize=True, deadline=None, database=None)
@given(limit=st.integers(1, 2**70), seed=st.binary(max_size=8))
def test_below_stays_below_for_every_limit(limit: int, seed: bytes) -> None:
    assert 0 <= below(SeededEntropy(seed).draw, limit) < limit


def test_below_draws_again_instead_of_folding_the_last_values() -> None:
    stream = iter([b"\xff", b"\xfe", b"\x05"])  # 250-255 are refused for a limit of 10
    assert below(lambda _: next(stream), 10) == 5


@settings(derandomize=True, deadline=None, database=None)
@given(items=st.lists(st.integers()), seed=st.binary(max_size=8))
def test_shuffled_is_a_permutation_and_leaves_its_argument_alone(
    items: list[int], seed: bytes
) -> None:
    before = list(items)
    assert sorted(shuffled(SeededEntropy(seed).draw, items)) == sorted(before)
    assert items == before


def test_shuffled_gives_every_order_equally_often() -> None:
    draw = SeededEntropy(b"orders").draw
    seen = [tuple(shuffled(draw, "abcd")) for _ in range(DRAWS)]
    assert set(seen) == set(permutations("abcd"))
    assert chi_square(seen, 24) < limit(24)


def test_uniform_is_in_zero_to_one_and_even() -> None:
    draw = SeededEntropy(b"uniform").draw
    seen = [uniform(draw) for _ in range(DRAWS)]
    assert all(0.0 <= value < 1.0 for value in seen)
    assert chi_square([int(value * 50) for value in seen], 50) < limit(50)


def test_uniform_reaches_zero_and_never_one() -> None:
    assert uniform(lambda n: bytes(n)) == 0.0
    assert uniform(lambda n: b"\xff" * n) == 1.0 - 2**-53


def test_the_machines_entropy_gives_what_was_asked_and_never_twice() -> None:
    draw = OsEntropy().draw
    seen = [draw(16) for _ in range(500)]
    assert {len(value) for value in seen} == {16}
    assert len(set(seen)) == len(seen)
