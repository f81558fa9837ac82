"""A mix's part in the epoch record: offers, signatures, withdrawals, and what came of them.

The mix asks and posts; nothing connects to it for this. One body is signed per number, ever:
the signed body is on the disk before its signature leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from wallflower.crypto import hpke, sign
from wallflower.errors import Refused
from wallflower.host import Host
from wallflower.host.clock import day_of
from wallflower.host.disk import Folder
from wallflower.host.net import Unreachable
from wallflower.mix.edge.hops import Hops
from wallflower.mix.signing import EARLY_S, check_draft, names
from wallflower.trust.ahead import date_of, days_ahead, uncovered
from wallflower.trust.pins import Pins
from wallflower.trust.record import EpochRecord, verified, verify_record
from wallflower.wire.offer import Offer, make_offer
from wallflower.wire.record import RecordBody, parse_body
from wallflower.wire.sizes import DAY_S, RECORD_MAX
from wallflower.wire.withdrawal import Withdrawal, make_withdrawal, parse_withdrawal

REQUEST = "revoke"  # the file by which the operator asks for new hop keys
_DONE = "revoked"  # the day on which that was carried out
# Numbers that may be passed over before we sign again: the organisation may revoke all eight desk
# keys of a week meanwhile (record 6.3, 6.4), and the other mix withdraw.
_MOST_SKIPPED = 256
_MOST_AHEAD = 8  # offers and withdrawals of later numbers are not kept by the desk server
_NUMBER = 2
LIFE_AFTER_DAY = {"a": DAY_S, "b": 2 * DAY_S}


class Records:
    """Offers, drafts, withdrawals and records of one mix, by number."""

    def __init__(
        self, host: Host, keys: Folder, pins: Pins, position: str, board: str,
        record_seed: bytes, drop_seed: bytes, erased: Callable[[], None],
    ) -> None:  # fmt: skip
        self._host = host
        self._files = host.disk.folder("records")
        self._hops = Hops(keys, self._files, host.entropy, erased)
        self._pins = pins
        self._position = position
        self._board = board
        self._record_seed = record_seed
        self._drop_verify = sign.verify_key(drop_seed) if drop_seed else b""
        self._drafts: dict[int, RecordBody] = {}
        self._records: dict[int, EpochRecord] = {}
        self._withdrawn: list[Withdrawal] = []
        self._told: set[Withdrawal] = set()
        # When drafts end that were over when they came: a new disk has hundreds before it.
        self._ends: dict[int, int] = {}
        self.refused_drafts = 0
        self.request_unread = False
        self._load()

    def _load(self) -> None:
        for name in self._files.names():
            kind, _, number = name.partition("-")
            data = self._files.read(name) or b""
            if kind == "draft":
                self._drafts[int(number)] = parse_body(data)
            elif kind == "record":
                record = verified(data, self._pins)
                if record is not None:
                    self._records[record.number] = record
            elif kind == "withdrawal":
                # Ours, under whichever key we had then: what was withdrawn stays so.
                self._withdrawn.append(parse_withdrawal(data)[0])

    def in_force(self, now: float) -> EpochRecord | None:
        """The newest record in force, or None."""
        good = [r for r in self._records.values() if r.in_force(now)]
        return max(good, key=lambda r: r.number, default=None)

    def has_finished(self) -> bool:
        """Whether a finished record is here, of whatever day."""
        return bool(self._records)

    def days_ahead(self, now: float) -> int:
        """How many days after today have a finished record, without a hole; negative where today
        has none."""
        return days_ahead({r.body.day for r in self._records.values()}, day_of(now))

    def _body(self, number: int) -> RecordBody | None:
        """A record's body, be it finished or only signed by us: one body per number, ever."""
        record = self._records.get(number)
        return record.body if record else self._drafts.get(number)

    def usable(self, number: int) -> tuple[bytes, hpke.PrivateKey] | None:
        """A record's hash and this mix's key for it, when hums made under it may be opened now.

        What we signed counts although the finished record was not fetched yet: others have it, and
        a hum that is acknowledged and cannot be opened is lost. A record of tomorrow is refused
        but for an hour, since clocks differ.
        """
        body = self._body(number)
        # In this order: a junk cell that names no record costs no look at the disk.
        private = self.private(number) if body is not None else None
        if body is None or private is None or self._host.clock.now() < _usable_from(body):
            return None
        return self._hash(number, body), private

    def usable_from(self) -> dict[int, tuple[bytes, float]]:
        """The hashes of all records whose hop key is here, by number, each with the moment from
        which it is usable: for who asks later than this."""
        numbers = self._records.keys() | self._drafts.keys()
        bodies = ((n, self._body(n)) for n in numbers if self.private(n) is not None)
        return {n: (self._hash(n, body), _usable_from(body)) for n, body in bodies if body}

    def _hash(self, number: int, body: RecordBody) -> bytes:
        record = self._records.get(number)
        return record.hash if record else body.hash()

    def week(self, number: int) -> int | None:
        """The week of a record, be it finished or only signed by us."""
        body = self._body(number)
        return body.week if body else None

    def private(self, number: int) -> hpke.PrivateKey | None:
        """This mix's hop key of a record, or None when it never was or is erased."""
        return self._hops.private(number)

    def _is_withdrawn(self, number: int) -> bool:
        return any(number in w for w in self._withdrawn)

    def _offer(self, number: int) -> Offer:
        return Offer(number, self._hops.offered(number), self._drop_verify)

    # -- one round --------------------------------------------------------------------------

    async def step(self) -> None:
        """One round: withdraw what cannot be held, sign what was drafted, fetch what is complete,
        offer what is wanted. Ends quietly when the desk server does not answer."""
        self._take_request()
        lost = self._lost(self._host.clock.now())
        if lost:
            self._withdraw(min(lost))
        try:
            wanted = await self._wanted()
            await self._sign(wanted)
            await self._fetch()
            if not self._is_withdrawn(wanted):
                await self._post("offer", make_offer(self._offer(wanted), self._record_seed))
        except Unreachable:
            return
        except Refused:
            self.refused_drafts += 1

    def _take_request(self) -> None:
        """Do what the operator asked for. A request that only another user may read stops nothing
        else: it rings."""
        if int(self._files.read(_DONE) or b"0") > day_of(self._host.clock.now()):
            self.revoke()  # once more: the clock was ahead, and no earlier day was reached
        try:
            asked = self._files.read(REQUEST)
        except PermissionError:
            self.request_unread = True
            return
        self.request_unread = False
        if asked is not None:
            self.revoke()
            self._files.remove(REQUEST)

    def _lost(self, now: float) -> set[int]:
        """The numbers whose hop key is not here and should be: lost with its disk, or erased by a
        clock that was wrong."""
        today = self.in_force(now)
        gone = {today.number} if today and self.private(today.number) is None else set()
        return self._hops.lost() | {n for n in gone if not self._is_withdrawn(n)}

    async def _post(self, what: str, data: bytes) -> None:
        await self._host.net.post(f"{self._board}/mix/{what}/{self._position}", data)

    async def _wanted(self) -> int:
        """The number that the desk server wants offers for, once it knows what we withdrew."""
        # Once a process at least, and again when the desk server has forgotten it.
        untold = [w for w in self._withdrawn if w not in self._told]
        far = await self._ask_next() + _MOST_AHEAD if untold else 0
        for withdrawal in [self._below(far, w) for w in untold]:
            if withdrawal is not None:
                await self._post("withdrawal", make_withdrawal(withdrawal, self._record_seed))
                self._told.add(withdrawal)
        wanted = await self._ask_next()
        self._told = {w for w in self._told if w.last < wanted}
        # A mix on a new disk knows no number, and takes the one that it is told.
        if wanted > max(self._known(), default=wanted) + _MOST_SKIPPED:
            raise Refused("record 5.2", "The desk server skips too many numbers")
        return wanted

    async def _ask_next(self) -> int:
        answer = await self._host.net.get(f"{self._board}/drafts/next", limit=_NUMBER)
        return int.from_bytes(answer)

    def _known(self) -> set[int]:
        """Every number that this mix ever signed or withdrew."""
        return {*self._drafts, *(w.last for w in self._withdrawn)}

    async def _sign(self, wanted: int) -> None:
        """Sign every new draft that may be signed and is not over."""
        last = max(self._drafts, default=max(0, wanted - 1 - _MOST_SKIPPED))
        missing: list[int] = []
        new = not self._drafts  # a disk: who has another refuses a key that is not its own
        for number in range(last + 1, wanted):
            if self._is_withdrawn(number) or self._ends.get(number, inf) <= self._host.clock.now():
                continue
            try:
                where = f"{self._board}/drafts/{number}"
                draft = await self._host.net.get(where, limit=RECORD_MAX)
                body, now = parse_body(draft), self._host.clock.now()
                if body.not_after <= now:
                    self._ends[number] = body.not_after
                    continue
                if new and number not in self._hops.numbers():  # it went with our disks (6.1)
                    self._withdraw(number)
                    continue
                if body.not_before > now and any(names(body, n) for n in missing):
                    return  # its answer was lost, and who signs this one may not sign that any more
                offer = self._offer(number)
                check_draft(body, self._drafts, offer, self._position, self._pins, now)
            except Unreachable:  # a number that nobody drafted, if the next draft says so too
                missing.append(number)
                continue
            except Refused:
                self.refused_drafts += 1
                continue
            self._files.write(f"draft-{number}", draft)
            self._drafts[number] = body

    async def _fetch(self) -> None:
        """Post our signature and ask for the record, for every draft that is not finished.

        At each round until the record is there: the board keeps signatures in memory only.
        """
        now = self._host.clock.now()
        for number in sorted(self._drafts.keys() - self._records.keys()):
            body = self._drafts[number]
            if body.not_after <= now:
                continue
            signature = sign.sign(self._record_seed, "record", body.encode())
            try:
                await self._post("signature", number.to_bytes(_NUMBER) + signature)
                where = f"{self._board}/records/{number}"
                raw = await self._host.net.get(where, limit=RECORD_MAX)
            except Unreachable:  # the other mix has not signed yet
                continue
            record = verify_record(raw, self._pins)
            if record.hash != body.hash():
                raise Refused("record 5.3", "A record differs from the draft that was signed")
            self._files.write(f"record-{number}", raw)
            self._records[number] = record

    # -- the end of keys --------------------------------------------------------------------

    def revoke(self) -> None:
        """Replace our hop keys of today and of every day ahead: they are not ours alone any more.

        Those of days ahead are erased at once; today's opens what was sealed to it (record 4).
        """
        now = self._host.clock.now()
        ahead = [n for n, body in self._drafts.items() if body.not_after > now + DAY_S]
        self._withdraw(min(ahead, default=max(self._known(), default=0) + 1))
        for number in [n for n in ahead if self._drafts[n].not_before > now]:
            self._hops.erase(number)
        # Not before: a full disk must not end what still has to be done.
        self._files.write(_DONE, b"%d" % day_of(now))

    def _withdraw(self, first: int) -> None:
        """Say for ever that we do not stand for any number from `first` on that we ever offered:
        so no old offer or draft can be played again (record 6.1)."""
        last = max({first, *self._known(), *self._hops.numbers()})
        self._keep_withdrawal(Withdrawal(first, last))
        self._hops.forget_lost()

    def _keep_withdrawal(self, what: Withdrawal) -> None:
        self._files.write(_withdrawal_file(what), make_withdrawal(what, self._record_seed))
        self._withdrawn.append(what)

    def _below(self, far: int, what: Withdrawal) -> Withdrawal | None:
        """A withdrawal as the desk server takes it, which keeps no offer from `far` on and refuses
        to hear of one; None where it names no other. We may have made one, if a number was named
        once that was never come to: its key is erased instead, so nobody can hold us to it."""
        if what.last < far or any(n >= far and n in what for n in self._drafts):
            return what
        shorter = Withdrawal(what.first, far - 1) if what.first < far else None
        if shorter is not None:
            self._keep_withdrawal(shorter)
        for number in [n for n in self._hops.numbers() if n >= far and n in what]:
            self._hops.erase(number)
        self._files.remove(_withdrawal_file(what))
        self._withdrawn.remove(what)
        return shorter

    def _is_replaced(self, body: RecordBody, now: float) -> bool:
        """Whether a later number took its day, which had not begun, so that nobody uses this one.
        One that took a day before says nothing of it: that may have been withdrawn alone."""
        return body.not_before > now and any(
            r.number > body.number and r.body.day == body.day for r in self._records.values()
        )

    def forget(self, now: float) -> None:
        """Erase hop keys whose time is over (record 4): A's after 24 h, B's after 48 h; and at
        once those that will never be used (record 6.2).

        All of them, whatever fails: then the first error is raised at the end. Those that are here
        go by their own volume, since the other disk may be the one that fails.
        """
        failed: list[OSError] = []
        for number in self._hops.held():
            if self._is_over(number, now):
                try:
                    self._hops.erase(number)
                except OSError as error:
                    failed.append(error)
        if failed:
            raise failed[0]
        for number in self._hops.numbers():  # what was offered, and whose key is gone
            if self._is_over(number, now):
                self._hops.erase(number)

    def _is_over(self, number: int, now: float) -> bool:
        """Whether the hop key of a number has to be gone."""
        body = self._body(number)
        if body is None:
            return number < max(self._drafts, default=0) or self._is_withdrawn(number)
        end = (body.day + 1) * DAY_S + LIFE_AFTER_DAY[self._position]
        return now >= end or self._is_replaced(body, now)

    # -- for the operator -------------------------------------------------------------------

    def alarms(self, now: float) -> list[str]:
        """What the mix's operator has to know a day before it matters (record 5.5)."""
        days = {r.body.day for r in self._records.values()}
        found = [
            f"The day {date_of(day)} has no record here that three have signed"
            for day in uncovered(days, now)
        ]
        today = self.in_force(now)
        if today is not None and self.private(today.number) is None:
            found.append("The hop key of the record in force is not here: its hums are lost")
        if self.refused_drafts:
            found.append(
                f"Refused {self.refused_drafts} times what the desk server drafted: ask the"
                " organisation"
            )
        return found

    async def shown(self) -> EpochRecord | None:
        """The record that the desk server hands out as today's; None when it does not answer."""
        try:
            raw = await self._host.net.get(f"{self._board}/record", limit=RECORD_MAX)
        except Unreachable:
            return None
        return verified(raw, self._pins)


def _usable_from(body: RecordBody) -> float:
    return body.not_before - EARLY_S


def _withdrawal_file(what: Withdrawal) -> str:
    return f"withdrawal-{what.first}-{what.last}"
