"""What a mix refuses to sign: each clause of record 5.2 by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.trust.made import DAY, DROP, PARAMETERS, PINS, STRANGER, body, changed, private

from wallflower.crypto import sign
from wallflower.errors import Refused
from wallflower.mix.signing import MOST_OF_A_DAY, check_draft
from wallflower.trust.record import ancestors_after
from wallflower.wire.offer import Offer
from wallflower.wire.record import Parameters, RecordBody
from wallflower.wire.sizes import ANCESTORS, DAY_S, HASH

FIRST = body()
SECOND = body(2, DAY + 1, FIRST)
OFFER_A = Offer(2, private("a").public)
OFFER_B = Offer(2, private("b").public, sign.verify_key(DROP))
OTHER = private("other").public


NOON = DAY * DAY_S + DAY_S / 2


def check(
    draft: RecordBody, position: str = "a", signed: tuple[RecordBody, ...] = (FIRST,),
    offer: Offer | None = None, now: float = NOON,
) -> None:  # fmt: skip
    offer = offer or {"a": OFFER_A, "b": OFFER_B}[position]
    check_draft(draft, {b.number: b for b in signed}, offer, position, PINS, now)


def refused(
    draft: RecordBody, position: str = "a", signed: tuple[RecordBody, ...] = (FIRST,),
    rule: str = "record 5.2", now: float = NOON,
) -> str:  # fmt: skip
    offer = replace({"a": OFFER_A, "b": OFFER_B}[position], number=draft.number)
    with pytest.raises(Refused) as refusal:
        check(draft, position, signed, offer, now)
    assert refusal.value.rule == rule
    return refusal.value.what


@pytest.mark.parametrize("position", ["a", "b"])
def test_a_draft_of_what_was_offered_is_signed(position: str) -> None:
    check(SECOND, position)


@pytest.mark.parametrize(("position", "key"), [("a", "hop_a"), ("b", "hop_b")])
def test_a_draft_with_another_hop_key_is_refused(position: str, key: str) -> None:
    assert "another key" in refused(changed(SECOND, **{key: OTHER}), position)


def test_a_draft_with_another_drop_signing_key_is_refused_by_b() -> None:
    draft = changed(SECOND, drop_verify=sign.verify_key(STRANGER))
    assert "another key" in refused(draft, "b")
    check(draft, "a")  # absent on purpose: each mix answers for its own keys


def test_a_draft_of_another_number_is_refused() -> None:
    for number in (1, 3):
        with pytest.raises(Refused) as refusal:
            check(changed(SECOND, number=number))
        assert refusal.value.rule == "record 5.2"


@pytest.mark.parametrize("position", ["a", "b"])
def test_a_draft_of_another_organisation_is_refused(position: str) -> None:
    draft = changed(SECOND, root=b"\1" * HASH)
    assert "another organisation" in refused(draft, position)


def test_a_draft_that_forgets_or_forges_the_record_before_is_refused() -> None:
    for ancestors in (
        (bytes(HASH),) * ANCESTORS,
        (b"\1" * HASH, *SECOND.ancestors[1:]),
        (*SECOND.ancestors[:1], b"\1" * HASH, *SECOND.ancestors[2:]),
    ):
        draft = changed(SECOND, ancestors=ancestors)
        assert "does not continue" in refused(draft)


@pytest.mark.parametrize(
    "other",
    [
        replace(PARAMETERS, tick=300), replace(PARAMETERS, tick=1200),
        replace(PARAMETERS, period=7200), replace(PARAMETERS, period=28800),
    ],
)  # fmt: skip
def test_a_draft_of_another_tick_or_period_is_refused(other: Parameters) -> None:
    assert "the tick or" in refused(changed(SECOND, parameters=other))
    check(changed(FIRST, parameters=other), signed=(), offer=replace(OFFER_A, number=1))


def of_day(number: int, day: int, before: RecordBody) -> RecordBody:
    ancestors = ancestors_after(before, number)
    return changed(body(number, day), ancestors=ancestors, not_before=day * DAY_S)


def test_a_draft_that_goes_back_behind_today_is_refused() -> None:
    earlier = of_day(2, DAY - 1, FIRST)
    assert "behind today" in refused(earlier, rule="record 5.4")
    assert "behind today" in refused(of_day(2, DAY, FIRST), rule="record 5.4", now=NOON + DAY_S)
    check(of_day(2, DAY, FIRST), now=(DAY + 1) * DAY_S + 3599)  # an hour of clocks


def test_a_revocation_of_today_is_signed_although_days_ahead_were() -> None:
    third = body(3, DAY + 2, SECOND)
    offer = replace(OFFER_A, number=5)
    check(of_day(5, DAY, third), signed=(FIRST, SECOND, third), offer=offer)


def test_no_more_than_six_bodies_of_one_day_are_signed() -> None:
    signed = [FIRST]
    while len(signed) < MOST_OF_A_DAY:
        signed.append(of_day(signed[-1].number + 1, DAY, signed[-1]))
        check(signed[-1], signed=tuple(signed[:-1]), offer=replace(OFFER_A, number=len(signed)))
    seventh = of_day(7, DAY, signed[-1])
    assert "too many" in refused(seventh, signed=tuple(signed), rule="record 5.4")
    tomorrow = of_day(7, DAY + 1, signed[-1])
    check(tomorrow, signed=tuple(signed), offer=replace(OFFER_A, number=7))


def test_a_number_that_was_signed_or_passed_is_never_signed_again() -> None:
    other = changed(SECOND, drop_key=OTHER)
    assert "drafted again" in refused(other, signed=(FIRST, SECOND), rule="record 5.3")
    fourth = of_day(4, DAY + 1, SECOND)
    assert "drafted again" in refused(
        body(3, DAY + 2, SECOND), signed=(FIRST, SECOND, fourth), rule="record 5.3"
    )


def test_what_was_signed_stands_in_its_place_and_what_was_not_may_be_missing() -> None:
    """Number 3 was withdrawn by the other mix; this one signed it, or never saw it."""
    third = body(3, DAY + 2, SECOND)
    fourth = of_day(4, DAY + 2, third)
    offer = replace(OFFER_A, number=4)
    check(fourth, signed=(FIRST, SECOND, third), offer=offer)
    check(fourth, signed=(FIRST, SECOND), offer=offer)
    without = changed(fourth, ancestors=ancestors_after(SECOND, 4))
    check(without, signed=(FIRST, SECOND), offer=offer)
    assert "does not continue" in refused(without, signed=(FIRST, SECOND, third))


def test_a_first_record_that_claims_ancestors_is_refused() -> None:
    offer = replace(OFFER_A, number=1)
    check(FIRST, signed=(), offer=offer)
    with pytest.raises(Refused) as refusal:
        check(changed(FIRST, ancestors=SECOND.ancestors), signed=(), offer=offer)
    assert refusal.value.rule == "record 5.2"


def board_of(before: RecordBody, replies: int, receipts: int) -> RecordBody:
    """The record after `before`, with so many times the slots and receipts."""
    p = before.parameters
    more = replace(p, replies=replies * p.replies, receipts=receipts * p.receipts)
    return changed(body(2, DAY + 1, before), parameters=more)


@pytest.mark.parametrize(("replies", "receipts"), [(2, 2), (4, 1), (1, 4), (5, 4)])
def test_a_draft_whose_board_is_no_step_after_the_one_before_is_refused(
    replies: int, receipts: int
) -> None:
    """Under such a record nobody could read the older part of the board."""
    assert "step" in refused(board_of(FIRST, replies, receipts))


def test_a_draft_whose_board_takes_a_step_is_signed_and_one_back_is_refused() -> None:
    for times in (4, 16):
        check(board_of(FIRST, times, times))
    large = changed(FIRST, parameters=board_of(FIRST, 4, 4).parameters)
    small = changed(board_of(large, 1, 1), parameters=FIRST.parameters)
    assert "step" in refused(small, "a", (large,))
