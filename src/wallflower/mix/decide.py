"""What leaves a pool at a tick: one draw per hum, nothing remembered of arrival. Spec: drop.md 3.

A geometric pool is memoryless, so no row needs a time. Time and entropy are arguments; the lab
imports these very functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from wallflower.host.entropy import below, shuffled, uniforms
from wallflower.wire.sizes import DAY_S, LOT_WEIGHT_ONE, LOT_WEIGHT_TWO, LOT_WEIGHT_ZERO

T = TypeVar("T")
WEIGHTS = (LOT_WEIGHT_ZERO, LOT_WEIGHT_ONE, LOT_WEIGHT_TWO)  # by stamp class
FLUSH_TICKS = 6  # A empties yesterday's hums this many ticks before B's key for them could die


def leave_probability(mean: int, tick: int) -> float:
    """q of one tick, so that a hum stays `mean` seconds on average (geometric, mean 1/q ticks)."""
    return min(1.0, tick / mean)


def tick_number(now: float, tick: int) -> int:
    """The number of the tick that record time `now` is in (drop 1.3)."""
    return int(now // tick)


def chosen_to_leave(rows: Sequence[T], q: float, draw: Callable[[int], bytes]) -> list[T]:
    """One draw for each row; the chosen come in random order."""
    fractions = uniforms(draw, len(rows))
    return shuffled(draw, [row for row, u in zip(rows, fractions, strict=True) if u < q])


def must_flush(arrival_day: int, now: float, tick: int) -> bool:
    """Whether a hum that came on `arrival_day` leaves A at this tick without a draw.

    No arrival time is kept, only the day; so "flushed at 24 h" means the end of the next day: every
    hum had at least 24 h, and B's hop key, which lives a day longer than A's, still opens it.
    """
    return now >= (arrival_day + 2) * DAY_S - FLUSH_TICKS * tick


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter in B's pool: its name there, whether it is of a known conversation, its class."""

    name: bytes
    known: bool
    stamp_class: int


@dataclass(frozen=True, slots=True)
class Release:
    """What B's drop of one tick holds: the names in reserved slots and in open ones; and the count
    of hums seen from here on."""

    reserved: list[bytes]
    open: list[bytes]
    seen: int

    @property
    def leaving(self) -> list[bytes]:
        """All names that leave."""
        return self.reserved + self.open


def choose_release(
    pool: Sequence[Waiting], q: float, slots: int, seen: int, floor: int,
    draw: Callable[[int], bytes],
) -> Release:  # fmt: skip
    """B's tick (drop 3): nobody leaves before `floor` hums were seen since the last release.

    Half of the slots are for known conversations, so that no flood of first letters delays them.
    Who was drawn and got no slot stays and is drawn again.
    """
    if seen < floor:
        return Release([], [], seen)
    drawn = chosen_to_leave(pool, q, draw)
    # `drawn` stands in random order: cutting it is an even lot (drop 3.2).
    known = [letter for letter in drawn if letter.known]
    reserved, surplus = known[: slots // 2], known[slots // 2 :]
    first = [letter for letter in drawn if not letter.known]
    places = slots - len(reserved)
    chosen = weighted_lot([*first, *surplus], places, draw)
    return Release(
        [letter.name for letter in reserved], [letter.name for letter in chosen],
        0 if reserved or chosen else seen,
    )  # fmt: skip


def weighted_lot(
    letters: Sequence[Waiting], places: int, draw: Callable[[int], bytes]
) -> list[Waiting]:
    """Fill `places` one after another, each by weight among those that are left (drop 3.3)."""
    left = list(letters)
    if len(left) <= places:
        return left
    weights = [WEIGHTS[letter.stamp_class] for letter in left]
    total = sum(weights)
    chosen = []
    for _ in range(places):
        ticket, at = below(draw, total), 0
        while ticket >= weights[at]:
            ticket -= weights[at]
            at += 1
        total -= weights.pop(at)
        chosen.append(left.pop(at))
    return chosen
