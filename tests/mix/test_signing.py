"""What a mix refuses to sign: each clause of record 5.2 by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.trust.made import DAY, DROP, PINS, STRANGER, body, changed, private

from wallflower.crypto import sign
from wallflower.errors import Refused
from wallflower.mix.signing import check_draft
from wallflower.wire.offer import Offer
from wallflower.wire.record import RecordBody
from wallflower.wire.sizes import ANCESTORS, DAY_S, HASH

FIRST = body()
SECOND = body(2, DAY + 1, FIRST)
OFFER_A = Offer(2, private("a").public)
OFFER_B = Offer(2, private("b").public, sign.verify_key(DROP))
OTHER = private("other").public


def check(
    draft: RecordBody, position: str = "a", before: RecordBody | None = FIRST,
    offer: Offer | None = None,
) -> None:  # fmt: skip
    check_draft(draft, before, offer or {"a": OFFER_A, "b": OFFER_B}[position], position, PINS)


def refused(draft: RecordBody, position: str = "a", before: RecordBody | None = FIRST) -> str:
    with pytest.raises(Refused) as refusal:
        check(draft, position, before)
    assert refusal.value.rule == "record 5.2"
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
        assert "another key" in refused(changed(SECOND, number=number))


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


def test_a_draft_that_begins_no_later_than_the_record_before_is_refused() -> None:
    same = changed(SECOND, day=DAY, not_before=DAY * DAY_S)
    assert "does not continue" in refused(same)
    earlier = changed(SECOND, day=DAY - 1, not_before=(DAY - 1) * DAY_S)
    assert "does not continue" in refused(earlier)


def test_a_revocation_on_the_same_day_that_begins_later_is_signed() -> None:
    check(changed(SECOND, day=DAY, not_before=DAY * DAY_S + 3600))


def test_a_first_record_that_claims_ancestors_is_refused() -> None:
    offer = replace(OFFER_A, number=1)
    check(FIRST, before=None, offer=offer)
    with pytest.raises(Refused) as refusal:
        check(changed(FIRST, ancestors=SECOND.ancestors), before=None, offer=offer)
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
    assert "step" in refused(small, "a", large)
