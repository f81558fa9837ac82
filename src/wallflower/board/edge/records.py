"""The organisation's online signer: gathers offers, drafts, completes and revokes records."""

from __future__ import annotations

from wallflower.board.alarms import Ahead
from wallflower.board.compose import DeskKeys, Fixed, compose, parse_desk_keys
from wallflower.board.withdrawn import (
    Withdrawn,
    may_be_handed_out,
    next_number,
    parse_withdrawn,
    revoking,
    standing,
    withdrawn_on,
)
from wallflower.crypto import sign
from wallflower.crypto.derive import sha256
from wallflower.errors import Fault, Refused
from wallflower.host import Host
from wallflower.host.clock import day_of
from wallflower.trust.ahead import AHEAD, days_ahead, first_without
from wallflower.trust.pins import Pins
from wallflower.trust.record import EpochRecord, verified, verify_record
from wallflower.wire.offer import Offer, verify_offer
from wallflower.wire.record import RecordBody, parse_body
from wallflower.wire.segment import STEP, grew
from wallflower.wire.sizes import HASH, SIGNATURE
from wallflower.wire.withdrawal import Withdrawal, verify_withdrawal

_MOST_AHEAD = 8  # offers and withdrawals of later numbers are not kept
# Numbers that withdrawals of a mix pass over before a record is finished; one more for each day of
# that, up to twice as many, since a mix that cannot withdraw what it lost makes no offer.
_MOST_PASSED = 16
# Days around today for which a desk's keys are kept; a desk hands in those of five. A revocation
# names all that are here, and no desk reads a list of more than 1,024 hashes.
_MOST_DESK_DAYS = 64
REVOCATIONS = ("hops", "drop", "desk")
REQUEST = "revoke"  # the file by which an operator asks for a revocation
_DONE = "done-"  # the day on which one was carried out


