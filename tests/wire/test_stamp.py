"""The stamp: the same work for every hum, bound to record and letter. Spec: stamp.md."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallflower.crypto.derive import sha256
from wallflower.lab.host import SeededEntropy
from wallflower.wire.sizes import HASH, LETTER, STAMP, STAMP_BITS_ONE, STAMP_BITS_TWO, STAMP_TRIES
from wallflower.wire.stamp import START, Stamp, class_of, earned_class, make_stamp

DRAW = SeededEntropy(b"stamps").draw
RECORD, TEXT = DRAW(HASH), DRAW(LETTER)


def digest_with(zeros: int) -> bytes:
    return (1 << (255 - zeros)).to_bytes(HASH)


def test_the_class_follows_from_leading_zero_bits_at_its_edges() -> None:
    one, two = STAMP_BITS_ONE, STAMP_BITS_TWO
    assert [class_of(digest_with(n)) for n in (0, one - 1, one, two - 1, two, 255)] == [
        0, 0, 1, 1, 2, 2,
    ]  # fmt: skip
    assert class_of(bytes(HASH)) == 2
    assert class_of(b"\xff" * HASH) == 0


def test_a_stamp_counts_for_its_letter_and_its_record_only() -> None:
    made = make_stamp(RECORD, TEXT, DRAW(START))
    assert len(made.value) == STAMP
    assert earned_class(RECORD, TEXT, made) == made.stamp_class == 2
    # Another letter or record has another bound: the class is then reached by 1 in 256 only.
    elsewhere = [earned_class(DRAW(HASH), TEXT, made) for _ in range(50)]
    elsewhere += [earned_class(RECORD, DRAW(LETTER), made) for _ in range(50)]
    assert elsewhere.count(2) <= 3


@given(st.binary(min_size=STAMP, max_size=STAMP), st.integers(0, 2))
def test_the_class_that_counts_is_the_said_one_or_none(value: bytes, said: int) -> None:
    counted = earned_class(RECORD, TEXT, Stamp(said, value))
    reached = class_of(sha256(sha256(b"wallflower/1 stamp\0" + RECORD + sha256(TEXT)) + value))
    assert counted == (said if said <= reached else 0)


def test_every_hum_makes_the_same_number_of_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def counting(data: bytes) -> bytes:
        nonlocal calls
        calls += 1
        return sha256(data)

    monkeypatch.setattr("wallflower.wire.stamp.sha256", counting)
    found = set()
    for _ in range(5):
        calls = 0
        make_stamp(RECORD, DRAW(LETTER), DRAW(START))
        found.add(calls)
    assert found == {STAMP_TRIES + 2}


def test_which_class_comes_out_is_chance_and_nearly_always_the_highest() -> None:
    many = 150
    classes = Counter(make_stamp(RECORD, DRAW(HASH), DRAW(START)).stamp_class for _ in range(many))
    share = 1 - (1 - 2.0**-STAMP_BITS_TWO) ** STAMP_TRIES
    assert abs(classes[2] - many * share) < 4 * math.sqrt(many * share * (1 - share))
    assert classes[0] == 0
