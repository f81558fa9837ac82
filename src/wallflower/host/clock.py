"""Record time: the wall clock, or the wall clock run faster in a demo. Spec: record.md 1."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from wallflower.wire.record import Pace
from wallflower.wire.sizes import DAY_S

_STEP_S = 60.0


class Clock(Protocol):
    """Gives record time in seconds since 1970-01-01 UTC, and waits for it."""

    def now(self) -> float:
        """Record time now."""
        ...

    async def sleep_until(self, moment: float) -> None:
        """Return when record time has reached `moment`, or when the clock was put back."""
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
        """Wait in steps, so that a corrected wall clock is noticed within a minute.

        One that was put back by minutes ends the wait: it would last as long as the clock was
        ahead, which may be hours where a process starts before its machine asked for the time.
        """
        left = self._left(moment)
        while left > 0:
            await asyncio.sleep(min(left, _STEP_S))
            before, left = left, self._left(moment)
            if left > before + _STEP_S:
                return

    def _left(self, moment: float) -> float:
        """Seconds of the wall clock until then."""
        return (moment - self.now()) / self._pace.days
