"""Which days have no record yet although it is time. Spec: record.md 5.5. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import count

from wallflower.wire.sizes import DAY_S

AHEAD = 3  # records are signed this many days ahead (claim 54)
ALARM_S = 24 * 3600  # a missing record is an alarm this long before it matters


def first_without(days: Collection[int], today: int) -> int:
    """The first day from today on that is not among `days`."""
    return next(day for day in count(today) if day not in days)


def uncovered(days: Iterable[int], now: float) -> list[int]:
    """The days from today that begin within ALARM_S of `now` and are not among `days`."""
    have = set(days)
    first, last = int(now // DAY_S), int((now + ALARM_S) // DAY_S)
    return [day for day in range(first, last + 1) if day not in have]
