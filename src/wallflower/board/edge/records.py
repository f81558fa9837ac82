"""The organisation's online signer: gathers offers, drafts, and completes records."""

from __future__ import annotations

from wallflower.board.compose import DeskKeys, Fixed, compose, next_day, parse_desk_keys
from wallflower.crypto import sign
from wallflower.errors import Fault, Refused
from wallflower.host import Host
from wallflower.host.clock import day_of
from wallflower.trust.pins import Pins
from wallflower.trust.record import EpochRecord, verify_record
from wallflower.wire.offer import Offer, verify_offer
from wallflower.wire.record import RecordBody, parse_body
from wallflower.wire.segment import STEP, grew
from wallflower.wire.sizes import SIGNATURE

AHEAD = 3  # days (DESIGN 4)
_MOST_AHEAD = 8  # offers for later numbers are not kept


class Records:
    """Offers, desk keys, drafts and finished records; the files are the state."""

    def __init__(self, host: Host, pins: Pins, fixed: Fixed, record_seed: bytes) -> None:
        self._host = host
        self._files = host.disk.folder("records")
        self._pins = pins
        self._fixed = fixed
        self._seed = record_seed
        self._offers: dict[tuple[str, int], Offer] = {}
        self._desk: dict[int, DeskKeys] = {}
        self._drafts: dict[int, bytes] = {}
        self._signatures: dict[tuple[str, int], bytes] = {}
        self._records: dict[int, EpochRecord] = {}
        for name in self._files.names():
            self._load(name, self._files.read(name) or b"")
        self._check_step()

    def _load(self, name: str, data: bytes) -> None:
        kind, _, number = name.partition("-")
        if kind == "draft":
            self._drafts[int(number)] = data
        elif kind == "record":
            self._records[int(number)] = verify_record(data, self._pins)
        elif kind == "desk":
            self._desk[int(number)] = parse_desk_keys(data)[0]

    def _check_step(self) -> None:
        """Refuse a configuration that mixes would not sign: a draft is for ever (record 5.2)."""
        if not self._drafts:
            return
        last, new = parse_body(self._drafts[max(self._drafts)]).parameters, self._fixed.parameters
        if not grew((last.replies, last.receipts), (new.replies, new.receipts)):
            raise Fault(
                "The configuration changes the board's size by no step",
                f"Write replies = {last.replies} and receipts = {last.receipts} as before, "
                f"or {STEP} times as many of both.",
            )

    def in_force(self, now: float) -> EpochRecord | None:
        """The newest record in force, or None."""
        good = [r for r in self._records.values() if r.in_force(now)]
        return max(good, key=lambda r: r.number, default=None)

    def raw(self, number: int) -> bytes | None:
        """A finished record's bytes."""
        record = self._records.get(number)
        return record.raw if record else None

    def draft(self, number: int) -> bytes | None:
        """A draft's bytes."""
        return self._drafts.get(number)

    def days_ahead(self, now: float) -> int:
        """How many days from today have a finished record: an alarm below two."""
        return max((r.body.day for r in self._records.values()), default=0) - day_of(now)

    def take_offer(self, position: str, data: bytes) -> None:
        """Keep a mix's offer, or Refused (record 5.1). The first one for a number stays."""
        key = self._pins.a if position == "a" else self._pins.b
        offer = verify_offer(data, key, with_drop=position == "b")
        last = max(self._drafts, default=0)
        if last < offer.number <= last + _MOST_AHEAD:
            self._offers.setdefault((position, offer.number), offer)
            self.advance()

    def take_signature(self, position: str, data: bytes) -> None:
        """Keep a mix's signature over a draft; with both, the record is finished."""
        number, signature = int.from_bytes(data[:2]), data[2:]
        draft = self._drafts.get(number)
        key = self._pins.a if position == "a" else self._pins.b
        if draft is None or len(signature) != SIGNATURE:
            raise Refused("record 5.1", "A signature belongs to no draft")
        try:
            sign.verify(key, "record", draft, signature)
        except sign.BadSignature:
            raise Refused("record 2.8", "A mix's signature is not valid") from None
        self._signatures[(position, number)] = signature
        self._finish(number, draft)

    def take_desk_keys(self, data: bytes) -> None:
        """Keep the desk's public keys; the first ones for a day stay."""
        size = len(data) // max(1, len(parse_desk_keys(data)))
        for at in range(0, len(data), size):
            keys = parse_desk_keys(data[at : at + size])[0]
            if keys.day not in self._desk:
                self._files.write(f"desk-{keys.day}", data[at : at + size])
                self._desk[keys.day] = keys
        self.advance()

    def advance(self) -> None:
        """Draft every record that can be drafted, up to AHEAD days from today."""
        today = day_of(self._host.clock.now())
        while True:
            last = max(self._drafts, default=0)
            before = parse_body(self._drafts[last]) if last else None
            day, number = next_day(before, today), last + 1
            a, b = self._offers.get(("a", number)), self._offers.get(("b", number))
            desk = self._desk.get(day)
            if day > today + AHEAD or a is None or b is None or desk is None:
                return
            self._draft(compose(before, day, a, b, desk, self._fixed))

    def _draft(self, body: RecordBody) -> None:
        data = body.encode()
        self._files.write(f"draft-{body.number}", data)
        self._drafts[body.number] = data

    def _finish(self, number: int, draft: bytes) -> None:
        a, b = (self._signatures.get((p, number)) for p in "ab")
        if number in self._records or a is None or b is None:
            return
        raw = draft + sign.sign(self._seed, "record", draft) + a + b
        record = verify_record(raw, self._pins)
        self._files.write(f"record-{number}", raw)
        self._records[number] = record
