"""Which board may be believed: its head, and segments by the hash chain. Spec: segment.md 3."""

from __future__ import annotations

from dataclasses import dataclass

from wallflower.crypto import sign
from wallflower.errors import Refused
from wallflower.trust.record import EpochRecord
from wallflower.wire.segment import SignedHead, SignedSegment, parse_head, parse_segment


@dataclass(frozen=True, slots=True)
class Head:
    """A verified head: the numbers and the newest hash of the board."""

    number: int
    first: int
    segment_hash: bytes
    drop_head: bytes


def verify_head(data: bytes, record: EpochRecord) -> Head:
    """Parse and verify a head under today's record (segment 3.1-3.3, 3.6)."""
    head: SignedHead = parse_head(data)
    _verify(record, "head", head.signed, head.signature)
    if not record.is_ancestor(head.record_hash):
        raise Refused("segment 3.6", "The board's head belongs to another record")
    return Head(head.number, head.first, head.segment_hash, head.drop_head)


def verify_same(one: Head, other: Head) -> None:
    """Refuse two ways that show different boards under one number (segment 3.7)."""
    if one.number == other.number and one.segment_hash != other.segment_hash:
        raise Refused("segment 3.7", "Two ways show different boards", "Use a third way.")


def verify_not_older(head: Head, seen: int) -> None:
    """Refuse a board whose newest segment is older than one already seen (segment 3.7)."""
    if head.number < seen:
        raise Refused("segment 3.7", "The board went back to an older state", "Use another way.")


def verify_segment(data: bytes, expected: bytes, record: EpochRecord) -> SignedSegment:
    """Parse a segment and check it against the hash that its follower names (segment 3.5).

    The signature is checked as well; the hash alone would do, since the head is signed.
    """
    segment = parse_segment(data)
    if segment.hash != expected:
        raise Refused("segment 3.5", "A board segment is not the one that was named")
    p = record.body.parameters
    if (segment.header.replies, segment.header.receipts) != (p.replies, p.receipts):
        raise Refused("segment 3.4", "A board segment has other counts than its record")
    _verify(record, "segment", segment.signed, segment.signature)
    return segment


def _verify(record: EpochRecord, purpose: str, body: bytes, signature: bytes) -> None:
    try:
        sign.verify(record.body.board_verify, purpose, body, signature)
    except sign.BadSignature:
        raise Refused("segment 3.3", "The board's signature is not valid") from None
