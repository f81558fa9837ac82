"""A board segment and the board's signed head. Segments never change. Spec: segment.md."""

from __future__ import annotations

from dataclasses import dataclass

from wallflower.crypto import sign
from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.wire.receipt import parse_receipts
from wallflower.wire.sizes import (
    HASH,
    HEAD,
    RECEIPT,
    REPLY_SLOT,
    SEGMENT_HEADER,
    SIGNATURE,
    VERSION,
)

STEP = 4  # the board grows by whole steps, four times as large each (segment 4)


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """The 112 bytes before the slots (segment 1.2)."""

    record: int
    number: int
    period: int
    replies: int
    receipts: int
    previous: bytes
    drop_head: bytes
    record_hash: bytes

    @property
    def counts(self) -> tuple[int, int]:
        """Reply slots and receipts."""
        return self.replies, self.receipts

    def encode(self) -> bytes:
        """SEGMENT_HEADER bytes."""
        numbers = self.record.to_bytes(2) + self.number.to_bytes(4) + self.period.to_bytes(4)
        counts = self.replies.to_bytes(2) + self.receipts.to_bytes(2)
        return (
            bytes([VERSION, 0]) + numbers + counts
            + self.previous + self.drop_head + self.record_hash
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignedSegment:
    """A parsed segment; signature and chain are checked by trust."""

    header: SegmentHeader
    replies: tuple[bytes, ...]
    receipts: tuple[bytes, ...]
    signature: bytes
    signed: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A parsed head: which segments are on the board (segment 2)."""

    record: int
    number: int
    period: int
    first: int
    segment_hash: bytes
    drop_head: bytes
    record_hash: bytes
    signature: bytes
    signed: bytes


def segment_size(replies: int, receipts: int) -> int:
    """The bytes of a segment with these counts (segment 1.1)."""
    return SEGMENT_HEADER + replies * REPLY_SLOT + receipts * RECEIPT + SIGNATURE


def grew(before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether counts are those of before, or some whole steps more (segment 4)."""
    replies, receipts = before
    while replies and replies < after[0]:
        replies, receipts = STEP * replies, STEP * receipts
    return (replies, receipts) == after


def make_segment(
    header: SegmentHeader, replies: list[bytes], receipts: list[bytes], signing_seed: bytes
) -> bytes:
    """Sign one segment, always full (segment 1)."""
    if len(replies) != header.replies or len(receipts) != header.receipts:
        raise ValueError("a segment is always full")
    body = header.encode() + b"".join(replies) + b"".join(receipts)
    return body + sign.sign(signing_seed, "segment", body)


def parse_segment(data: bytes) -> SignedSegment:
    """Read a segment, or Refused (segment 3.1, 3.2)."""
    if len(data) < SEGMENT_HEADER:
        raise Refused("segment 3.1", "A board segment has the wrong length")
    if data[0] != VERSION or data[1]:
        raise Refused("segment 3.2", "A board segment's version is unknown")
    replies, receipts = int.from_bytes(data[12:14]), int.from_bytes(data[14:16])
    if len(data) != segment_size(replies, receipts):
        raise Refused("segment 3.1", "A board segment has the wrong length")
    header = SegmentHeader(
        record=int.from_bytes(data[2:4]), number=int.from_bytes(data[4:8]),
        period=int.from_bytes(data[8:12]), replies=replies, receipts=receipts,
        previous=data[16:48], drop_head=data[48:80], record_hash=data[80:112],
    )  # fmt: skip
    at = SEGMENT_HEADER + replies * REPLY_SLOT
    return SignedSegment(
        header=header,
        replies=tuple(data[i : i + REPLY_SLOT] for i in range(SEGMENT_HEADER, at, REPLY_SLOT)),
        receipts=parse_receipts(data[at:-SIGNATURE]),
        signature=data[-SIGNATURE:], signed=data[:-SIGNATURE], hash=sha256(data),
    )  # fmt: skip


def make_head(
    newest: SignedSegment, first: int, signing_seed: bytes, under: tuple[int, bytes] | None = None
) -> bytes:
    """Sign the head that names the newest segment: HEAD bytes (segment 2).

    `under` is the number and hash of the record in force, when the segment is from before it.
    """
    h = newest.header
    record, record_hash = under or (h.record, h.record_hash)
    numbers = record.to_bytes(2) + h.number.to_bytes(4) + h.period.to_bytes(4)
    body = (
        bytes([VERSION, 0]) + numbers + first.to_bytes(4)
        + newest.hash + h.drop_head + record_hash
    )  # fmt: skip
    return body + sign.sign(signing_seed, "head", body)


def parse_head(data: bytes) -> SignedHead:
    """Read a head, or Refused (segment 3.1, 3.2)."""
    if len(data) != HEAD:
        raise Refused("segment 3.1", "The board's head has the wrong length")
    if data[0] != VERSION or data[1]:
        raise Refused("segment 3.2", "The board's head has an unknown version")
    hashes = [data[i : i + HASH] for i in (16, 48, 80)]
    return SignedHead(
        record=int.from_bytes(data[2:4]), number=int.from_bytes(data[4:8]),
        period=int.from_bytes(data[8:12]), first=int.from_bytes(data[12:16]),
        segment_hash=hashes[0], drop_head=hashes[1], record_hash=hashes[2],
        signature=data[-SIGNATURE:], signed=data[:-SIGNATURE],
    )  # fmt: skip
