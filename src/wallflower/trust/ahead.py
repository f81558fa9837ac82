"""Which days have no record yet although it is time, and how a day is told.

Spec: record.md 5.5. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from itertools import count

from wallflower.wire.sizes import DAY_S

AHEAD = 3  # records are signed this many days ahead (claim 54)
ALARM_S = 24 * 3600  # a missing record is an alarm this long before it matters
_DAY_0 = date(1970, 1, 1).toordinal()


def first_without(days: Collection[int], today: int) -> int:
    """The first day from today on that is not among `days`."""
    return next(day for day in count(today) if day not in days)


def days_ahead(days: Collection[int], today: int) -> int:
    """How many days after today are among `days`, without a hole; negative where today is not."""
    return first_without(days, today) - 1 - today


def uncovered(days: Iterable[int], now: float) -> list[int]:
    """The days from today that begin within ALARM_S of `now` and are not among `days`."""
    have = set(days)
    first, last = int(now // DAY_S), int((now + ALARM_S) // DAY_S)
    return [day for day in range(first, last + 1) if day not in have]


def date_of(day: int) -> str:
    """A day as people are told it, such as 2026-11-23; one that no calendar has, by its number."""
    try:
        return date.fromordinal(_DAY_0 + day).isoformat()
    except (ValueError, OverflowError):
        return str(day)
