"""How a draft is composed, and which key lists of the desk are refused. Pure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.mix.room import desk_keys
from tests.trust.made import DAY, DROP, PARAMETERS, ROOT, private

from wallflower.board.compose import Fixed, compose, parse_desk_keys
from wallflower.crypto import sign
from wallflower.errors import Refused
from wallflower.trust.ahead import first_without
from wallflower.wire.offer import Offer
from wallflower.wire.record import Way, WayKind, parse_body
from wallflower.wire.sizes import DAY_S, KEM_PUBLIC, week_of_day

ONE = len(desk_keys(range(DAY, DAY + 1)))
FIXED = Fixed(
    ROOT, "Office", b"b" * 32, PARAMETERS, (Way(WayKind.INGRESS, 12, "http://i.example/"),)
)
A = Offer(1, private("a").public)
B = Offer(1, private("b").public, sign.verify_key(DROP))


def refused(data: bytes) -> str:
    with pytest.raises(Refused) as refusal:
        parse_desk_keys(data)
    return refusal.value.rule


def test_a_list_of_several_days_is_read_in_order() -> None:
    keys = parse_desk_keys(desk_keys(range(DAY, DAY + 9)))
    assert [k.day for k in keys] == list(range(DAY, DAY + 9))
    assert keys[0].drop == private("drop").public
    assert keys[0].desk == private("desk").public


@pytest.mark.parametrize("size", [0, 1, ONE - 1, ONE + 1, 2 * ONE - 1])
def test_a_list_of_another_length_is_refused(size: int) -> None:
    assert refused((desk_keys(range(DAY, DAY + 2)))[:size]) == "board 1"


def test_a_week_that_is_not_that_of_the_day_is_refused() -> None:
    at = 4 + KEM_PUBLIC
    for week in (week_of_day(DAY) - 1, week_of_day(DAY) + 1):
        raw = bytearray(desk_keys(range(DAY, DAY + 1)))
        raw[at : at + 2] = week.to_bytes(2)
        assert refused(bytes(raw)) == "board 1"


@pytest.mark.parametrize("at", [4, 4 + KEM_PUBLIC + 2])
def test_something_that_is_no_key_is_refused(at: int) -> None:
    raw = bytearray(desk_keys(range(DAY, DAY + 1)))
    raw[at : at + 1184] = b"\xff" * 1184  # coefficients beyond the modulus of ML-KEM
    assert refused(bytes(raw)) == "board 1"


@settings(derandomize=True, deadline=None, database=None, max_examples=30)
@given(st.binary(max_size=100), st.integers(0, 3))
def test_any_bytes_are_keys_or_refused(noise: bytes, times: int) -> None:
    assert refused((noise * ONE)[: ONE * times]) == "board 1"


def test_a_draft_is_what_was_offered_and_can_be_read() -> None:
    (desk,) = parse_desk_keys(desk_keys(range(DAY, DAY + 1)))
    draft = compose(None, DAY, A, B, desk, FIXED)
    assert parse_body(draft.encode()) == draft
    assert (draft.number, draft.day, draft.not_before) == (1, DAY, DAY * DAY_S)
    assert (draft.hop_a, draft.hop_b, draft.drop_verify) == (A.hop, B.hop, B.drop_verify)
    (later,) = parse_desk_keys(desk_keys(range(DAY + 1, DAY + 2)))
    second = compose(draft, DAY + 1, replace(A, number=2), replace(B, number=2), later, FIXED)
    assert (second.number, second.ancestors[0]) == (2, draft.hash())


@pytest.mark.parametrize(
    ("days", "today", "first"),
    [([], 0, 0), ([0], 0, 1), ([0], 7, 7), ([0, 1, 3], 0, 2), ([0, 1, 3], 3, 4), ([9000], 0, 0)],
)
def test_the_first_day_without_a_body_leaves_no_hole_and_is_never_one_that_has_passed(
    days: list[int], today: int, first: int
) -> None:
    assert first_without(days, today) == first
