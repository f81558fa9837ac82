"""A letter before it leaves: how it is sealed, and in which hum it may ride. Spec: hum.md 1.6."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from wallflower.crypto.derive import conversation_id, epoch_secret
from wallflower.errors import Refused
from wallflower.host.entropy import shuffled
from wallflower.trust.record import EpochRecord
from wallflower.wire.chain import chain_value
from wallflower.wire.hello import Kind
from wallflower.wire.letter import FILLER, Letter, LetterKind, check_text, seal_letter
from wallflower.wire.sizes import MARKS


class Place(IntEnum):
    """What a place of the store holds."""

    FILLER = 0
    WAITING = 1
    LEFT = 2


@dataclass(frozen=True, slots=True)
class Kept:
    """One place of a store: a sealed letter or filler, never its text."""

    place: Place
    day: int
    week: int
    mark: int
    record_hash: bytes
    sealed: bytes


def seal_filler(record: EpochRecord, desk: str) -> bytes:
    """An empty letter by the same door as the real thing (letter 4)."""
    entry = record.desk(desk)
    return seal_letter(entry.key, record.body.desk_entry_hash(entry), FILLER)


def filler(record: EpochRecord, desk: str) -> Kept:
    """A place that is not used: a filler, numbers that mean nothing."""
    return Kept(Place.FILLER, 0, 0, 0, record.hash, seal_filler(record, desk))


def write_letter(
    secret: bytes, text: str, language: int, record: EpochRecord, desk: str,
    kept: Sequence[Kept], draw: Callable[[int], bytes],
) -> Kept:  # fmt: skip
    """Seal a text under a record, which may be yesterday's: writing is offline (letter 1).

    Raises Refused (letter 3.8) with the limit when the text does not fit.
    """
    check_text(text)
    entry = record.desk(desk)
    used = {k.mark for k in kept if k.place is not Place.FILLER and k.week == entry.week}
    free = [mark for mark in range(MARKS) if mark not in used]
    if not free:
        raise Refused("letter 1.3", "There are no letters left for this week", "Wait a week.")
    mark = shuffled(draw, free)[0]
    letter = Letter(
        kind=LetterKind.LETTER, language=language, conversation=conversation_id(secret),
        e=epoch_secret(secret, entry.week), x=chain_value(secret, entry.week),
        week=entry.week, mark=mark, text=text,
    )  # fmt: skip
    sealed = seal_letter(entry.key, record.body.desk_entry_hash(entry), letter.encode())
    return Kept(Place.WAITING, record.body.day, entry.week, mark, record.hash, sealed)


def may_leave(kept: Kept, today: EpochRecord) -> bool:
    """Whether a waiting letter may ride in a hum of this record: a later day, and an ancestor."""
    return (
        kept.place is Place.WAITING
        and today.body.day > kept.day
        and today.is_ancestor(kept.record_hash)
    )


def is_stale(kept: Kept, today: EpochRecord) -> bool:
    """Whether a letter waited so long that it can leave in no hum any more (hum 1.6)."""
    return kept.place is Place.WAITING and not today.is_ancestor(kept.record_hash)


def choose_for_hum(
    kept: Sequence[Kept], today: EpochRecord, desk: str
) -> tuple[Kind, bytes, int | None]:
    """The kind, the sealed letter of this visit's hum, and its place (None for a filler)."""
    ready = [i for i, k in enumerate(kept) if may_leave(k, today)]
    if not ready:
        return Kind.COVER, seal_filler(today, desk), None
    oldest = min(ready, key=lambda i: kept[i].day)
    return Kind.LETTER, kept[oldest].sealed, oldest
