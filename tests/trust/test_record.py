"""Which epoch record is believed: three signatures, the pinned root, its time, its chain."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.trust.made import (
    DAY,
    ORGANISATION,
    PINS,
    STRANGER,
    A,
    B,
    body,
    changed,
    private,
    record,
    signed,
)

from wallflower.crypto import sign
from wallflower.errors import Refused
from wallflower.trust.record import (
    ancestor_of,
    ancestors_after,
    believe,
    newer_of,
    verify_follows,
    verify_hums,
    verify_in_force,
    verify_record,
)
from wallflower.wire.record import RecordBody
from wallflower.wire.sizes import ANCESTORS, DAY_S, HASH, SIGNATURE

FIRST = body()
WHO = ("organisation", "A", "B")


def test_a_record_of_other_signers_is_an_ancestor_in_its_own_place_only() -> None:
    """As after a signer's key was replaced: the signatures of before are of a stranger today."""
    second = body(2, DAY + 1, FIRST)
    newer = record(body(3, DAY + 2, second))
    strange = (STRANGER, STRANGER, STRANGER)
    for what in (FIRST, second):
        found = ancestor_of(newer, signed(what, strange))
        assert found is not None
        assert (found.body, found.hash) == (what, what.hash())
    placed = changed(second, number=1)  # another number, and so another hash
    swapped = (FIRST.hash(), second.hash(), *newer.body.ancestors[2:])
    far = record(changed(newer.body, number=3 + ANCESTORS))
    for above, raw in (
        (newer, signed(changed(FIRST, day=DAY + 1), strange)), (newer, signed(placed, strange)),
        (record(changed(newer.body, ancestors=swapped)), signed(second, strange)),
        (newer, newer.raw), (record(FIRST), signed(second)), (far, signed(FIRST, strange)),
        (newer, b"<html>"), (newer, b""),
    ):  # fmt: skip
        assert ancestor_of(above, raw) is None


def refused_by(data: bytes) -> Refused:
    with pytest.raises(Refused) as refusal:
        verify_record(data, PINS)
    return refusal.value


def test_a_record_with_three_good_signatures_is_believed() -> None:
    raw = signed(FIRST)
    got = verify_record(raw, PINS)
    assert (got.body, got.hash, got.raw, got.number) == (FIRST, FIRST.hash(), raw, 1)


@pytest.mark.parametrize("place", range(3))
def test_one_stranger_among_the_signers_is_refused_and_named_by_place(place: int) -> None:
    by = [ORGANISATION, A, B]
    by[place] = STRANGER
    refusal = refused_by(signed(FIRST, (by[0], by[1], by[2])))
    assert refusal.rule == "record 2.8"
    assert refusal.what.endswith(f"signature of {WHO[place]}")


@pytest.mark.parametrize("place", range(3))
def test_one_missing_signature_is_refused(place: int) -> None:
    raw = bytearray(signed(FIRST))
    at = len(raw) - (3 - place) * SIGNATURE
    raw[at : at + SIGNATURE] = bytes(SIGNATURE)
    refusal = refused_by(bytes(raw))
    assert (refusal.rule, refusal.what.rpartition(" ")[2]) == ("record 2.8", WHO[place])


@pytest.mark.parametrize("by", [(A, ORGANISATION, B), (ORGANISATION, B, A), (A, A, A)])
def test_a_good_signature_in_anothers_place_is_refused(by: tuple[bytes, bytes, bytes]) -> None:
    assert refused_by(signed(FIRST, by)).rule == "record 2.8"


def test_two_signatures_and_a_cut_are_no_record() -> None:
    assert refused_by(signed(FIRST)[:-SIGNATURE]).rule.startswith("record 2.")
    assert refused_by(FIRST.encode()).rule.startswith("record 2.")


@pytest.mark.parametrize("purpose", ["offer", "head", "drop", "segment"])
def test_a_signature_for_another_purpose_is_refused(purpose: str) -> None:
    raw = FIRST.encode()
    forged = raw + b"".join(sign.sign(seed, purpose, raw) for seed in (ORGANISATION, A, B))
    assert refused_by(forged).rule == "record 2.8"


