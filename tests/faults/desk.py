"""The desk of the fault tests: keys of the test, drops pulled as a desk does, slots counted.

It opens each slot by itself and counts what is in it, since a real inbox would hide a letter that
came twice: it keeps letters by their hash.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.faults.crew import Crew, patiently
from tests.trust.made import private

from wallflower.crypto.derive import sha256
from wallflower.desk.keys import living
from wallflower.host.clock import day_of
from wallflower.host.log import Entry
from wallflower.host.pull import pull
from wallflower.trust.drop import verify_drop
from wallflower.trust.record import EpochRecord, verify_record
from wallflower.wire.drop import open_file_key, open_slot, parse_drop
from wallflower.wire.letter import open_letter
from wallflower.wire.sizes import HASH, RECORD_MAX, week_of_day

_AT_ONCE = 8
_DESK_SEED = sha256(b"desk")  # tests.trust.made.private("desk")
_DAYS = 6  # ahead; handed in again as days pass


def desk_keys(today: int) -> bytes:
    """What a desk hands in: the same two keys for every day."""
    drop, desk = private("drop").public.raw, private("desk").public.raw
    days = range(today, today + _DAYS)
    return b"".join(d.to_bytes(4) + drop + week_of_day(d).to_bytes(2) + desk for d in days)


@dataclass
class Desk:
    """Pulls drops, checks their chain, and counts the letters in their slots."""

    crew: Crew
    letters: Counter[str] = field(default_factory=Counter)
    drops: int = 0
    cursor: int = 0
    _keys_until: int = 0
    last: bytes = bytes(HASH)
    _records: dict[int, EpochRecord] = field(default_factory=dict)

    async def begin(self) -> None:
        """What a desk does before there can be a record."""
        await self._hand_in_keys()

    async def end(self) -> None:
        """Nothing: every letter was counted as it came."""

    async def _hand_in_keys(self) -> None:
        """Give the desk server the public keys of the coming days, when it may lack some."""
        today = day_of(self.crew.clock.now())
        if today + _DAYS - 1 <= self._keys_until:
            return
        url = self.crew.town.url("organisation")
        token = self.crew.token("organisation", "desk")
        await self.crew.town.net.post(f"{url}/desk/keys", desk_keys(today), token)
        self._keys_until = today + _DAYS - 1

    async def read(self) -> int:
        """Pull once and count what came; the drops of the last pull are acknowledged by it."""
        await patiently(self._hand_in_keys)
        url = f"{self.crew.town.url('mix-b')}/drops"
        token = self.crew.token("mix-b", "next")
        entries = await pull(self.crew.town.net, url, token, self.cursor, _AT_ONCE)
        for entry in entries:
            await self._count(entry)
        return len(entries)

    async def _count(self, entry: Entry) -> None:
        drop = parse_drop(entry.body)
        record = await self._record(drop.header.record)
        verify_drop(drop, record, self.drops, self.last)
        key = open_file_key(private("drop"), record.hash, drop)
        weeks = [(record.body.week, _DESK_SEED), (record.body.week - 1, _DESK_SEED)]
        keys = living(self.crew.pins().root, "Office", weeks)
        for index in range(drop.header.slots):
            letter = open_letter(keys, open_slot(key, drop, index))
            if letter is not None:
                self.letters[letter.text] += 1
        self.drops, self.last, self.cursor = drop.header.number, drop.hash, entry.seq

    async def _record(self, number: int) -> EpochRecord:
        if number not in self._records:
            url = f"{self.crew.town.url('organisation')}/records/{number}"
            raw = await self.crew.town.net.get(url, limit=RECORD_MAX)
            self._records[number] = verify_record(raw, self.crew.pins())
        return self._records[number]

    def twice(self) -> list[str]:
        """The letters that stood in more than one slot."""
        return sorted(text for text, count in self.letters.items() if count > 1)
