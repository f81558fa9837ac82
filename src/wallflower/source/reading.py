"""What the board holds for who knows the words: replies, receipts. Spec: reply 2, receipt 2."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from wallflower.crypto.derive import epoch_secret
from wallflower.errors import Refused
from wallflower.wire.receipt import find_receipts
from wallflower.wire.reply import Part, Reply, joined, open_part, reply_table, whole_runs
from wallflower.wire.segment import SignedSegment
from wallflower.wire.sizes import REPLY_TAG, REPLY_WEEKS


@dataclass(frozen=True, slots=True)
class Found:
    """Everything on the board for one set of words."""

    replies: list[Reply]
    receipts: set[tuple[int, int]]


def read_board(secret: bytes, segments: Iterable[SignedSegment], week: int) -> Found:
    """Look up every slot in the table of the last weeks; a slot or a reply that is refused is
    passed over, and hides no other (reply 2)."""
    weeks = range(max(0, week - REPLY_WEEKS + 1), week + 1)
    e_by_week = {w: epoch_secret(secret, w) for w in weeks}
    table = reply_table(e_by_week)
    parts: dict[bytes, Part] = {}  # by their slots: one that stands on the board twice is one
    receipts: set[bytes] = set()
    for segment in segments:
        receipts.update(segment.receipts)
        for slot in segment.replies:
            place = table.get(slot[:REPLY_TAG])
            if place is None:
                continue
            try:
                parts[slot] = open_part(e_by_week[place[0]], *place, slot)
            except Refused:
                continue
    replies = []
    for run in whole_runs(parts.values()):
        with suppress(Refused):
            replies.append(joined(run))
    return Found(replies, find_receipts(e_by_week, frozenset(receipts)))
