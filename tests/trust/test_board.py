"""Which board is believed: its head's signature and record, its segments by their hashes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.trust.made import BOARD, DAY, STRANGER, Board, board, body, changed, record

from wallflower.crypto import sign
from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.trust.board import (
    Head,
    verify_head,
    verify_not_older,
    verify_same,
    verify_segment,
)
from wallflower.trust.record import EpochRecord
from wallflower.wire.segment import STEP, make_head, make_segment, segment_size
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


def raised(before: EpochRecord, replies: int = STEP, receipts: int = STEP) -> EpochRecord:
    """The record after, with so many times the slots and receipts."""
    p = before.body.parameters
    more = replace(p, replies=replies * p.replies, receipts=receipts * p.receipts)
    return record(changed(body(before.number + 1, DAY + 1, before.body), parameters=more))


def walk(shown: Board, today: EpochRecord, head: bytes = b"") -> int:
    """Read a board from its head to its end, as a visit does; how many segments it had."""
    expected, follower = verify_head(head or shown.head(), today).segment_hash, None
    for raw in reversed(shown.raw):
        assert len(raw) <= segment_size(*counts_of(today))
        follower = verify_segment(raw, expected, today, follower).header
        expected = follower.previous
    assert expected == bytes(HASH)
    return len(shown.raw)


def counts_of(under: EpochRecord) -> tuple[int, int]:
    return under.body.parameters.replies, under.body.parameters.receipts


def read_to_its_end(shown: Board, today: EpochRecord) -> int:
    """How many segments a board has that is not refused anywhere."""
    try:
        return walk(shown, today)
    except Refused as refused:
        raise AssertionError(f"it is not read: {refused.rule}") from refused


def test_a_board_across_one_and_two_steps_is_read_to_its_end() -> None:
    once = raised(FIRST)
    across = board(once, 2, after=SHOWN)
    assert read_to_its_end(across, once) == 5
    twice = raised(once)
    assert read_to_its_end(across, twice) == 5, (
        "on the day of the step the newest is still of before"
    )
    assert read_to_its_end(board(twice, 1, after=across), twice) == 6


def test_a_board_whose_key_was_replaced_is_read_to_its_end() -> None:
    replaced = changed(body(2, DAY + 1, FIRST.body), board_verify=sign.verify_key(STRANGER))
    today = record(replaced)
    signed_again = make_head(SHOWN.segments[-1], 1, STRANGER, (today.number, today.hash))
    assert walk(SHOWN, today, signed_again) == 3
    across = board(today, 1, STRANGER, after=SHOWN)
    assert walk(across, today, across.head(STRANGER)) == 4
    forged = board(today, 1, after=SHOWN)
    with pytest.raises(Refused) as refusal:
        walk(forged, today, forged.head(STRANGER))
    assert rule_of(refusal) == "segment 3.3"


@pytest.mark.parametrize(("replies", "receipts"), [(2, 2), (3, 3), (STEP, 1), (1, STEP), (8, 8)])
def test_a_board_that_grew_by_no_step_is_refused(replies: int, receipts: int) -> None:
    odd = raised(FIRST, replies, receipts)
    with pytest.raises(Refused) as refusal:
        walk(board(odd, 1, after=SHOWN), odd)
    assert rule_of(refusal) == "segment 3.4"


def test_a_board_that_shrank_is_refused_although_today_is_larger_again() -> None:
    """Whoever holds the board's key alone must not be able to show one period smaller."""
    once = raised(FIRST)
    dip = board(FIRST, 1, after=board(once, 1, after=SHOWN))
    with pytest.raises(Refused) as refusal:
        walk(board(once, 1, after=dip), once)
    assert rule_of(refusal) == "segment 3.4"


def test_a_segment_under_todays_record_has_todays_counts() -> None:
    once = raised(FIRST)
    small = board(FIRST, 1).segments[0]
    header = replace(small.header, record=once.number, record_hash=once.hash)
    raw = make_segment(header, list(small.replies), list(small.receipts), BOARD)
    with pytest.raises(Refused) as refusal:
        verify_segment(raw, sha256(raw), once)
    assert rule_of(refusal) == "segment 3.4"


def test_sizes_change_with_a_record_only() -> None:
    once = raised(FIRST)
    twice = raised(once)
    across = board(once, 1, after=SHOWN)
    small = board(FIRST, 1, after=across).segments[-1]
    nameless = replace(small.header, record_hash=once.hash)
    raw = make_segment(nameless, list(small.replies), list(small.receipts), BOARD)
    follower = replace(across.segments[-1].header, previous=sha256(raw))
    with pytest.raises(Refused) as refusal:
        verify_segment(raw, sha256(raw), twice, follower)
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
