"""Which board is believed: its head's signature and record, its segments by their hashes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.trust.made import BOARD, DAY, STRANGER, board, body, changed, record

from wallflower.crypto import sign
from wallflower.errors import Refused
from wallflower.trust.board import (
    Head,
    verify_head,
    verify_not_older,
    verify_same,
    verify_segment,
)
from wallflower.wire.segment import make_head
from wallflower.wire.sizes import HASH, SIGNATURE

FIRST = record(body())
SECOND = record(body(2, DAY + 1, FIRST.body))
SHOWN = board(FIRST, 3)


def rule_of(refusal: pytest.ExceptionInfo[Refused]) -> str:
    return refusal.value.rule


def test_a_good_head_and_its_segments_are_believed() -> None:
    head = verify_head(SHOWN.head(), FIRST)
    assert (head.number, head.first) == (3, 1)
    expected = head.segment_hash
    for raw in reversed(SHOWN.raw):
        expected = verify_segment(raw, expected, FIRST).header.previous
    assert expected == bytes(HASH)


def test_a_head_by_a_stranger_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        verify_head(SHOWN.head(STRANGER), FIRST)
    assert rule_of(refusal) == "segment 3.3"


def test_a_head_signed_as_a_segment_is_refused() -> None:
    signed = SHOWN.head()[:-SIGNATURE]
    with pytest.raises(Refused) as refusal:
        verify_head(signed + sign.sign(BOARD, "segment", signed), FIRST)
    assert rule_of(refusal) == "segment 3.3"


@settings(derandomize=True, deadline=None, database=None, max_examples=80)
@given(at=st.integers(0, 175), bit=st.integers(0, 7))
def test_no_bit_of_a_head_can_be_turned(at: int, bit: int) -> None:
    raw = bytearray(SHOWN.head())
    raw[at] ^= 1 << bit
    with pytest.raises(Refused) as refusal:
        verify_head(bytes(raw), FIRST)
    assert rule_of(refusal) in ("segment 3.2", "segment 3.3")


def test_yesterdays_head_is_believed_under_todays_record() -> None:
    assert verify_head(SHOWN.head(), SECOND).number == 3


def test_a_head_of_a_record_that_is_no_ancestor_is_refused() -> None:
    ahead = board(SECOND, 1)
    with pytest.raises(Refused) as refusal:
        verify_head(ahead.head(), FIRST)
    assert rule_of(refusal) == "segment 3.6"
    other = record(changed(FIRST.body, not_before=FIRST.body.not_before + 1))
    with pytest.raises(Refused) as refusal:
        verify_head(board(other, 1).head(), FIRST)
    assert rule_of(refusal) == "segment 3.6"


def test_a_head_that_names_no_record_is_refused_even_in_a_young_chain() -> None:
    newest = SHOWN.segments[-1]
    nameless = replace(newest, header=replace(newest.header, record_hash=bytes(HASH)))
    with pytest.raises(Refused) as refusal:
        verify_head(make_head(nameless, 1, BOARD), FIRST)
    assert rule_of(refusal) == "segment 3.6"


def test_a_segment_by_a_stranger_is_refused_although_its_hash_was_named() -> None:
    forged = board(FIRST, 1, STRANGER)
    with pytest.raises(Refused) as refusal:
        verify_segment(forged.raw[0], forged.segments[0].hash, FIRST)
    assert rule_of(refusal) == "segment 3.3"


def test_a_segment_with_other_counts_than_the_record_is_refused() -> None:
    p = FIRST.body.parameters
    larger = record(changed(FIRST.body, parameters=replace(p, replies=p.replies + 1)))
    other = board(larger, 1)
    with pytest.raises(Refused) as refusal:
        verify_segment(other.raw[0], other.segments[0].hash, FIRST)
    assert rule_of(refusal) == "segment 3.4"


def test_a_good_segment_in_anothers_place_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        verify_segment(SHOWN.raw[0], SHOWN.segments[1].hash, FIRST)
    assert rule_of(refusal) == "segment 3.5"


@settings(derandomize=True, deadline=None, database=None, max_examples=60)
@given(at=st.integers(0, len(SHOWN.raw[0]) - 1), bit=st.integers(0, 7))
def test_no_bit_of_a_segment_can_be_turned(at: int, bit: int) -> None:
    raw = bytearray(SHOWN.raw[0])
    raw[at] ^= 1 << bit
    with pytest.raises(Refused) as refusal:
        verify_segment(bytes(raw), SHOWN.segments[0].hash, FIRST)
    assert rule_of(refusal) in ("segment 3.1", "segment 3.2", "segment 3.5")


def test_two_ways_that_show_the_same_board_agree() -> None:
    one = verify_head(SHOWN.head(), FIRST)
    verify_same(one, verify_head(SHOWN.head(), FIRST))


def test_two_ways_that_show_different_boards_under_one_number_are_refused() -> None:
    one = verify_head(SHOWN.head(), FIRST)
    other = verify_head(board(FIRST, 3, salt=1).head(), FIRST)
    for pair in ((one, other), (other, one)):
        with pytest.raises(Refused) as refusal:
            verify_same(*pair)
        assert rule_of(refusal) == "segment 3.7"


def test_a_way_that_is_a_segment_behind_is_not_another_board() -> None:
    behind = board(FIRST, 2)
    verify_same(verify_head(SHOWN.head(), FIRST), verify_head(behind.head(), FIRST))


@pytest.mark.parametrize(("seen", "good"), [(0, True), (2, True), (3, True), (4, False)])
def test_a_board_that_went_back_is_refused(seen: int, good: bool) -> None:
    head: Head = verify_head(SHOWN.head(), FIRST)
    if good:
        verify_not_older(head, seen)
        return
    with pytest.raises(Refused) as refusal:
        verify_not_older(head, seen)
    assert rule_of(refusal) == "segment 3.7"