@settings(derandomize=True, deadline=None, database=None, max_examples=120)
@given(at=st.integers(0, len(signed(FIRST)) - 1), bit=st.integers(0, 7))
def test_no_bit_of_a_record_can_be_turned(at: int, bit: int) -> None:
    raw = bytearray(signed(FIRST))
    raw[at] ^= 1 << bit
    assert refused_by(bytes(raw)).rule.startswith("record 2.")


def test_another_organisations_record_is_refused_although_the_signers_are_ours() -> None:
    other = changed(FIRST, root=b"\1" * HASH)
    assert refused_by(signed(other)).rule == "record 2.9"


@pytest.mark.parametrize(
    ("offset", "good"),
    [(-1.0, False), (-1e-3, False), (0.0, True), (DAY_S, True), (2 * DAY_S - 1e-3, True),
     (2 * DAY_S, False), (2 * DAY_S + 1, False)],
)  # fmt: skip
def test_a_record_is_in_force_from_its_first_moment_until_its_last(
    offset: float, good: bool
) -> None:
    today = record(FIRST)
    now = DAY * DAY_S + offset
    assert today.in_force(now) is good
    if good:
        verify_in_force(today, now)
    else:
        with pytest.raises(Refused) as refusal:
            verify_in_force(today, now)
        assert refusal.value.rule == "record 2.10"


def test_a_record_that_begins_within_its_day_is_not_in_force_before() -> None:
    late = record(changed(FIRST, not_before=DAY * DAY_S + 3600))
    assert not late.in_force(DAY * DAY_S + 3599.9)
    assert late.in_force(DAY * DAY_S + 3600)


def chain(length: int) -> list[RecordBody]:
    bodies = [FIRST]
    for n in range(1, length):
        bodies.append(body(n + 1, DAY + n, bodies[-1]))
    return bodies


def test_a_record_follows_every_ancestor_that_it_carries() -> None:
    records = [record(b) for b in chain(ANCESTORS + 1)]
    for before in records[:-1]:
        verify_follows(records[-1], before)


@pytest.mark.parametrize("gap", [1, 2, ANCESTORS])
def test_a_fork_at_any_ancestor_is_refused(gap: int) -> None:
    bodies = chain(ANCESTORS + 1)
    last = record(bodies[-1])
    fork = record(changed(bodies[-1 - gap], hop_a=private("another hop").public))
    with pytest.raises(Refused) as refusal:
        verify_follows(last, fork)
    assert refusal.value.rule == "record 2.11"


def test_an_older_record_or_the_same_number_again_does_not_follow() -> None:
    first, second = (record(b) for b in chain(2))
    for later, before in ((first, second), (first, first), (second, second)):
        with pytest.raises(Refused) as refusal:
            verify_follows(later, before)
        assert refusal.value.rule == "record 2.11"


@pytest.mark.parametrize("further", [ANCESTORS + 1, ANCESTORS + 9])
def test_a_record_far_behind_is_refused_and_not_looked_up_among_the_ancestors(
    further: int,
) -> None:
    ahead = record(replace(FIRST, number=FIRST.number + further))
    with pytest.raises(Refused) as refusal:
        verify_follows(record(FIRST), ahead)
    assert refusal.value.rule == "record 2.11"


@pytest.mark.parametrize("now", [DAY * DAY_S - 1, (DAY + 2) * DAY_S])
def test_a_record_out_of_its_time_is_not_believed_whether_one_was_known_or_not(now: float) -> None:
    today = record(FIRST)
    for known in (None, today):
        with pytest.raises(Refused) as refusal:
            believe(known, today, now)
        assert refusal.value.rule == "record 2.10"


def test_beyond_the_ancestors_only_the_number_can_be_checked() -> None:
    """Absent on purpose: the record carries ANCESTORS hashes; an older one is not remembered."""
    bodies = chain(ANCESTORS + 2)
    stranger = record(changed(bodies[0], hop_a=private("another hop").public))
    verify_follows(record(bodies[-1]), stranger)


def test_the_record_before_leads_the_ancestors_and_the_oldest_falls_off() -> None:
    bodies = chain(ANCESTORS + 3)
    assert ancestors_after(None) == (bytes(HASH),) * ANCESTORS
    assert bodies[-1].ancestors == tuple(b.hash() for b in bodies[-2 : -2 - ANCESTORS : -1])


