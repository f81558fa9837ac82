"""What leaves a pool at a tick: one draw per hum, nothing remembered of arrival. DESIGN 3.

A geometric pool is memoryless, so no row needs a time. Time and entropy are arguments; the lab
imports these very functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from wallflower.host.entropy import shuffled, uniform
from wallflower.wire.sizes import DAY_S

T = TypeVar("T")
FLUSH_TICKS = 6  # A empties yesterday's hums this many ticks before B's key for them could die


def leave_probability(mean: int, tick: int) -> float:
    """q of one tick, so that a hum stays `mean` seconds on average (geometric, mean 1/q ticks)."""
    return min(1.0, tick / mean)


def tick_number(now: float, tick: int) -> int:
    """The number of the tick that record time `now` is in (drop 1.3)."""
    return int(now // tick)


def chosen_to_leave(rows: Sequence[T], q: float, draw: Callable[[int], bytes]) -> list[T]:
    """One draw for each row; the chosen come in random order."""
    return shuffled(draw, [row for row in rows if uniform(draw) < q])


def must_flush(arrival_day: int, now: float, tick: int) -> bool:
    """Whether a hum that came on `arrival_day` leaves A at this tick without a draw.

    No arrival time is kept, only the day; so "flushed at 24 h" means the end of the next day: every
    hum had at least 24 h, and B's hop key, which lives a day longer than A's, still opens it.
    """
    return now >= (arrival_day + 2) * DAY_S - FLUSH_TICKS * tick


@dataclass(frozen=True, slots=True)
class Release:
    """What B's drop of one tick holds, and the count of hums seen from here on."""

    leaving: list[bytes]
    seen: int


def choose_release(
    pool: Sequence[bytes], q: float, slots: int, seen: int, floor: int,
    draw: Callable[[int], bytes],
) -> Release:  # fmt: skip
    """B's tick: nobody leaves before `floor` hums were seen since the last release (DESIGN 3).

    More than `slots` at once is rare; those beyond it stay and draw again.
    """
    if seen < floor:
        return Release([], seen)
    leaving = chosen_to_leave(pool, q, draw)[:slots]
    return Release(leaving, 0 if leaving else seen)
