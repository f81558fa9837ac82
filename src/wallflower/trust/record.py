"""Which epoch record may be believed. Spec: record.md 2.8-2.11.

`EpochRecord` is made here and nowhere else; code that acts takes an `EpochRecord`.
"""

from __future__ import annotations

from dataclasses import dataclass

from wallflower.crypto import sign
from wallflower.errors import Refused
from wallflower.trust.pins import Pins
from wallflower.wire.record import DeskEntry, RecordBody, SignedRecord, parse_record
from wallflower.wire.sizes import ANCESTORS, HASH, LAST_HUM_S

_STALE = "Wait for the next record; if this stays, the clock or the bundle may be old."


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """A record with three good signatures under the pinned keys."""

    body: RecordBody
    hash: bytes
    raw: bytes

    @property
    def number(self) -> int:
        """The record's number."""
        return self.body.number

    def in_force(self, now: float) -> bool:
        """Whether record time `now` is within the record's times (record 2.10)."""
        return self.body.not_before <= now < self.body.not_after

    def is_ancestor(self, record_hash: bytes) -> bool:
        """Whether this hash is the record's own or among its ancestors (hum 1.6).

        Zeros fill the places of ancestors that never were, and name nobody.
        """
        known = record_hash == self.hash or record_hash in self.body.ancestors
        return known and record_hash != bytes(HASH)

    def desk(self, name: str) -> DeskEntry:
        """The newest entry of one desk, or Refused (record 2.5)."""
        entries = [entry for entry in self.body.desks if entry.name == name]
        if not entries:
            raise Refused("record 2.5", "The record has no entry for this desk", _STALE)
        return max(entries, key=lambda entry: entry.week)


def verify_record(data: bytes, pins: Pins) -> EpochRecord:
    """Parse and verify a record: root and all three signatures (record 2.1-2.9)."""
    signed = parse_record(data)
    if signed.body.root != pins.root:
        raise Refused("record 2.9", "A record belongs to another organisation")
    _verify_signatures(signed, pins)
    return EpochRecord(signed.body, signed.body.hash(), data)


def verified(data: bytes, pins: Pins) -> EpochRecord | None:
    """A record, or None for one that does not verify and is as good as absent, such as one that was
    kept from before a signer's key was replaced (record 5.6)."""
    try:
        return verify_record(data, pins)
    except Refused:
        return None


def ancestor_of(newer: EpochRecord, data: bytes) -> EpochRecord | None:
    """The record of these bytes, if its hash stands in its place among the ancestors of one that
    was verified; whose signatures it bears is not asked, since a signer's key may have been
    replaced (record 5.6). Absent on purpose: that all three ever signed it. An ancestor was drafted
    and perhaps withdrawn, so nothing but an old drop or segment may be read by it."""
    try:
        body = parse_record(data).body
    except Refused:
        return None
    gap = newer.number - body.number
    if not 1 <= gap <= ANCESTORS or newer.body.ancestors[gap - 1] != body.hash():
        return None
    return EpochRecord(body, body.hash(), data)


def _verify_signatures(signed: SignedRecord, pins: Pins) -> None:
    signers = (("organisation", pins.organisation), ("A", pins.a), ("B", pins.b))
    for (name, key), signature in zip(signers, signed.signatures, strict=True):
        try:
            sign.verify(key, "record", signed.signed, signature)
        except sign.BadSignature:
            raise Refused("record 2.8", f"A record lacks the signature of {name}") from None


def verify_in_force(record: EpochRecord, now: float) -> None:
    """Refuse a record that is not in force at record time `now` (record 2.10)."""
    if not record.in_force(now):
        raise Refused("record 2.10", "A record is not in force now", _STALE)


def verify_follows(record: EpochRecord, before: EpochRecord) -> None:
    """Refuse a record that does not continue one that is known (record 2.11)."""
    gap = record.number - before.number
    if gap < 1 or (gap <= ANCESTORS and record.body.ancestors[gap - 1] != before.hash):
        raise Refused("record 2.11", "A record does not continue the one before")


def newer_of(kept: EpochRecord | None, fetched: EpochRecord) -> EpochRecord:
    """The newer of a record that is kept here and one that was fetched, if both are of one chain.

    A mirror that lags behind is no fault, and its record is passed over: going by the number is
    what makes a revocation hold (record 2.11, 2.12).
    """
    if kept is None or kept.hash == fetched.hash:
        return fetched
    older, newer = (kept, fetched) if kept.number < fetched.number else (fetched, kept)
    verify_follows(newer, older)
    return newer


def believe(kept: EpochRecord | None, fetched: EpochRecord, now: float) -> EpochRecord:
    """The record to use at record time `now`, or Refused (record 2.10-2.12)."""
    record = newer_of(kept, fetched)
    if record is not fetched and not record.in_force(now):
        raise Refused("record 2.12", "A record is older than one that is known here", _STALE)
    verify_in_force(record, now)
    return record


def verify_hums(record: EpochRecord, now: float) -> None:
    """Refuse a record in its last two hours for a new hum (hum 1.7).

    A's key dies when the record ends; what left a moment before would be acknowledged and lost.
    """
    if now >= record.body.not_after - LAST_HUM_S:
        raise Refused("hum 1.7", "A record is about to end, too soon for a hum", _STALE)


def ancestors_after(before: RecordBody | None, number: int | None = None) -> tuple[bytes, ...]:
    """The ancestors that record `number` after `before` carries (record 1).

    Each stands in the place of its number, so that skipped numbers leave zeros.
    """
    if before is None:
        return (bytes(HASH),) * ANCESTORS
    skipped = 0 if number is None else max(0, number - before.number - 1)
    holes = (bytes(HASH),) * min(skipped, ANCESTORS)
    return (*holes, before.hash(), *before.ancestors)[:ANCESTORS]
