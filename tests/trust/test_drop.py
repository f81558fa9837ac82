"""Which drop is believed: the next one of B's chain, of its record's size, signed by B."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.trust.made import DAY, STRANGER, body, drop, record

from wallflower.errors import Refused
from wallflower.trust.drop import verify_drop
from wallflower.wire.drop import DropHeader, SignedDrop, make_drop, parse_drop
from wallflower.wire.sizes import HASH, LETTER

TODAY = record(body())
NOTHING = bytes(HASH)


def refused(found: SignedDrop, number: int = 0, last: bytes = NOTHING) -> str:
    with pytest.raises(Refused) as refusal:
        verify_drop(found, TODAY, number, last)
    return refusal.value.rule


def test_a_chain_of_drops_is_believed_in_its_order() -> None:
    number, last = 0, NOTHING
    for _ in range(3):
        found = verify_drop(drop(TODAY, number + 1, last), TODAY, number, last)
        number, last = found.header.number, found.hash
    assert number == 3


def test_a_drop_of_another_size_than_its_records_is_refused() -> None:
    p = TODAY.body.parameters
    for slots in (p.slots - 1, p.slots + 1):
        assert refused(drop(TODAY, slots=slots)) == "drop 2.1"


def test_a_drop_of_another_record_is_refused() -> None:
    tomorrow = record(body(2, DAY + 1, TODAY.body))
    assert refused(drop(tomorrow)) == "drop 2.1"


def test_a_drop_cut_or_lengthened_is_refused() -> None:
    p, key = TODAY.body.parameters, TODAY.body.drop_key
    header = DropHeader(1, 1, 77, p.slots, NOTHING)
    raw = make_drop(header, key, TODAY.hash, bytes(32), [bytes(LETTER)] * p.slots, STRANGER)
    for data in (raw[:-1], raw + b"x", raw[:10], b""):
        with pytest.raises(Refused) as refusal:
            parse_drop(data)
        assert refusal.value.rule == "drop 2.1"


@pytest.mark.parametrize("at", [0, 1, 18, 31])
def test_a_version_or_reserved_byte_that_is_wrong_is_refused(at: int) -> None:
    p, key = TODAY.body.parameters, TODAY.body.drop_key
    header = DropHeader(1, 1, 77, p.slots, NOTHING)
    raw = bytearray(
        make_drop(header, key, TODAY.hash, bytes(32), [bytes(LETTER)] * p.slots, STRANGER)
    )
    raw[at] ^= 2
    with pytest.raises(Refused) as refusal:
        parse_drop(bytes(raw))
    assert refusal.value.rule == "drop 2.2"


def test_a_drop_by_a_stranger_is_refused() -> None:
    assert refused(drop(TODAY, seed=STRANGER)) == "drop 2.3"


def test_a_drop_whose_signature_was_moved_from_another_is_refused() -> None:
    one, two = drop(TODAY), drop(TODAY)
    assert refused(replace(one, signature=two.signature)) == "drop 2.3"


@pytest.mark.parametrize("number", [0, 2, 3])
def test_a_drop_repeated_skipped_or_out_of_turn_is_refused(number: int) -> None:
    assert refused(drop(TODAY, number)) == "drop 2.4"


def test_a_drop_that_names_another_one_before_it_is_refused() -> None:
    """A chain that B forked for one reader."""
    assert refused(drop(TODAY, 1, b"\1" * HASH)) == "drop 2.4"
    first = drop(TODAY)
    assert refused(drop(TODAY, 2, NOTHING), 1, first.hash) == "drop 2.4"
