"""The day batch: what the blind desk server releases tomorrow, always full. Spec: reply 1.5,
receipt 3; docs/adr/0017.

Real slots and receipts take random places among fillers that the same functions made, so neither
the desk server nor the board's readers can count them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from wallflower.wire.chain import Continuity
from wallflower.wire.receipt import receipt
from wallflower.wire.record import Parameters
from wallflower.wire.reply import seal_part
from wallflower.wire.sizes import DAY_S, HASH, REPLY_SALT

T = TypeVar("T")
EVENING: Final = 18 * 3600  # record time of day from which tomorrow's batch is built
_RANK: Final = {Continuity.CONFIRMED: 0, Continuity.FIRST: 1, Continuity.UNCONFIRMED: 2}


class Chance(Protocol):
    """Uniform bytes and uniform orders."""

    def draw(self, size: int) -> bytes:
        """`size` uniform bytes."""
        ...

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in uniform random order."""
        ...


@dataclass(frozen=True, slots=True)
class Room:
    """How many reply slots and receipts one day's batch has."""

    slots: int
    receipts: int


@dataclass(frozen=True, slots=True, repr=False)
class WaitingReply:
    """A reply that has to go, with all its sealed parts."""

    id: int
    slots: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, repr=False)
class WaitingReceipt:
    """A receipt that has to go; `continuity` is that of the letter it is for."""

    value: bytes
    continuity: Continuity


@dataclass(frozen=True, slots=True, repr=False)
class Again:
    """What an earlier batch held and the board did not show, real and filler alike.

    `slots` and `receipts` go into this batch, all of them: the desk server has seen them, and would
    know as real what came again without the rest. `kept` waits for a later batch.
    """

    slots: tuple[bytes, ...] = ()
    receipts: tuple[bytes, ...] = ()
    kept: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True, repr=False)
class Batch:
    """A built batch: its bytes, what of it is real, and every slot and receipt of it."""

    day: int
    body: bytes
    replies: tuple[int, ...]
    receipts: tuple[bytes, ...]
    everything: tuple[bytes, ...]


def room(parameters: Parameters) -> Room:
    """The size of a day's batch under a record's parameters."""
    periods = DAY_S // parameters.period
    return Room(periods * parameters.replies, periods * parameters.receipts)


def is_evening(now: float) -> bool:
    """Whether tomorrow's batch may be built: it is past 18:00, and the day has not ended."""
    return now % DAY_S >= EVENING


def choose_replies(waiting: Sequence[WaitingReply], slots: int) -> list[WaitingReply]:
    """Oldest first; a reply goes whole or waits, since half of one tells its reader nothing."""
    chosen = []
    for reply in waiting:
        if len(reply.slots) <= slots:
            chosen.append(reply)
            slots -= len(reply.slots)
    return chosen


def choose_receipts(
    waiting: Sequence[WaitingReceipt], places: int, chance: Chance
) -> list[WaitingReceipt]:
    """Known conversations first, then first letters, each by lot; unconfirmed letters last."""
    return sorted(chance.shuffled(waiting), key=lambda w: _RANK[w.continuity])[:places]


def build(
    day: int, size: Room, replies: Sequence[WaitingReply], receipts: Sequence[WaitingReceipt],
    chance: Chance, again: Again = Again(),
) -> Batch:  # fmt: skip
    """The batch for `day`: exactly `size` slots and receipts, whatever waits."""
    slots, values = list(again.slots), list(again.receipts)
    handed = again.kept.union(slots, values)
    back = [reply for reply in replies if set(reply.slots) <= set(slots)]
    told_again = [waiting for waiting in receipts if waiting.value in set(values)]
    new = [reply for reply in replies if handed.isdisjoint(reply.slots)]
    going = choose_replies(new, size.slots - len(slots))
    first = [waiting for waiting in receipts if waiting.value not in handed]
    told = choose_receipts(first, size.receipts - len(values), chance)
    slots += [slot for reply in going for slot in reply.slots]
    values += [waiting.value for waiting in told]
    slots += [filler_slot(chance) for _ in range(size.slots - len(slots))]
    values += [filler_receipt(chance) for _ in range(size.receipts - len(values))]
    mixed = chance.shuffled(slots) + chance.shuffled(values)
    return Batch(
        day, day.to_bytes(4) + b"".join(mixed), tuple(r.id for r in (*back, *going)),
        tuple(w.value for w in (*told_again, *told)), tuple(mixed),
    )  # fmt: skip


def filler_slot(chance: Chance) -> bytes:
    """A slot for nobody (reply 1.5)."""
    return seal_part(chance.draw(HASH), 0, chance.draw(REPLY_SALT), 1, 1, b"")


def filler_receipt(chance: Chance) -> bytes:
    """A receipt for nobody (receipt 3)."""
    return receipt(chance.draw(HASH), 0)
