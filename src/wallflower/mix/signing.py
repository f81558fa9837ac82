"""What a mix asks of a draft before it signs it. Spec: record.md 5.2-5.4."""

from __future__ import annotations

from collections.abc import Mapping

from wallflower.errors import Refused
from wallflower.host.clock import day_of
from wallflower.trust.pins import Pins
from wallflower.wire.offer import Offer
from wallflower.wire.record import RecordBody
from wallflower.wire.segment import grew
from wallflower.wire.sizes import HASH

EARLY_S = 3600  # clocks may differ by so much
MOST_OF_A_DAY = 6
_NEXT = "It is not signed; ask the organisation why its draft differs."
Signed = Mapping[int, RecordBody]  # the one body that this mix signed of each number


def check_draft(
    body: RecordBody, signed: Signed, offer: Offer, position: str, pins: Pins, now: float
) -> None:
    """Refuse to sign a draft that is not what this mix knows (record 5.2-5.4)."""
    own = body.hop_a if position == "a" else body.hop_b
    same_key = own.raw == offer.hop.raw
    same_drop = position == "a" or body.drop_verify == offer.drop_verify
    if body.number != offer.number or not same_key or not same_drop:
        raise Refused("record 5.2", "A draft holds another key than this mix offered", _NEXT)
    if body.root != pins.root:
        raise Refused("record 5.2", "A draft belongs to another organisation", _NEXT)
    _check_number(body, signed)
    _check_chain(body, signed)
    _check_board(body, signed)
    _check_lengths(body, signed)
    _check_day(body, signed, now)


def names(body: RecordBody, number: int) -> bool:
    """Whether something was drafted for an earlier number, by the ancestors of this body (record
    6.2). What lies further back than these is not known, and counts as not drafted."""
    place = body.number - 1 - number
    return 0 <= place < len(body.ancestors) and body.ancestors[place] != bytes(HASH)


def _check_number(body: RecordBody, signed: Signed) -> None:
    """One body a number, ever; and none below one that was signed, which forgot it (5.3)."""
    if body.number <= max(signed, default=0):
        raise Refused("record 5.3", "A number that has passed is drafted again", _NEXT)


def _check_chain(body: RecordBody, signed: Signed) -> None:
    """Every number that was signed here stands in its place among the ancestors.

    Absent on purpose: what stands in the place of a number that we did not sign. Without our
    signature it is no record, and its hash names nobody.
    """
    for place, ancestor in enumerate(body.ancestors):
        number = body.number - 1 - place
        known = signed.get(number)
        expected = known.hash() if known else bytes(HASH) if number < 1 else ancestor
        if ancestor != expected:
            raise Refused("record 5.2", "A draft does not continue the record before", _NEXT)


def _check_board(body: RecordBody, signed: Signed) -> None:
    """The board's sizes are those of the last body signed, or a step more (segment 4)."""
    last = signed[max(signed)] if signed else body
    if not grew(_board(last), _board(body)):
        raise Refused("record 5.2", "A draft's board is no step after the one before", _NEXT)


def _board(body: RecordBody) -> tuple[int, int]:
    return body.parameters.replies, body.parameters.receipts


def _check_lengths(body: RecordBody, signed: Signed) -> None:
    """Ticks and periods are numbered from 1970 by their length: with a longer one the numbers
    would go back, and no tick and no segment come for decades."""
    last = signed[max(signed)] if signed else body
    if _lengths(last) != _lengths(body):
        raise Refused("record 5.2", "A draft changes the tick or the board's period", _NEXT)


def _lengths(body: RecordBody) -> tuple[int, int]:
    return body.parameters.tick, body.parameters.period


def _check_day(body: RecordBody, signed: Signed, now: float) -> None:
    """A draft is for a later day than the last one, or it is a revocation of today or later.

    B sees under which record a hum was made. An organisation that could have a new record every
    tick would learn through B when each letter was sent; so a day has few (record 5.4).
    """
    last = signed[max(signed)] if signed else None
    if last is None or body.day > last.day:
        return
    if body.day < day_of(now - EARLY_S):
        raise Refused("record 5.4", "A draft goes back behind today", _NEXT)
    if sum(b.day == body.day for b in signed.values()) >= MOST_OF_A_DAY:
        raise Refused("record 5.4", "A day has too many records already", "Wait for the next day.")
