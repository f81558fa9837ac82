"""The receipt: sixteen bytes that say the desk opened a letter. Spec: receipt.md."""

from __future__ import annotations

from wallflower.crypto.derive import mac16
from wallflower.errors import Refused
from wallflower.wire.sizes import MARKS, RECEIPT


def receipt(e: bytes, mark: int) -> bytes:
    """The receipt of the letter with this mark under e_w (receipt 1). A filler has a random e."""
    if not 0 <= mark < MARKS:
        raise ValueError("a mark is below MARKS")
    return mac16(e, b"receipt" + mark.to_bytes(1))


def parse_receipts(data: bytes) -> tuple[bytes, ...]:
    """Cut a segment's receipt array, or Refused (receipt 4)."""
    if len(data) % RECEIPT:
        raise Refused("receipt 4", "A list of receipts has the wrong length")
    return tuple(data[i : i + RECEIPT] for i in range(0, len(data), RECEIPT))


def find_receipts(e_by_week: dict[int, bytes], seen: frozenset[bytes]) -> set[tuple[int, int]]:
    """The (week, mark) of every receipt on the board that belongs to these words (receipt 2)."""
    return {
        (week, mark)
        for week, e in e_by_week.items()
        for mark in range(MARKS)
        if receipt(e, mark) in seen
    }
