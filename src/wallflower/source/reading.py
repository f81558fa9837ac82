"""What the board holds for who knows the words: replies, receipts. Spec: reply 2, receipt 2."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wallflower.crypto.derive import epoch_secret
from wallflower.errors import Refused
from wallflower.wire.receipt import find_receipts
from wallflower.wire.reply import Part, Reply, join_parts, open_part, reply_table
from wallflower.wire.segment import SignedSegment
from wallflower.wire.sizes import REPLY_TAG, REPLY_WEEKS


@dataclass(frozen=True, slots=True)
class Found:
    """Everything on the board for one set of words."""

    replies: list[Reply]
    receipts: set[tuple[int, int]]


def read_board(secret: bytes, segments: Iterable[SignedSegment], week: int) -> Found:
    """Look up every slot in the table of the last weeks; one that does not open is passed over."""
    weeks = range(max(0, week - REPLY_WEEKS + 1), week + 1)
    e_by_week = {w: epoch_secret(secret, w) for w in weeks}
    table = reply_table(e_by_week)
    parts: list[Part] = []
    receipts: set[bytes] = set()
    for segment in segments:
        receipts.update(segment.receipts)
        for slot in segment.replies:
            place = table.get(slot[:REPLY_TAG])
            if place is None:
                continue
            try:
                parts.append(open_part(e_by_week[place[0]], *place, slot))
            except Refused:
                continue
    return Found(join_parts(parts), find_receipts(e_by_week, frozenset(receipts)))
