"""kill -9, again and again, always while the process holds something that it has not handed on.

The process is frozen first (SIGSTOP), what it holds is counted in its database, and it is killed
as it stands; when it holds nothing it goes on. The same seed gives the same order and instants.
Half of the instants lie in a mix's round or a desk's pass, the other half anywhere.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from tests.faults.crew import TICK, Crew
from tests.host.sockets import until

SEED = 20_778  # of the order of roles and of the instants; changed on purpose only
_AT_ONCE = 2  # so many processes may be down together
_ROUND_S = 0.08  # a mix's round begins at a tick and is over by then
_FOUND_S = 300.0
_SAID_EVERY = 50


@dataclass
class Killer:
    """Kills roles of a town and starts them again with the same command."""

    crew: Crew
    start: Callable[[str], Awaitable[None]]
    seed: int = SEED
    began: float = field(default_factory=time.monotonic)
    undelivered: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    async def run(self, times: dict[str, int]) -> None:
        """Kill each role so many times, in an order drawn from the seed."""
        rng = random.Random(self.seed)
        order = [role for role, count in times.items() for _ in range(count)]
        rng.shuffle(order)
        jobs = [(role, rng.random() < 0.5, rng.random()) for role in order]
        locks = {role: asyncio.Lock() for role in times}
        line = iter(jobs)
        await asyncio.gather(*(self._work(line, locks) for _ in range(_AT_ONCE)))

    async def _work(
        self, line: Iterable[tuple[str, bool, float]], locks: dict[str, asyncio.Lock]
    ) -> None:
        for role, in_round, chance in line:
            async with locks[role]:
                await self._once(role, in_round, chance)

    async def _once(self, role: str, in_round: bool, chance: float) -> None:
        # Not a wait for something: the instant itself is what is drawn.
        await asyncio.sleep(self._until_tick() + chance * _ROUND_S if in_round else chance / 2)

        async def caught() -> bool:
            self.crew.freeze(role)
            count = self.crew.undelivered(role)
            if count:
                self.undelivered[role].append(count)
                await self.crew.kill(role)
                return True
            self.crew.thaw(role)
            return False

        await until(caught, f"{role} holds something", _FOUND_S)
        await self.start(role)
        done = sum(map(len, self.undelivered.values()))
        if done % _SAID_EVERY == 0:  # a night is long
            print(f"{done} kills, {time.monotonic() - self.began:.0f} s", flush=True)

    def _until_tick(self) -> float:
        return (TICK - self.crew.clock.now() % TICK) / self.crew.town.pace.days

    def figures(self) -> str:
        """Kills and what was held at each, by role."""
        return "\n".join(
            f"{role}: {len(held)} kills, undelivered {min(held)}-{max(held)}, {sum(held)} in all"
            for role, held in sorted(self.undelivered.items())
        )
