"""A letter before it leaves: how it is sealed, and in which hum it may ride. Spec: hum.md 1.6,
token.md 1.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum

from wallflower.crypto.derive import conversation_id, epoch_secret
from wallflower.errors import Refused
from wallflower.host.entropy import shuffled
from wallflower.trust.record import EpochRecord
from wallflower.wire.chain import chain_value
from wallflower.wire.hello import Kind
from wallflower.wire.letter import FILLER, Letter, LetterKind, check_text, seal_letter
from wallflower.wire.sizes import ANCESTORS, HASH, MARKS, TOKEN, TOKEN_WEEKS, week_of_day
from wallflower.wire.token import index_of, token_for, tokens_of_letter


class Place(IntEnum):
    """What a place of the store holds. One whose letter left is like one that never held any."""

    FILLER = 0
    WAITING = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """One place of a store: a sealed letter or filler, never its text. `tokens` are those of its
    weeks, random for a filler."""

    place: Place
    day: int
    week: int
    mark: int
    record_hash: bytes
    tokens: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Choice:
    """What a hum carries. Token and place are those of a letter of the store; a cover has
    neither, and make_hum gives it a random token."""

    kind: Kind
    sealed: bytes
    token: bytes | None
    place: int | None


def seal_filler(record: EpochRecord, desk: str) -> bytes:
    """An empty letter by the same door as the real thing (letter 4)."""
    entry = record.desk(desk)
    return seal_letter(entry.key, record.body.desk_entry_hash(entry), FILLER)


def no_tokens(draw: Callable[[int], bytes]) -> bytes:
    """Random bytes where a waiting letter has its tokens."""
    return draw(TOKEN_WEEKS * TOKEN)


def filler(record: EpochRecord, desk: str, draw: Callable[[int], bytes]) -> Kept:
    """A place that is not used: a filler, and no number that tells when it came there."""
    sealed = seal_filler(record, desk)
    return Kept(Place.FILLER, 0, 0, 0, bytes(HASH), no_tokens(draw), sealed)


def write_letter(
    secret: bytes, text: str, language: int, record: EpochRecord, desk: str,
    kept: Sequence[Kept], draw: Callable[[int], bytes], today: int = 0,
    taken: Collection[tuple[int, int]] = (),
) -> Kept:  # fmt: skip
    """Seal a text under a record, which may be yesterday's: writing is offline (letter 1).

    It may leave after its own day (UTC): its record's, or `today` by this device's clock, whichever
    is later. `taken` are week and mark of letters that the board says the desk has. Raises Refused
    (letter 3.8) with the limit when the text does not fit.
    """
    check_text(text)
    entry = record.desk(desk)
    mark = _free_mark(kept, taken, entry.week, draw)
    conversation = conversation_id(secret)
    letter = Letter(
        kind=LetterKind.LETTER, language=language, conversation=conversation,
        e=epoch_secret(secret, entry.week), x=chain_value(secret, entry.week),
        week=entry.week, mark=mark, text=text,
    )  # fmt: skip
    sealed = seal_letter(entry.key, record.body.desk_entry_hash(entry), letter.encode())
    day = max(record.body.day, today)
    tokens = tokens_of_letter(conversation, week_of_day(day), mark)
    return Kept(Place.WAITING, day, entry.week, mark, record.hash, tokens, sealed)


def _free_mark(
    kept: Sequence[Kept], taken: Collection[tuple[int, int]], week: int,
    draw: Callable[[int], bytes],
) -> int:  # fmt: skip
    """A mark unused in its week, as far as this store and the board tell, at random; one with a
    token of its own while there is one."""
    waiting = ((k.week, k.mark) for k in kept if k.place is Place.WAITING)
    own = [(w, mark) for w, mark in (*waiting, *taken) if week - w < TOKEN_WEEKS]
    used = {mark for w, mark in own if w == week}
    free = [mark for mark in range(MARKS) if mark not in used]
    if not free:
        raise Refused("letter 3.9", "There are no letters left for this week", "Wait a week.")
    indexes = {index_of(mark) for _, mark in own}
    fresh = [mark for mark in free if index_of(mark) not in indexes]
    return shuffled(draw, fresh or free)[0]


def on_later_day(sealed: int, today: int) -> bool:
    """Whether a letter that was sealed on one day may leave on another; the lab asks this too."""
    return today > sealed


def may_leave(kept: Kept, today: EpochRecord) -> bool:
    """Whether a waiting letter may ride in a hum of this record: a later day, and an ancestor."""
    return (
        kept.place is Place.WAITING
        and on_later_day(kept.day, today.body.day)
        and today.is_ancestor(kept.record_hash)
    )


def is_stale(kept: Kept, today: EpochRecord) -> bool:
    """Whether a letter waited so long that it can leave in no hum any more (hum 1.6)."""
    return kept.place is Place.WAITING and not today.is_ancestor(kept.record_hash)


def verify_fresh(record: EpochRecord, today: int) -> None:
    """Refuse to seal under keys so old that no hum of a later day could carry it (letter 3.10).

    Records follow each other by the day, so one that is ANCESTORS days old is no ancestor of
    tomorrow's. `today` is the day by this device's clock; writing is offline.
    """
    age = today - record.body.day
    if age >= ANCESTORS:
        raise Refused(
            "letter 3.10",
            f"The keys here are {age} days old: a letter under them could never leave",
            "Make a visit first: 'wallflower visit'. Then write. Nothing was sealed.",
        )


def choose_for_hum(kept: Sequence[Kept], today: EpochRecord, desk: str) -> Choice:
    """What this visit's hum carries: the oldest letter that may leave, or a fresh filler."""
    ready = [i for i, k in enumerate(kept) if may_leave(k, today)]
    if not ready:
        return Choice(Kind.COVER, seal_filler(today, desk), None, None)
    oldest = min(ready, key=lambda i: kept[i].day)
    letter = kept[oldest]
    token = token_for(letter.tokens, week_of_day(letter.day), today.body.week)
    return Choice(Kind.LETTER, letter.sealed, token, oldest)
