"""Record time: the wall clock, or the wall clock run faster in a demo. Spec: record.md 1."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from wallflower.wire.record import Pace
from wallflower.wire.sizes import DAY_S


class Clock(Protocol):
    """Gives record time in seconds since 1970-01-01 UTC, and waits for it."""

    def now(self) -> float:
        """Record time now."""
        ...

    async def sleep_until(self, moment: float) -> None:
        """Return when record time has reached `moment`."""
        ...


def day_of(moment: float) -> int:
    """The UTC day of a record time."""
    return int(moment // DAY_S)


class PacedClock:
    """The machine's clock seen through a pace; (1, 1) is real time."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    def now(self) -> float:
        """Record time now, in seconds."""
        return self._pace.record_time(time.time())

    async def sleep_until(self, moment: float) -> None:
        """Wait in steps, so that a corrected wall clock is noticed within a minute."""
        while (left := (moment - self.now()) / self._pace.days) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, 60.0))
