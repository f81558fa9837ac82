"""Board segments and the head. Spec: segment.md."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.drawn import Draw, flip
from vectors.in_python import key

from wallflower.crypto import sign
from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.wire.segment import (
    SegmentHeader,
    make_head,
    make_segment,
    parse_head,
    parse_segment,
    segment_size,
)
from wallflower.wire.sizes import (
    HEAD,
    RECEIPT,
    RECEIPTS,
    REPLY_SLOT,
    REPLY_SLOTS,
    SEGMENT,
    SEGMENT_HEADER,
)

SEED = key("signers", "board")
_U32 = st.integers(0, 2**32 - 1)


def _segment(number: int, period: int, replies: int, receipts: int) -> bytes:
    draw = Draw(f"segment {number}")
    header = SegmentHeader(7, number, period, replies, receipts, draw(32), draw(32), draw(32))
    slots, tags = ([draw(size) for _ in range(count)] for size, count in (
        (REPLY_SLOT, replies), (RECEIPT, receipts)))  # fmt: skip
    return make_segment(header, slots, tags, SEED)


@given(_U32, _U32, st.integers(0, 4), st.integers(0, 9))
def test_any_segment_comes_back(number: int, period: int, replies: int, receipts: int) -> None:
    data = _segment(number, period, replies, receipts)
    found = parse_segment(data)
    assert len(data) == segment_size(replies, receipts)
    assert (found.header.number, found.header.period, found.hash) == (number, period, sha256(data))
    body = found.header.encode() + b"".join(found.replies) + b"".join(found.receipts)
    assert (body, body + found.signature) == (found.signed, data)


@given(_U32, _U32, _U32)
def test_any_head_comes_back_and_names_its_segment(number: int, period: int, first: int) -> None:
    newest = parse_segment(_segment(number, period, 1, 1))
    data = make_head(newest, first, SEED)
    found = parse_head(data)
    assert len(data) == HEAD
    assert (found.number, found.period, found.first) == (number, period, first)
    assert (found.segment_hash, found.drop_head) == (newest.hash, newest.header.drop_head)
    assert found.record_hash == newest.header.record_hash


def test_a_full_segment_has_the_size_of_the_table() -> None:
    assert len(_segment(1, 1, REPLY_SLOTS, RECEIPTS)) == SEGMENT


def test_a_segment_is_always_full() -> None:
    header = SegmentHeader(7, 1, 1, 2, 3, bytes(32), bytes(32), bytes(32))
    with pytest.raises(ValueError, match="always full"):
        make_segment(header, [bytes(REPLY_SLOT)], [bytes(RECEIPT)] * 3, SEED)
    with pytest.raises(ValueError, match="always full"):
        make_segment(header, [bytes(REPLY_SLOT)] * 2, [bytes(RECEIPT)], SEED)


@pytest.mark.parametrize("size", [0, 1, 13, SEGMENT_HEADER - 1])
def test_less_than_a_header_is_refused_not_a_crash(size: int) -> None:
    with pytest.raises(Refused) as refused:
        parse_segment(_segment(1, 1, 1, 1)[:size])
    assert refused.value.rule == "segment 3.1"


def test_a_head_is_not_taken_for_a_segment_nor_the_other_way() -> None:
    """A head's bytes may parse as a tiny segment; the purpose in the signature tells them apart."""
    data = make_head(parse_segment(_segment(1, 1, 1, 1)), 0, SEED)
    found = parse_segment(data)
    with pytest.raises(sign.BadSignature):
        sign.verify(key("verify", "board"), "segment", found.signed, found.signature)
    with pytest.raises(Refused) as refused:
        parse_head(_segment(1, 1, 1, 1))
    assert refused.value.rule == "segment 3.1"


@pytest.mark.parametrize("at", [2, 4, 8, 16, 48, 80, SEGMENT_HEADER, SEGMENT_HEADER + REPLY_SLOT])
def test_the_signature_covers_every_field(at: int) -> None:
    found = parse_segment(flip(_segment(1, 1, 1, 1), at))
    with pytest.raises(sign.BadSignature):
        sign.verify(key("verify", "board"), "segment", found.signed, found.signature)
