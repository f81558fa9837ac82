"""What the next board segment holds: its share of the day's batch, or noise. Spec: segment.md.

The server is blind: it cannot tell real slots from filler, and a day without a batch looks the
same. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wallflower.errors import Fault, Refused
from wallflower.trust.record import EpochRecord
from wallflower.wire.receipt import receipt
from wallflower.wire.reply import seal_part
from wallflower.wire.segment import SegmentHeader, SignedSegment
from wallflower.wire.sizes import DAY_S, HASH, RECEIPT, REPLY_SALT, REPLY_SLOT

_HIGHEST = 2**32 - 1  # number that a header holds


@dataclass(frozen=True, slots=True)
class Batch:
    """A day's slots and receipts as the desk handed them in, already shuffled."""

    day: int
    replies: tuple[bytes, ...]
    receipts: tuple[bytes, ...]


def periods_of_day(record: EpochRecord) -> int:
    """How many segments a day has."""
    return DAY_S // record.body.parameters.period


def parse_batch(data: bytes, record: EpochRecord) -> Batch:
    """Read a day-batch, or Refused (board 2). Its size is constant for a record's parameters."""
    p, periods = record.body.parameters, periods_of_day(record)
    slots, receipts = periods * p.replies, periods * p.receipts
    if len(data) != 4 + slots * REPLY_SLOT + receipts * RECEIPT:
        raise Refused("board 2", "A day-batch has the wrong length")
    at = 4 + slots * REPLY_SLOT
    return Batch(
        int.from_bytes(data[:4]),
        tuple(data[i : i + REPLY_SLOT] for i in range(4, at, REPLY_SLOT)),
        tuple(data[i : i + RECEIPT] for i in range(at, len(data), RECEIPT)),
    )


def slots_of_period(
    batch: Batch | None, period: int, record: EpochRecord, draw: Callable[[int], bytes]
) -> tuple[list[bytes], list[bytes]]:
    """The reply slots and receipts of one period; without a batch, filler by the real door."""
    p, index = record.body.parameters, period % periods_of_day(record)
    if batch is None:
        replies = [seal_part(draw(HASH), 0, draw(REPLY_SALT), 1, 1, b"") for _ in range(p.replies)]
        return replies, [receipt(draw(HASH), 0) for _ in range(p.receipts)]
    replies = list(batch.replies[index * p.replies : (index + 1) * p.replies])
    return replies, list(batch.receipts[index * p.receipts : (index + 1) * p.receipts])


def next_header(
    newest: SignedSegment | None, period: int, record: EpochRecord, drop_head: bytes
) -> SegmentHeader:
    """The header of the segment after `newest` (segment 1.3); a Fault where none can come after."""
    if newest and newest.header.number == _HIGHEST:
        raise Fault(
            "The newest segment in data/board has the highest number there is, so none can follow",
            "Whoever made it had the board's key. Move data/board away, and replace board.key: see"
            " the handbook, Alarms.",
        )
    p = record.body.parameters
    return SegmentHeader(
        record=record.number, number=newest.header.number + 1 if newest else 1, period=period,
        replies=p.replies, receipts=p.receipts, previous=newest.hash if newest else bytes(HASH),
        drop_head=drop_head or bytes(HASH), record_hash=record.hash,
    )  # fmt: skip
