"""How a crowd shrinks: who may have written, to somebody who sees every hum and when letters come.

The party is an observer who saw when each viewer hummed, together with a turned handler, who sees
the tick of each drop that held a letter of one conversation; or together with B, which saw when the
letter's parcel left A. Both know every rule and number of the mixes. The letters go through the
mixes' own decisions and leave the store by the source's own rule; nothing is decided here. So they
also know that a letter rides in the first hum of somebody's day, and look at no other.

For each suspect the party multiplies, over the letters, the chance that one of the suspect's hums
was this letter's. The crowd is the number of suspects who would be as uncertain if all were alike:
e to the entropy of these chances. Viewers come independently, by a Poisson process, at all hours
alike; the writer hums only when it writes. Pure; a generator with its seed is an argument.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from wallflower.mix.decide import (
    Waiting,
    choose_release,
    chosen_to_leave,
    leave_probability,
    must_flush,
    tick_number,
)
from wallflower.source.letters import on_later_day
from wallflower.wire.record import Parameters
from wallflower.wire.sizes import DAY_S

# Each group: how many people, and how often each comes in a day. 20,000 and 56 hums an hour.
ONE_OFF = ((19_000, 1 / 30), (800, 1 / 7), (200, 3.0))
WEEK = 7  # days from one visit of the writer to the next
AGAIN_S = 30 * 60  # who "watches again at once" does so within this time
_AGAIN_AT_LEAST_S = 5 * 60
_UNLIKELY = 1e-6  # what may be left undistributed of a chance
WRITER = -1

Visit = tuple[float, int]  # seconds, who
Groups = Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Seen:
    """After one more letter: the crowd, and how many suspects are at least as likely as the
    writer, itself counted and half of those that are as likely."""

    crowd: float
    rank: float


class Stays:
    """How long a hum stays by the mixes' rules, for each tick of the day at which it may come.

    `until_b` is the chance, by ticks after the arrival, that a letter comes out of B; `until_a`,
    that its parcel leaves A.
    """

    def __init__(self, p: Parameters) -> None:
        self.tick = p.tick
        self.phases = DAY_S // p.tick
        self.until_a = [self._of_a(phase, p) for phase in range(self.phases)]
        self.until_b = [self._of_b(chances, p) for chances in self.until_a]

    @staticmethod
    def _of_a(arrival: int, p: Parameters) -> list[float]:
        q, held, chances = leave_probability(p.mean_a, p.tick), 1.0, [0.0]
        taken = arrival + 1  # A pulls at the next tick, and draws in the same round
        while held > _UNLIKELY:
            leaving = arrival + len(chances)
            goes = must_flush(taken * p.tick // DAY_S, leaving * p.tick, p.tick)
            chances.append(held if goes else held * q)
            held -= chances[-1]
        return chances

    @staticmethod
    def _of_b(until_a: Sequence[float], p: Parameters) -> list[float]:
        q, held, out, gone = leave_probability(p.mean_b, p.tick), 0.0, [0.0], 0.0
        while gone < 1 - 2 * _UNLIKELY:
            before = len(out) - 1  # B pulls at the tick after A's
            held += until_a[before] if before < len(until_a) else 0.0
            out.append(held * q)
            held -= out[-1]
            gone += out[-1]
        return out


def a_leaves(came: float, p: Parameters, draw: Callable[[int], bytes]) -> int:
    """The tick at which A lets a hum go that came at a moment, by A's own decisions."""
    tick, q = tick_number(came, p.tick), leave_probability(p.mean_a, p.tick)
    day = (tick + 1) * p.tick // DAY_S
    while True:
        tick += 1
        if must_flush(day, tick * p.tick, p.tick) or chosen_to_leave([WRITER], q, draw):
            return tick


def b_releases(
    tick: int, seen: Callable[[int], int], p: Parameters, draw: Callable[[int], bytes]
) -> int:
    """The tick at which a letter that A let go at `tick` comes out of B, by B's own decisions.

    `seen` gives the hums that B saw up to a tick since its last release.
    """
    q, letter = leave_probability(p.mean_b, p.tick), Waiting(b"letter", known=True, stamp_class=0)
    while True:
        tick += 1
        if choose_release([letter], q, p.slots, seen(tick), p.floor, draw).leaving:
            return tick


def viewers(groups: Groups, begin: float, end: float, chance: Random) -> Iterator[Visit]:
    """All visits of a crowd in their order, from one moment to another."""
    rates = [people * a_day for people, a_day in groups]
    firsts = [sum(people for people, _ in groups[:i]) for i in range(len(groups))]
    numbers, now, pause = range(len(groups)), begin, sum(rates) / DAY_S
    while (now := now + chance.expovariate(pause)) < end:
        (group,) = chance.choices(numbers, rates)
        yield now, firsts[group] + chance.randrange(groups[group][0])