class Records:
    """Offers, desk keys, drafts and finished records; the files are the state."""

    def __init__(self, host: Host, pins: Pins, fixed: Fixed, record_seed: bytes) -> None:
        self._host = host
        self._disk = host.disk
        self._files = host.disk.folder("records")
        self._pins = pins
        self._fixed = fixed
        self._seed = record_seed
        self._offers: dict[tuple[str, int], Offer] = {}
        self._desk: dict[int, DeskKeys] = {}
        self._drafts: dict[int, RecordBody] = {}
        self._signatures: dict[tuple[str, int], bytes] = {}
        self._records: dict[int, EpochRecord] = {}
        self._withdrawn: list[Withdrawn] = []
        self._passed = {"a": 0, "b": 0}  # since the last record; in memory only
        self._finished = day_of(host.clock.now())  # the last record, or this process began
        self.request_unread = False
        for name in self._files.names():
            try:
                self._load(name, self._files.read(name) or b"")
            except (ValueError, Refused):
                raise Fault(
                    f"The file data/records/{name} cannot be read",
                    "Put A's or B's of that name in its place; if neither has one, nobody signed"
                    " it: move it away.",
                ) from None
        self._check_step()
        self._revoked = _hashes(self._files.read("revoked") or b"")
        self._pending = (self._files.read("pending") or b"").decode("ascii")

    def _load(self, name: str, data: bytes) -> None:
        kind, _, number = name.partition("-")
        if kind == "draft":
            self._drafts[int(number)] = parse_body(data)
        elif kind == "record":
            record = verified(data, self._pins)
            if record is not None:
                self._records[record.number] = record
        elif kind == "desk":
            self._desk[int(number)] = parse_desk_keys(data)[0]
        elif kind == "withdrawn":
            self._withdrawn.append(parse_withdrawn(data))

    def _check_step(self) -> None:
        """Refuse a configuration that mixes would not sign: a draft is for ever (record 5.2)."""
        if not self._drafts:
            return
        last, new = self._drafts[max(self._drafts)].parameters, self._fixed.parameters
        if not grew((last.replies, last.receipts), (new.replies, new.receipts)):
            raise Fault(
                "The configuration changes the board's size by no step",
                f"Write replies = {last.replies} and receipts = {last.receipts} as before, "
                f"or {STEP} times as many of both.",
            )
        if (last.tick, last.period) != (new.tick, new.period):
            raise Fault(
                "The configuration changes the tick or the board's period",
                f"Write tick = {last.tick} and period = {last.period} as before: "
                "by them ticks and segments are counted for ever.",
            )

    def in_force(self, now: float) -> EpochRecord | None:
        """Today's record: the newest that stands; until it is replaced, the one that was in use.

        One of an earlier day is in force, too, but soon takes no hum any more (hum 1.7).
        """
        good = [
            r for r in self._records.values()
            if r.in_force(now) and may_be_handed_out(r.body, self._withdrawn)
        ]  # fmt: skip
        stands = standing({r.number: r.body for r in good}, self._withdrawn)
        return max(good, key=lambda r: (r.body.day, r.number in stands, r.number), default=None)

    def raw(self, number: int) -> bytes | None:
        """A finished record's bytes. One that is over, and whose signer's key was replaced since,
        is not signed anew: it is shown as it was, since its hash is among the ancestors of those
        after it (record 5.6)."""
        record, draft = self._records.get(number), self._drafts.get(number)
        if record is not None:
            return record.raw
        if draft is None or draft.not_after > self._host.clock.now():
            return None
        return self._files.read(f"record-{number}")

    def draft(self, number: int) -> bytes | None:
        """A draft's bytes."""
        body = self._drafts.get(number)
        return body.encode() if body else None

    def next_number(self) -> int:
        """The number that offers are wanted for."""
        return next_number(self._drafts, self._withdrawn)

    def _signed_days(self) -> set[int]:
        bodies = {n: r.body for n, r in self._records.items()}
        return {body.day for body in standing(bodies, self._withdrawn).values()}

    def days_ahead(self, now: float) -> int:
        """How many days after today have a finished record that stands, without a hole; negative
        where today has none."""
        return days_ahead(self._signed_days(), day_of(now))

    def ahead(self) -> Ahead:
        """What there is for the coming days, for `board.alarms`."""
        stands, number = standing(self._drafts, self._withdrawn), self.next_number()
        return Ahead(
            signed=self._signed_days(),
            unsigned=[
                (p.upper(), body.day) for n, body in stands.items() for p in "ab"
                if n not in self._records and (p, n) not in self._signatures
            ],
            offers_missing=[p.upper() for p in "ab" if (p, number) not in self._offers],
            desk_days=[day for day, keys in self._desk.items() if not self._is_revoked(keys)],
            desk_must_renew=bool(self._pending),
        )  # fmt: skip

    def take_offer(self, position: str, data: bytes) -> None:
        """Keep a mix's offer, or Refused (record 5.1). The first one for a number stays."""
        key = self._pins.a if position == "a" else self._pins.b
        offer = verify_offer(data, key, with_drop=position == "b")
        if self.next_number() <= offer.number < self.next_number() + _MOST_AHEAD:
            self._offers.setdefault((position, offer.number), offer)
            self.advance()

    def take_signature(self, position: str, data: bytes) -> None:
        """Keep a mix's signature over a draft; with both, the record is finished."""
        number, signature = int.from_bytes(data[:2]), data[2:]
        body = self._drafts.get(number)
        key = self._pins.a if position == "a" else self._pins.b
        if body is None or len(signature) != SIGNATURE:
            raise Refused("record 5.1", "A signature belongs to no draft")
        draft = body.encode()
        try:
            sign.verify(key, "record", draft, signature)
        except sign.BadSignature:
            raise Refused("record 2.8", "A mix's signature is not valid") from None
        self._signatures[(position, number)] = signature
        self._finish(number, draft)

    def take_withdrawal(self, position: str, data: bytes) -> None:
        """Skip the numbers that a mix cannot stand for (record 6.1, 6.2)."""
        key = self._pins.a if position == "a" else self._pins.b
        what = verify_withdrawal(data, key)
        if what.last >= self.next_number() + _MOST_AHEAD:
            raise Refused("record 6.1", "A withdrawal reaches too far ahead")
        numbers = range(what.first, what.last + 1)
        if all(withdrawn_on(n, self._withdrawn) is not None for n in numbers):
            return  # it says nothing new, and there are more such ranges than a disk has room for
        passed = self._passed[position] + max(0, what.last + 1 - self.next_number())
        days = max(0, day_of(self._host.clock.now()) - self._finished)
        if passed > _MOST_PASSED + min(days, _MOST_PASSED):
            raise Refused("record 6.1", "A mix withdraws more numbers than it ever needs")
        self._withdraw(what)
        self._passed[position] = passed
        self.advance()

    def _withdraw(self, what: Withdrawal) -> None:
        one = Withdrawn(what, day_of(self._host.clock.now()))
        self._files.write(f"withdrawn-{what.first}-{what.last}", one.encode())
        self._withdrawn.append(one)

    def take_desk_keys(self, data: bytes) -> None:
        """Keep the desk's public keys; the first ones for a day stay, unless they were revoked.

        Raises Refused for a list with a day that no desk means whose clock is right: who had its
        token for a moment could else hand in keys of years, and no revocation would end.
        """
        found, today = parse_desk_keys(data), day_of(self._host.clock.now())
        if any(abs(keys.day - today) > _MOST_DESK_DAYS for keys in found):
            raise Refused("board 1", "The desk's key list names a day that is far from today")
        size = len(data) // len(found)
        for at in range(0, len(data), size):
            keys = parse_desk_keys(data[at : at + size])[0]
            kept = self._desk.get(keys.day)
            if kept is None or (self._is_revoked(kept) and not self._is_revoked(keys)):
                self._files.write(f"desk-{keys.day}", data[at : at + size])
                self._desk[keys.day] = keys
        self.advance()

    def _is_revoked(self, keys: DeskKeys) -> bool:
        return not self._revoked.isdisjoint((sha256(keys.drop.raw), sha256(keys.desk.raw)))

    def revoked(self) -> bytes:
        """The hashes of the desk's revoked keys, for the desk to renew them (record 6.3)."""
        return b"".join(sorted(self._revoked))

    def take_request(self) -> None:
        """Begin what an operator asked for with `wallflower revoke` (record 6.3). A request that
        only another user may read stops nothing else: it rings."""
        self._revoke_again()
        try:
            asked = self._disk.read(REQUEST)
        except PermissionError:
            self.request_unread = True
            return
        self.request_unread = False
        if asked is None:
            return
        self.revoke(frozenset(asked.decode("ascii", "replace").split()) & frozenset(REVOCATIONS))
        if self._disk.read(REQUEST) == asked:  # else more was asked for meanwhile
            self._disk.remove(REQUEST)

    def _revoke_again(self) -> None:
        """Do once more what was done by a clock that was ahead: it reached no earlier day."""
        today = day_of(self._host.clock.now())
        if today not in self._desk:  # a clock that lost its time is behind whatever was right
            return
        done = {word: self._files.read(f"{_DONE}{word}") or b"0" for word in REVOCATIONS}
        again = frozenset(word for word, day in done.items() if int(day) > today)
        if again:
            self.revoke(again)

    def revoke(self, what: frozenset[str]) -> None:
        """Have the keys of today and of all days ahead replaced by the next number.

        Hop keys at once; drop and desk keys as soon as the desk has handed in others.
        """
        if "hops" in what:
            self._replace(letters_too=False)
        if what & {"drop", "desk"}:
            self._name_keys(what)
        for word in what:  # not before: a full disk must not end what still has to be done
            self._files.write(f"{_DONE}{word}", b"%d" % day_of(self._host.clock.now()))

    def _name_keys(self, what: frozenset[str]) -> None:
        # No more than a desk reads, by a clock of 1970 either: else no revocation would end.
        first = max(self._desk, default=0) - 2 * _MOST_DESK_DAYS
        today = max(first, day_of(self._host.clock.now()))
        for keys in (keys for day, keys in self._desk.items() if day >= today):
            self._revoked |= {sha256(keys.drop.raw)} if "drop" in what else set()
            self._revoked |= {sha256(keys.desk.raw)} if "desk" in what else set()
        self._files.write("revoked", self.revoked())
        pending = "desk" if "desk" in {*what, self._pending} else "drop"
        self._files.write("pending", pending.encode("ascii"))
        self._pending = pending

    def _replace(self, *, letters_too: bool) -> None:
        offered = max((number for _, number in self._offers), default=0)
        today = day_of(self._host.clock.now())
        self._withdraw(
            revoking(self._drafts, self._withdrawn, offered, today, letters_too=letters_too)
        )

    def advance(self) -> None:
        """Draft every record that can be drafted, up to AHEAD days from today."""
        today = day_of(self._host.clock.now())
        desk = self._desk.get(today)
        if self._pending and desk is not None and not self._is_revoked(desk):
            self._replace(letters_too=self._pending == "desk")
            self._pending = ""  # not before: a full disk must not end what still has to be done
            self._files.remove("pending")
        while self._draft_next(today):
            pass

    def _draft_next(self, today: int) -> bool:
        number = self.next_number()
        stands = standing(self._drafts, self._withdrawn)
        # Not the one after the last: whoever had a mix's key may have withdrawn a day before that.
        day = first_without({body.day for body in stands.values()}, today)
        a, b = self._offers.get(("a", number)), self._offers.get(("b", number))
        desk = self._desk.get(day)
        if day > today + AHEAD or a is None or b is None or desk is None or self._is_revoked(desk):
            return False
        before = self._drafts[max(self._drafts)] if self._drafts else None
        body = compose(before, day, a, b, desk, self._fixed)
        self._files.write(f"draft-{number}", body.encode())
        self._drafts[number] = body
        return True

    def _finish(self, number: int, draft: bytes) -> None:
        a, b = (self._signatures.get((p, number)) for p in "ab")
        if number in self._records or a is None or b is None:
            return
        raw = draft + sign.sign(self._seed, "record", draft) + a + b
        record = verify_record(raw, self._pins)
        if not self._make_way(record.body):
            return
        self._files.write(f"record-{number}", raw)
        self._records[number] = record
        self._passed = dict.fromkeys(self._passed, 0)
        self._finished = day_of(self._host.clock.now())

    def _make_way(self, body: RecordBody) -> bool:
        """Withdraw the days behind this one that have lower numbers, which may be signed: numbers
        rise with days, since who saw this one believes no lower one when it is over (2.12).

        Not at the draft: by a clock that is behind that may be of a day that passed without any,
        and today's record would be withdrawn for it. A and B sign none of those (5.4). False for
        one that is over all the same, where others are in use already.
        """
        stands = standing(self._drafts, self._withdrawn)
        later = [n for n, b in stands.items() if b.day > body.day and n < body.number]
        if later and body.day < day_of(self._host.clock.now()):
            return False
        for number in later:
            self._withdraw(Withdrawal(number, number))
        return True


def _hashes(data: bytes) -> set[bytes]:
    return {data[at : at + HASH] for at in range(0, len(data), HASH)}
