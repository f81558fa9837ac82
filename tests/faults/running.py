"""A whole town that runs: processes, desk, people; and what became of every letter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.faults.crew import SERVERS, UP_S, Crew, patiently
from tests.faults.desk import Desk
from tests.faults.office import Office
from tests.faults.sending import Writers
from tests.host.sockets import until

Open = Callable[..., Awaitable["Running"]]
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the letters of a run."""

    written: int
    acknowledged: int
    delivered: int
    lost: list[str]
    twice: list[str]


class Running:
    """A town that runs: its processes, its desk, and the people who write."""

    def __init__(self, crew: Crew, desk: Office | None = None) -> None:
        self.crew = crew
        self.desk = desk or Desk(crew)
        self.writers = Writers(crew)

    async def open(self) -> None:
        """Start the four servers and wait for the first record."""
        await asyncio.gather(*(self.crew.start(role) for role in SERVERS))
        await self.desk.begin()

        async def has_record() -> bool:
            self.crew.check_alive()
            return await patiently(self.crew.record)

        await until(has_record, "the first record", UP_S)

    async def restart(self, role: str) -> None:
        """Start a process that was killed; a real desk is unlocked too."""
        start = self.desk.start if isinstance(self.desk, Office) else self.crew.start
        await start(role)

    async def read(self) -> None:
        """The desk's part: pull for ever, whoever is away."""
        while True:
            await patiently(self.desk.read)
            await asyncio.sleep(_LOOK_S)

    async def send(self, count: int) -> set[str]:
        """So many letters, whole; which ones."""
        before = set(self.writers.acknowledged)
        wanted = len(before) + count

        async def sent() -> bool:
            for _ in range(wanted - len(self.writers.acknowledged)):
                await self.writers.one()
            await self.writers.finish()
            return len(self.writers.acknowledged) >= wanted

        await until(sent, f"{count} letters are acknowledged", UP_S)
        return self.writers.acknowledged - before

    async def settle(self, limit: float) -> Account:
        """Wait until every acknowledged letter is delivered, or until everything has come out of
        every process and nothing more comes; then say what became of the letters."""
        await self.writers.finish()

        async def done() -> bool:
            return self.writers.acknowledged <= self.desk.letters.keys() or await self._empty()

        await until(done, "everything is delivered or gone", limit)
        # What was put out twice would come now.
        await until(self._empty, "every process is empty", limit)
        await self.desk.end()
        lost = sorted(self.writers.acknowledged - self.desk.letters.keys())
        return Account(
            self.writers.written, len(self.writers.acknowledged), len(self.desk.letters), lost,
            self.desk.twice(),
        )  # fmt: skip

    async def all_delivered(self, letters: int) -> None:
        """Fail unless so many letters were acknowledged, and each comes to the desk, once."""
        reading = asyncio.ensure_future(self.read())
        try:
            account = await self.settle(UP_S)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        assert (account.acknowledged, account.lost, account.twice) == (letters, [], []), account

    async def _empty(self) -> bool:
        """Whether no process holds a whole hum, and the desk has read what B put out since."""
        # In the order in which a hum goes: asked the other way round, one that goes on meanwhile is
        # seen nowhere.
        ingress, a, b = [await self.crew.town.status(r) for r in ("ingress", "mix-a", "mix-b")]
        if not (a and b and ingress):
            return False
        if ingress["waiting"] or a["pool"] or a["waiting_out"] or b["pool"]:
            return False
        # What the desk has not acknowledged may be long: here it reads nothing while a flood lasts.
        drops = self.desk.drops + b["waiting_out"]

        async def later() -> bool:
            return self.desk.drops > drops + 1

        await until(later, "what B had put out, and two more drops", UP_S)
        return True

    async def close(self) -> None:
        """End everything."""
        await self.writers.close()
        await self.crew.stop()
