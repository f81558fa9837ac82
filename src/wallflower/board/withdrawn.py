"""Which numbers are withdrawn, and so what is drafted next and handed out. Spec: record.md 6. Pure.

Nothing here makes a second body of a number: what is replaced keeps its number and its place in
the chain, and what replaces it takes a number that was never offered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from wallflower.wire.reading import Reader
from wallflower.wire.record import RecordBody
from wallflower.wire.sizes import ANCESTORS
from wallflower.wire.withdrawal import Withdrawal


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Numbers that are void, and the day on which that became so."""

    what: Withdrawal
    day: int

    def encode(self) -> bytes:
        """The file's bytes: first ‖ last ‖ day."""
        return self.what.encode() + self.day.to_bytes(4)


def parse_withdrawn(data: bytes) -> Withdrawn:
    """Read our own file."""
    reader = Reader(data, "record 6.1")
    return Withdrawn(Withdrawal(reader.number(2), reader.number(2)), reader.number(4))


def withdrawn_on(number: int, withdrawn: Iterable[Withdrawn]) -> int | None:
    """The day on which a number was withdrawn, None for one that stands."""
    return min((w.day for w in withdrawn if number in w.what), default=None)


def next_number(drafts: Collection[int], withdrawn: Iterable[Withdrawn]) -> int:
    """The number that offers are wanted for: never one that was drafted or withdrawn."""
    return max(max(drafts, default=0), max((w.what.last for w in withdrawn), default=0)) + 1


def standing(
    drafts: Mapping[int, RecordBody], withdrawn: Collection[Withdrawn]
) -> dict[int, RecordBody]:
    """The drafts and records that nobody withdrew."""
    return {n: body for n, body in drafts.items() if withdrawn_on(n, withdrawn) is None}


def revoking(
    drafts: Mapping[int, RecordBody], withdrawn: Collection[Withdrawn], offered: int, today: int,
    *, letters_too: bool,
) -> Withdrawal:  # fmt: skip
    """What the organisation withdraws to replace the keys of today and of every day ahead.

    With `letters_too` the numbers jump so far that no record before is an ancestor of the next
    one: no letter that waits under a revoked desk key leaves any more (hum 1.6).
    """
    end = next_number(drafts, withdrawn)
    first = min((n for n, b in standing(drafts, withdrawn).items() if b.day >= today), default=end)
    last = max(end, offered)
    return Withdrawal(first, last + ANCESTORS if letters_too else last)


def may_be_handed_out(body: RecordBody, withdrawn: Iterable[Withdrawn]) -> bool:
    """Whether a withdrawn record still serves while nothing replaces it.

    Only one that was in use when it was withdrawn: a record of a coming day never comes into use.
    """
    day = withdrawn_on(body.number, withdrawn)
    return day is None or body.day <= day
