"""Loops: hums of our own that are sent through the public ways and watched for. Spec: loop.md.

Whoever has a loop key knows every loop of it, past and coming, so sender and watcher need not talk.
To everybody else a loop's hum key A and its token are as random as a viewer's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from wallflower.crypto.derive import derive, mac16
from wallflower.wire.sizes import DAY_S, HUM_CELLS, SLOT_MS

LOOP_KEY = 32
STEP_S = 60
LATE_S = 600  # a loop that could not begin by then stays away
STEPS_A_DAY = DAY_S // STEP_S
MOST_A_DAY = STEPS_A_DAY // 4
WINDOW = 96  # loops that are judged together: a day of them at the default rate
TOLERATED = 0.02  # the share of loops that may stay away in a town that is well
FALSE_ALARM = 1e-6  # of one look; there is one look for each loop that falls due
TOLD_S = 3600  # B's round to the desk server
_COIN_BYTES = 8
_HUM_S = HUM_CELLS * SLOT_MS / 1000


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop: the minute that it begins in, and what makes it known on its way."""

    step: int
    key_a: bytes
    token: bytes


@dataclass(frozen=True, slots=True)
class Way:
    """How late a loop may be seen by its watcher, in seconds, and how rarely later than that."""

    seconds: float
    later: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the newest loops that are due say: how many were sent, how many never came."""

    due: int
    missing: int
    alarm: bool


def step_of(moment: float) -> int:
    """The step that a record time is in."""
    return int(moment // STEP_S)


def loop_at(key: bytes, per_day: int, step: int) -> Loop | None:
    """The loop that begins in this step, or None; a coin of the key decides (loop 1.2)."""
    coin = int.from_bytes(mac16(key, b"coin" + step.to_bytes(8))[:_COIN_BYTES])
    if coin * STEPS_A_DAY >= per_day << (8 * _COIN_BYTES):
        return None
    key_a = derive(key, b"hop-a" + step.to_bytes(8), 32)
    return Loop(step, key_a, mac16(key, b"token" + step.to_bytes(8)))


def next_loop(key: bytes, per_day: int, after: int) -> Loop:
    """The first loop of a step later than `after`."""
    step = after + 1
    while (found := loop_at(key, per_day, step)) is None:
        step += 1
    return found


def way_to_a(tick: int, stretch: float) -> Way:
    """To A's gathering: the hum itself, and the tick at which A pulls (loop 2.1).

    `stretch` is how much faster days run than hums: 1 outside of a demo.
    """
    return Way((LATE_S + _HUM_S) * stretch + STEP_S + 2 * tick, 0.0)


def way_to_b(mean_a: int, tick: int, stretch: float) -> Way:
    """To B's opening: through A's pool, four of its means (loop 2.2)."""
    draws = 4 * mean_a // tick
    later = (1.0 - min(1.0, tick / mean_a)) ** draws
    return Way(way_to_a(tick, stretch).seconds + (draws + 2) * tick, later)


def way_to_organisation(mean_a: int, tick: int, stretch: float) -> Way:
    """To the organisation: what B opens it tells within the hour (loop 2.3)."""
    to_b = way_to_b(mean_a, tick, stretch)
    return Way(to_b.seconds + TOLD_S + tick, to_b.later)


def judge(came: list[bool], later: float) -> Verdict:
    """Whether too many of the loops that are due stayed away (loop 3). Oldest first."""
    looked_at = came[-WINDOW:]
    missing = looked_at.count(False)
    chance = TOLERATED + later
    return Verdict(len(looked_at), missing, at_least(missing, len(looked_at), chance) < FALSE_ALARM)


def at_least(missing: int, of: int, chance: float) -> float:
    """P(at least `missing` of `of` stay away) when each does with `chance`: the exact binomial."""
    return sum(
        math.comb(of, k) * chance**k * (1.0 - chance) ** (of - k) for k in range(missing, of + 1)
    )
