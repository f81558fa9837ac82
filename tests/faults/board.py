"""The desk server's own undelivered work: day-batches that it took, and has to release once.

The slots are random bytes with a name each: the server opens nothing, so it cannot mind. What is
on the board is taken by whoever looks: every number must always be the same bytes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from tests.faults.crew import PARAMETERS, Crew, patiently
from tests.host.sockets import until

from wallflower.board.release import periods_of_day
from wallflower.host.clock import day_of
from wallflower.trust.record import EpochRecord
from wallflower.wire.segment import parse_head, parse_segment
from wallflower.wire.sizes import DAY_S, RECEIPT, REPLY_SLOT

_LOOK_S = 0.2


def slot_name(day: int, index: int) -> bytes:
    """The first bytes of a slot that was handed in."""
    return b"%06d/%03d" % (day, index)


@dataclass
class Handed:
    """Hands in a batch for every coming day, and watches the board."""

    crew: Crew
    days: set[int] = field(default_factory=set)
    seen: Counter[bytes] = field(default_factory=Counter)
    forks: list[int] = field(default_factory=list)
    due: set[bytes] = field(default_factory=set)
    period: int = 0  # of the newest segment
    _segments: dict[int, bytes] = field(default_factory=dict)
    _records: dict[int, bytes] = field(default_factory=dict)

    async def run(self) -> None:
        """For ever."""
        while True:
            await patiently(self.look)
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        """Hand in tomorrow's batch when that was not done; take what is new on the board."""
        record = await self.crew.record()
        self._same(self._records, record.number, record.raw)
        tomorrow = day_of(self.crew.clock.now()) + 1
        if tomorrow not in self.days:
            await self._hand_in(tomorrow, record)
        net, url = self.crew.town.net, self.crew.town.url("organisation")
        head = parse_head(await net.get(f"{url}/board/head"))
        for number in range(head.first, head.number + 1):
            raw = await net.get(f"{url}/board/{number}")
            if number not in self._segments:
                segment = parse_segment(raw)
                self.period = max(self.period, segment.header.period)
                self.seen.update(slot[:10] for slot in segment.replies)
            self._same(self._segments, number, raw)

    def _same(self, known: dict[int, bytes], number: int, raw: bytes) -> None:
        if known.setdefault(number, raw) != raw:
            self.forks.append(number)

    async def _hand_in(self, day: int, record: EpochRecord) -> None:
        p, periods = record.body.parameters, periods_of_day(record)
        slots = [slot_name(day, i).ljust(REPLY_SLOT, b"\1") for i in range(periods * p.replies)]
        body = day.to_bytes(4) + b"".join(slots) + bytes(periods * p.receipts * RECEIPT)
        url, token = self.crew.town.url("organisation"), self.crew.token("organisation", "desk")
        await self.crew.town.net.post(f"{url}/desk/batch", body, token)
        self.days.add(day)

    def _due(self) -> set[bytes]:
        """The slots that were handed in and whose period has begun."""
        p, now = PARAMETERS, self.crew.clock.now()
        return {
            slot_name(day, period * p["replies"] + i)
            for day in self.days
            for period in range(DAY_S // p["period"])
            for i in range(p["replies"])
            if day * DAY_S + period * p["period"] <= now
        }

    async def settle(self, limit: float) -> None:
        """Wait until the segment of this period is on the board, which all that is due stands in
        or before."""
        self.due = self._due()
        period = int(self.crew.clock.now() // PARAMETERS["period"])

        async def out() -> bool:
            return self.period >= period

        await until(out, "this period's segment is on the board", limit)

    async def wait_for_due(self, limit: float) -> None:
        """Wait until a slot that was handed in is due."""

        async def some() -> bool:
            return bool(self._due())

        await until(some, "a batch's day begins", limit)

    def lost(self) -> list[bytes]:
        """Slots that were due and never stood on the board."""
        return sorted(self.due - self.seen.keys())

    def twice(self) -> list[bytes]:
        """Slots that stood in more than one segment."""
        return sorted(slot for slot in self.due if self.seen[slot] > 1)

    def figures(self) -> str:
        """What was handed in and seen."""
        return (
            f"{len(self.days)} batches taken, {len(self.due)} of their slots due and seen, "
            f"{len(self._segments)} segments, {len(self._records)} records in force"
        )