def test_a_record_is_its_own_ancestor_and_a_strangers_hash_is_not() -> None:
    first, second = (record(b) for b in chain(2))
    assert second.is_ancestor(second.hash)
    assert second.is_ancestor(first.hash)
    assert not first.is_ancestor(second.hash)
    assert not second.is_ancestor(b"\7" * HASH)


def test_the_empty_places_of_a_young_chain_are_nobodys_ancestors() -> None:
    assert not record(FIRST).is_ancestor(bytes(HASH))


def test_a_desk_that_the_record_does_not_name_is_refused() -> None:
    today = record(FIRST)
    assert today.desk("Office").name == "Office"
    with pytest.raises(Refused) as refusal:
        today.desk("Elsewhere")
    assert refusal.value.rule == "record 2.5"


def test_of_two_entries_of_a_desk_the_newest_is_used_wherever_it_stands() -> None:
    newest = FIRST.desks[0]
    before = replace(newest, week=newest.week - 1, key=private("last week").public)
    for desks in ((newest, before), (before, newest)):
        assert record(changed(FIRST, desks=desks)).desk(newest.name) == newest


def test_the_pins_decide_and_not_the_record() -> None:
    by_strangers = signed(FIRST, (STRANGER, STRANGER, STRANGER))
    assert refused_by(by_strangers).rule == "record 2.8"
    key = sign.verify_key(STRANGER)
    theirs = replace(PINS, organisation=key, a=key, b=key)
    assert verify_record(by_strangers, theirs).number == 1, "the control"


def test_the_newer_of_two_records_of_one_chain_is_taken_and_a_fork_is_refused() -> None:
    first, second = (record(b) for b in chain(2))
    assert newer_of(None, first) is first
    assert newer_of(first, second) is second
    assert newer_of(second, first) is second
    assert newer_of(first, first) is first
    fork = record(changed(FIRST, hop_a=private("another hop").public))
    for known in (first, second):
        with pytest.raises(Refused) as refusal:
            newer_of(known, fork)
        assert refusal.value.rule == "record 2.11"


def test_a_replayed_record_of_a_withdrawn_number_is_refused_by_its_number() -> None:
    """A revocation: number 5 of today replaced 2, 3 and 4 of the days ahead. Somebody keeps 4."""
    ahead = [record(b) for b in chain(4)]
    bodies = [r.body for r in ahead]
    number = 6  # 5 was withdrawn before it was drafted
    revoking = record(changed(body(number), ancestors=ancestors_after(bodies[-1], number), day=DAY))
    assert revoking.body.ancestors[0] == bytes(HASH)
    assert revoking.body.ancestors[1:5] == tuple(b.hash() for b in reversed(bodies))
    later = (DAY + 1) * DAY_S + 10
    assert believe(revoking, ahead[1], later) is revoking, "it is passed over"
    much_later = (DAY + 3) * DAY_S
    assert ahead[3].in_force(much_later), "its own time would let it pass"
    assert believe(None, ahead[3], much_later) is ahead[3], "who knows nothing newer believes it"
    with pytest.raises(Refused) as refusal:
        believe(revoking, ahead[3], much_later)
    assert refusal.value.rule == "record 2.12"


def test_after_a_jump_of_numbers_nothing_before_is_an_ancestor_and_the_chain_goes_on() -> None:
    before = record(FIRST)
    number = FIRST.number + ANCESTORS + 1
    far = record(changed(body(number), ancestors=ancestors_after(FIRST, number)))
    assert far.body.ancestors == (bytes(HASH),) * ANCESTORS
    assert not far.is_ancestor(before.hash)
    verify_follows(far, before)
    nearer = record(changed(body(number - 1), ancestors=ancestors_after(FIRST, number - 1)))
    assert nearer.is_ancestor(before.hash), "one number less and it still is"


@pytest.mark.parametrize(("left", "good"), [(7201, True), (7200, False), (1, False)])
def test_no_hum_is_made_in_the_last_two_hours_of_a_record(left: float, good: bool) -> None:
    today = record(FIRST)
    now = FIRST.not_after - left
    verify_in_force(today, now)
    if good:
        verify_hums(today, now)
        return
    with pytest.raises(Refused) as refusal:
        verify_hums(today, now)
    assert refusal.value.rule == "hum 1.7"
