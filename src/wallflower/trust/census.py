"""Which census may be believed: that which B signed. Spec: census.md 5.4."""

from __future__ import annotations

from wallflower.crypto import sign
from wallflower.errors import Refused
from wallflower.trust.record import EpochRecord
from wallflower.wire.census import Census, parse_census


def verify_census(data: bytes, record: EpochRecord) -> Census:
    """Parse a census and check B's signature under a record (census 5)."""
    found = parse_census(data)
    try:
        sign.verify(record.body.drop_verify, "census", found.signed, found.signature)
    except sign.BadSignature:
        raise Refused("census 5.4", "A census was not signed by B") from None
    return found.census
