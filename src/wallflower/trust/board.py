"""Which board may be believed: its head, and segments by the hash chain. Spec: segment.md 3."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from wallflower.crypto import sign
from wallflower.errors import Refused
from wallflower.trust.record import EpochRecord
from wallflower.wire.segment import (
    SegmentHeader,
    SignedHead,
    SignedSegment,
    grew,
    parse_head,
    parse_segment,
)


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


def leading_head(shown: Sequence[bytes | None], record: EpochRecord, seen: int) -> tuple[Head, int]:
    """Of the heads that ways showed the newest, of equal ones the first, and the number of its way
    (segment 2): one that shows nothing, or no head of ours, holds back nothing. Refused where none
    is left, two disagree, or `seen` was newer.
    """
    heads: list[tuple[Head, int]] = []
    fault = Refused("segment 3.1", "No way shows a head of the board", "Come back another day.")
    for way, data in enumerate(shown):
        try:
            heads += [(verify_head(data, record), way)] if data is not None else []
        except Refused as refused:
            fault = refused
    if not heads:
        raise fault
    newest, way = max(heads, key=lambda one: one[0].number)  # of equal ones the first
    for head, _ in heads:
        verify_same(newest, head)
    verify_not_older(newest, seen)
    return newest, way


def verify_same(one: Head, other: Head) -> None:
    """Refuse two ways that show different boards under one number (segment 3.7)."""
    if one.number == other.number and one.segment_hash != other.segment_hash:
        raise Refused("segment 3.7", "Two ways show different boards", "Use a third way.")


def verify_not_older(head: Head, seen: int) -> None:
    """Refuse a board whose newest segment is older than one already seen (segment 3.7)."""
    if head.number < seen:
        raise Refused("segment 3.7", "The board went back to an older state", "Use another way.")


def number_seen(segments: Iterable[bytes], record: EpochRecord) -> int:
    """The highest number of kept segments, newest first, that today's board key signed; 0 for none.
    What another key signed says nothing: whoever had that one could name the highest number there
    is, and no head of before is believed any more in any case (segment 3.7)."""
    for data in segments:
        with suppress(Refused):
            segment = parse_segment(data)
            _verify(record, "segment", segment.signed, segment.signature)
            return segment.header.number
    return 0


def verify_segment(
    data: bytes, expected: bytes, record: EpochRecord, follower: SegmentHeader | None = None
) -> SignedSegment:
    """Parse a segment and check it against the hash that its follower names (segment 3.5).

    `follower` is the header of the segment after it, None for the newest; `record` is today's, or
    the one that the segment names. Under another one the board may have had another key: the hash
    is enough there, since the head is signed (segment 3.3).
    """
    segment = parse_segment(data)
    if segment.hash != expected:
        raise Refused("segment 3.5", "A board segment is not the one that was named")
    _verify_counts(segment.header, record, follower)
    if segment.header.record_hash == record.hash:
        _verify(record, "segment", segment.signed, segment.signature)
    return segment


def _verify_counts(
    header: SegmentHeader, record: EpochRecord, follower: SegmentHeader | None
) -> None:
    """Refuse counts that no public step explains (segment 3.4). Sizes change with a record only."""
    p = record.body.parameters
    known = [(record.hash, (p.replies, p.receipts))]
    if follower is not None:
        known.append((follower.record_hash, follower.counts))
    for record_hash, counts in known:
        same = record_hash == header.record_hash
        if header.counts != counts if same else not grew(header.counts, counts):
            raise Refused("segment 3.4", "A board segment has counts that no step explains")


def _verify(record: EpochRecord, purpose: str, body: bytes, signature: bytes) -> None:
    try:
        sign.verify(record.body.board_verify, purpose, body, signature)
    except sign.BadSignature:
        raise Refused("segment 3.3", "The board's signature is not valid") from None
