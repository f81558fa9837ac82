"""Which keys must exist, which must die, and what is told to the desk server. Spec: record.md 4.

A key that is gone opens nothing: dying on time is what limits a seized laptop to 72 hours of
recorded drops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wallflower.crypto.derive import sha256
from wallflower.crypto.hpke import PrivateKey
from wallflower.trust.ahead import ALARM_S, date_of, uncovered
from wallflower.wire.record import DeskEntry, desk_entry_hash
from wallflower.wire.sizes import DAY_S, KEM_SEED, WEEK_BASE_DAY, week_of_day

AHEAD: Final = 4  # days after today whose keys are published
_DROP_AFTER_DAY: Final = 3 * DAY_S
_WEEK_DAYS: Final = 7
_MEANS_OF_B: Final = 8
_DESK_DAYS: Final = 7 + 1 + 3

# All keys of one day or week, revoked ones too: more than anybody revokes for a reason. Every
# letter is tried with each, so a desk server that calls each new one revoked must come to an end.
MOST_TURNS: Final = 8

LivingKey = tuple[int, PrivateKey, bytes]


def wanted_days(today: int) -> range:
    """The days whose keys have to exist."""
    return range(today, today + AHEAD + 1)


@dataclass(frozen=True, slots=True, repr=False)
class Seeds:
    """The seeds that have to be stored before their public halves are published."""

    drop: dict[int, bytes]
    desk: dict[int, bytes]

    def __bool__(self) -> bool:
        return bool(self.drop or self.desk)


def missing(
    today: int, drop_days: Iterable[int], desk_weeks: Iterable[int], draw: Callable[[int], bytes]
) -> Seeds:
    """New seeds for every wanted day and week that has none."""
    days = [day for day in wanted_days(today) if day not in set(drop_days)]
    have = set(desk_weeks)
    weeks = sorted({week_of_day(day) for day in wanted_days(today)} - have)
    return Seeds({d: draw(KEM_SEED) for d in days}, {w: draw(KEM_SEED) for w in weeks})


def renewed(
    today: int, drop: Mapping[int, bytes], desk: Mapping[int, bytes], revoked: frozenset[bytes],
    draw: Callable[[int], bytes],
) -> Seeds:  # fmt: skip
    """New seeds for every wanted day and week whose key's hash is revoked (record 6.3)."""
    days = wanted_days(today)
    weeks = sorted({week_of_day(day) for day in days})

    def is_revoked(seed: bytes | None) -> bool:
        return seed is not None and sha256(PrivateKey.from_seed(seed).public.raw) in revoked

    return Seeds(
        {d: draw(KEM_SEED) for d in days if is_revoked(drop.get(d))},
        {w: draw(KEM_SEED) for w in weeks if is_revoked(desk.get(w))},
    )


def revoked_alarm(turns: Iterable[int]) -> str:
    """What the desk's person has to know when the desk server names keys as revoked; `turns` has
    the number of keys that each of these days and weeks had until now.

    A desk revokes nothing, so it cannot tell a revocation from a lie: the organisation can.
    """
    if max(turns) >= MOST_TURNS:
        return (
            f"The desk server calls every new key of this desk revoked, {MOST_TURNS} of one day or"
            " week by now, so no more are made for it and letters may stop: ask the organisation,"
            " by another way than its server, who does this"
        )
    return (
        "The desk server says that keys of this desk were revoked, and the desk made others: ask"
        " the organisation, by another way than its server, whether it revoked them. If it did not,"
        " somebody else has its server"
    )


def dead_drop_days(days: Iterable[int], now: float) -> list[int]:
    """The days whose drop key has to be erased: 72 h after the day's end (record 4)."""
    return [day for day in days if now >= (day + 1) * DAY_S + _DROP_AFTER_DAY]


def dead_desk_weeks(weeks: Iterable[int], now: float, mean_b: int) -> list[int]:
    """The weeks whose desk key has to be erased (record 4).

    Counted from the week's end: a letter may be sealed on its last day.
    """
    return [week for week in weeks if now >= desk_key_end(week, mean_b)]


def desk_key_end(week: int, mean_b: int) -> int:
    """When the desk key of a week is erased: its end + 7 d + 1 d + 8 means of B + 3 d."""
    end_of_week = (WEEK_BASE_DAY + (week + 1) * _WEEK_DAYS) * DAY_S
    return end_of_week + _DESK_DAYS * DAY_S + _MEANS_OF_B * mean_b


def alarms(published_until: int | None, last_drop_day: int | None, now: float) -> list[str]:
    """What the desk's person has to know a day before it matters (record 5.5)."""
    today = int(now // DAY_S)
    days = range(today, (published_until or 0) + 1)
    found = [
        f"The desk server does not have the keys for {date_of(day)}: ask the organisation"
        for day in uncovered(days, now)
    ]
    if last_drop_day is not None and now >= (last_drop_day + 1) * DAY_S + _DROP_AFTER_DAY - ALARM_S:
        found.append(
            f"No drop came since {date_of(last_drop_day)}, and after three days a drop opens no"
            " more: ask operator B"
        )
    return found


def publication(today: int, drop: Mapping[int, bytes], desk: Mapping[int, bytes]) -> bytes:
    """What the desk server gets: for each day, day u32 ‖ drop key ‖ week u16 ‖ desk key."""
    pieces = []
    for day in wanted_days(today):
        week = week_of_day(day)
        drop_public, desk_public = (
            PrivateKey.from_seed(seed).public.raw for seed in (drop[day], desk[week])
        )
        pieces += [day.to_bytes(4), drop_public, week.to_bytes(2), desk_public]
    return b"".join(pieces)


def living(root: bytes, name: str, desk: Sequence[tuple[int, bytes]]) -> list[LivingKey]:
    """The keys that open letters, newest week first (letter 2), each with its entry's hash."""
    keys = []
    for week, seed in sorted(desk, key=lambda one: -one[0]):
        private = PrivateKey.from_seed(seed)
        entry = DeskEntry(name, week, private.public)
        keys.append((week, private, desk_entry_hash(root, entry)))
    return keys
