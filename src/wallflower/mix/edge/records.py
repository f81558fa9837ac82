"""A mix's part in the epoch record: offers, signatures, and the records that came of them.

The mix asks and posts; nothing connects to it for this. One body is signed per number, ever:
the signed body is on the disk before its signature leaves.
"""

from __future__ import annotations

from wallflower.crypto import hpke, sign
from wallflower.errors import Refused
from wallflower.host import Host
from wallflower.host.disk import Folder
from wallflower.host.net import Unreachable
from wallflower.mix.signing import check_draft
from wallflower.trust.pins import Pins
from wallflower.trust.record import EpochRecord, verify_record
from wallflower.wire.offer import Offer, make_offer
from wallflower.wire.record import RecordBody, parse_body
from wallflower.wire.sizes import DAY_S, KEM_SEED, RECORD_MAX

EARLY_S = 3600
AHEAD = 3  # records are signed this many days ahead (DESIGN 4)
_LIFE_AFTER_DAY = {"a": DAY_S, "b": 2 * DAY_S}


class Records:
    """Offers, drafts and records of one mix, by number."""

    def __init__(
        self, host: Host, keys: Folder, pins: Pins, position: str, board: str,
        record_seed: bytes, drop_seed: bytes,
    ) -> None:  # fmt: skip
        self._host = host
        self._keys = keys
        self._files = host.disk.folder("records")
        self._pins = pins
        self._position = position
        self._board = board
        self._record_seed = record_seed
        self._drop_verify = sign.verify_key(drop_seed) if drop_seed else b""
        self._drafts: dict[int, RecordBody] = {}
        self._records: dict[int, EpochRecord] = {}
        self._private: dict[int, hpke.PrivateKey] = {}
        self.refused_drafts = 0
        self._load()

    def _load(self) -> None:
        for name in self._files.names():
            kind, _, number = name.partition("-")
            data = self._files.read(name) or b""
            if kind == "draft":
                self._drafts[int(number)] = parse_body(data)
            elif kind == "record":
                self._records[int(number)] = verify_record(data, self._pins)

    def in_force(self, now: float) -> EpochRecord | None:
        """The newest record in force, or None."""
        good = [r for r in self._records.values() if r.in_force(now)]
        return max(good, key=lambda r: r.number, default=None)

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
        if body is None or private is None:
            return None
        early = body.not_before - self._host.clock.now() > EARLY_S
        record = self._records.get(number)
        return None if early else (record.hash if record else body.hash(), private)

    def week(self, number: int) -> int | None:
        """The week of a record, be it finished or only signed by us."""
        body = self._body(number)
        return body.week if body else None

    def private(self, number: int) -> hpke.PrivateKey | None:
        """This mix's hop key of a record, or None when it never was or is erased."""
        if number not in self._private:
            seed = self._keys.read(f"hop-{number}")
            if seed is None:
                return None
            self._private[number] = hpke.PrivateKey.from_seed(seed)
        return self._private[number]

    def _offer(self, number: int) -> Offer:
        name = f"hop-{number}"
        if self._keys.read(name) is None:
            self._keys.write(name, self._host.entropy.draw(KEM_SEED))
        private = self.private(number)
        assert private is not None  # noqa: S101  # written on the line above
        return Offer(number, private.public, self._drop_verify)

    async def step(self) -> None:
        """One round: offer what is missing, sign what was drafted, fetch what is complete."""
        now = self._host.clock.now()
        today = self.in_force(now)
        wanted = (today.number if today else max(self._records, default=0)) + AHEAD + 1
        for number in range(max(self._records, default=0) + 1, wanted + 1):
            try:
                await self._offer_and_sign(number)
                await self._fetch(number)
            except Unreachable:
                break
            except Refused:
                self.refused_drafts += 1
                break

    async def _offer_and_sign(self, number: int) -> None:
        offer = self._offer(number)
        body = self._drafts.get(number)
        if body is None:
            where = f"{self._board}/mix/offer/{self._position}"
            await self._host.net.post(where, make_offer(offer, self._record_seed))
            draft = await self._host.net.get(f"{self._board}/drafts/{number}", limit=RECORD_MAX)
            body = parse_body(draft)
            check_draft(body, self._drafts.get(number - 1), offer, self._position, self._pins)
            self._files.write(f"draft-{number}", draft)
            self._drafts[number] = body
        signature = sign.sign(self._record_seed, "record", body.encode())
        where = f"{self._board}/mix/signature/{self._position}"
        # Again at each round until the record is there: the board keeps signatures in memory only.
        await self._host.net.post(where, number.to_bytes(2) + signature)

    async def _fetch(self, number: int) -> None:
        if number in self._records:
            return
        raw = await self._host.net.get(f"{self._board}/records/{number}", limit=RECORD_MAX)
        record = verify_record(raw, self._pins)
        draft = self._drafts.get(number)
        if draft is None or record.hash != draft.hash():
            raise Refused("record 5.3", "A record differs from the draft that was signed")
        self._files.write(f"record-{number}", raw)
        self._records[number] = record

    def forget(self, now: float) -> None:
        """Erase hop keys whose time is over (record 4): A's after 24 h, B's after 48 h."""
        for name in self._keys.names():
            kind, _, number = name.partition("-")
            body = self._body(int(number)) if kind == "hop" else None
            if body is None:
                continue
            end = (body.day + 1) * DAY_S + _LIFE_AFTER_DAY[self._position]
            if now >= end:
                self._keys.erase(name)
                self._private.pop(body.number, None)