def writes(contacts: int, chance: Random, hurry: bool) -> tuple[list[float], list[float]]:
    """The writer's visits, and those whose hum carries a letter; seconds.

    One visit a week. A letter is sealed after a visit; in a hurry it leaves by a second visit at
    once, else with the first one at which the store's rule lets it.
    """
    visits: list[float] = []
    carried: list[float] = []
    sealed: int | None = None
    while len(carried) < contacts:
        now = (len(visits) // (1 + hurry) * WEEK + chance.random()) * DAY_S
        today = int(now // DAY_S)
        visits.append(now)
        if sealed is not None and on_later_day(sealed, today):
            carried.append(now)
        sealed = today
        if hurry:
            visits.append(now + chance.uniform(_AGAIN_AT_LEAST_S, AGAIN_S))
            carried.append(visits[-1])
            sealed = None
    return visits, carried


def firsts_of_days(visits: Sequence[Visit]) -> list[Visit]:
    """The visits that can carry a letter which waited for a later day: no second one of a day."""
    seen: set[tuple[int, int]] = set()
    found: list[Visit] = []
    for now, who in visits:
        day = (int(now // DAY_S), who)
        if day not in seen:
            found.append((now, who))
        seen.add(day)
    return found


def again_at_once(visits: Sequence[Visit]) -> list[Visit]:
    """The visits of those who had come before within `AGAIN_S`."""
    last: dict[int, float] = {}
    found: list[Visit] = []
    for now, who in visits:
        if now - last.get(who, -math.inf) <= AGAIN_S:
            found.append((now, who))
        last[who] = now
    return found


def suspects(
    visits: Sequence[Visit], out: int, chances: Sequence[Sequence[float]], tick: int,
    before: Mapping[int, float] | None = None,
) -> dict[int, float]:  # fmt: skip
    """Who may have sent what came out at a tick: for each, the chance by all letters so far.

    `before` is what this gave for the letter before; without it everybody is as likely.
    """
    phases, furthest = len(chances), max(map(len, chances))
    begin = bisect_left(visits, ((out - furthest) * tick, WRITER))
    found: dict[int, float] = {}
    for now, who in visits[begin : bisect_left(visits, (out * tick, WRITER))]:
        if before is not None and who not in before:
            continue
        arrival = int(now // tick)
        by_delay = chances[arrival % phases]
        if out - arrival < len(by_delay):
            found[who] = found.get(who, 0.0) + by_delay[out - arrival]
    if before is not None:
        found = {who: chance * before[who] for who, chance in found.items()}
    whole = sum(found.values())
    return {who: chance / whole for who, chance in found.items() if chance}


def crowd(found: Mapping[int, float]) -> float:
    """How many suspects would be as uncertain if all were alike."""
    return math.exp(-sum(chance * math.log(chance) for chance in found.values()))


def rank(found: Mapping[int, float]) -> float:
    """The writer's place among the suspects; of those as likely as it, half stand before it."""
    own = found[WRITER]
    more = sum(chance > own for chance in found.values())
    return more + (1 + sum(chance == own for chance in found.values())) / 2


def conversation(
    groups: Groups, contacts: int, p: Parameters, stays: Stays, chance: Random, hurry: bool = False
) -> list[Seen]:
    """One writer among a crowd: what a turned handler and an observer have after each letter.

    `hurry`: the writer watches again at once, and they look only at those who did.
    """
    own, carried = writes(contacts, chance, hurry)
    longest = max(map(len, stays.until_b)) * p.tick
    draw, last, outs = chance.randbytes, 0, []
    visits = list(viewers(groups, -longest, carried[-1] + longest, chance))
    for now in own:
        insort(visits, (now, WRITER))

    def seen(tick: int) -> int:
        return bisect_left(visits, (tick * p.tick, 0)) - last

    for now in carried:
        outs.append(b_releases(a_leaves(now, p, draw), seen, p, draw))
        last = bisect_left(visits, (outs[-1] * p.tick, 0))
    looked_at = again_at_once(visits) if hurry else firsts_of_days(visits)
    found, after = None, []
    for out in outs:
        found = suspects(looked_at, out, stays.until_b, p.tick, found)
        after.append(Seen(crowd(found), rank(found)))
    return after


def pool_of_a(hums_an_hour: float, p: Parameters, stays: Stays, chance: Random) -> float:
    """The crowd of one letter to an observer together with B, where nobody hums twice."""
    longest = max(map(len, stays.until_a)) * p.tick
    came = chance.random() * DAY_S
    hums = viewers([(1, 24 * hums_an_hour)], -longest, longest + DAY_S, chance)
    alone = [(now, number) for number, (now, _) in enumerate(hums)]
    insort(alone, (came, WRITER))
    return crowd(suspects(alone, a_leaves(came, p, chance.randbytes), stays.until_a, p.tick))


@dataclass(frozen=True, slots=True)
class Middle:
    """Of many runs: the median with its 95 % interval (of order), and the worst one in twenty."""

    median: float
    low: float
    high: float
    worst: float


def middle(values: Sequence[float]) -> Middle:
    """What many runs gave, in four numbers."""
    ordered, n = sorted(values), len(values)
    off = 0.98 * math.sqrt(n)
    low, high = max(0, math.floor(n / 2 - off)), min(n - 1, math.ceil(n / 2 + off))
    return Middle(ordered[n // 2], ordered[low], ordered[high], ordered[n // 20])
