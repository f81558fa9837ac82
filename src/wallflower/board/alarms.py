"""What the organisation's operator has to be told about records, a day before it matters. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from wallflower.trust.ahead import date_of, uncovered


@dataclass(frozen=True, slots=True)
class Ahead:
    """What there is for the days ahead: days that are signed, and what the next one waits for."""

    signed: Collection[int]
    unsigned: Collection[tuple[str, int]]
    offers_missing: Collection[str]
    desk_days: Collection[int]
    desk_must_renew: bool


def alarms(ahead: Ahead, now: float) -> list[str]:
    """One sentence each; empty when nobody has to do anything (record 5.5)."""
    found = []
    if ahead.desk_must_renew:
        found.append("A revocation waits for new keys of the desk: unlock it")
    for day in uncovered(ahead.signed, now):
        found.append(f"The day {date_of(day)} has no signed record yet: {_why(ahead, day)}")
    return found


def _why(ahead: Ahead, day: int) -> str:
    unsigned = sorted({who for who, of in ahead.unsigned if of == day})
    if unsigned:
        return "the signature is missing of " + " and ".join(unsigned)
    if day not in ahead.desk_days:
        return "the desk has handed in no keys for it"
    if ahead.offers_missing:
        return "the offer is missing of " + " and ".join(sorted(ahead.offers_missing))
    return "it waits for the days before it"
