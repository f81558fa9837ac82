"""Which drop may be believed: signature, size and chain. Spec: drop.md 2.1-2.4."""

from __future__ import annotations

from wallflower.crypto import sign
from wallflower.errors import Refused
from wallflower.trust.record import EpochRecord
from wallflower.wire.drop import SignedDrop


def verify_drop(
    drop: SignedDrop, record: EpochRecord, last_number: int, last_hash: bytes
) -> SignedDrop:
    """Refuse what is not the next drop of B's chain under this record (drop 2.1, 2.3, 2.4)."""
    if drop.header.record != record.number or drop.header.slots != record.body.parameters.slots:
        raise Refused("drop 2.1", "A drop does not have the size of its record")
    try:
        sign.verify(record.body.drop_verify, "drop", drop.signed, drop.signature)
    except sign.BadSignature:
        raise Refused("drop 2.3", "A drop's signature is not valid") from None
    if drop.header.number != last_number + 1 or drop.header.previous != last_hash:
        raise Refused("drop 2.4", "A drop does not continue the one before", "Ask operator B.")
    return drop
