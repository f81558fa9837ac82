"""What a mix asks of a draft before it signs it. Spec: record.md 5.2, 5.3."""

from __future__ import annotations

from wallflower.errors import Refused
from wallflower.trust.pins import Pins
from wallflower.trust.record import ancestors_after
from wallflower.wire.offer import Offer
from wallflower.wire.record import RecordBody
from wallflower.wire.segment import grew

_NEXT = "It is not signed; ask the organisation why its draft differs."


def check_draft(
    body: RecordBody, before: RecordBody | None, offer: Offer, position: str, pins: Pins
) -> None:
    """Refuse to sign a draft that is not what this mix knows (record 5.2)."""
    own = body.hop_a if position == "a" else body.hop_b
    same_key = own.raw == offer.hop.raw
    same_drop = position == "a" or body.drop_verify == offer.drop_verify
    if body.number != offer.number or not same_key or not same_drop:
        raise Refused("record 5.2", "A draft holds another key than this mix offered", _NEXT)
    if body.root != pins.root:
        raise Refused("record 5.2", "A draft belongs to another organisation", _NEXT)
    if before is not None and not grew(_board(before), _board(body)):
        raise Refused("record 5.2", "A draft's board is no step after the one before", _NEXT)
    later = before is None or body.not_before > before.not_before
    if body.ancestors != ancestors_after(before) or not later:
        raise Refused("record 5.2", "A draft does not continue the record before", _NEXT)


def _board(body: RecordBody) -> tuple[int, int]:
    return body.parameters.replies, body.parameters.receipts
