"""From a verified drop to the letters in it, and what each may be believed to be. Spec: drop.md,
letter.md 2, chain.md 2.

A slot that does not open is a fault that is counted; the others are read all the same (drop 2.6).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from wallflower.crypto.derive import sha256
from wallflower.crypto.hpke import PrivateKey
from wallflower.desk.keys import LivingKey
from wallflower.errors import Refused
from wallflower.wire.chain import Continuity, Link, judge
from wallflower.wire.drop import SignedDrop, open_file_key, open_slot
from wallflower.wire.letter import Letter, LetterKind, open_letter
from wallflower.wire.receipt import receipt


@dataclass(frozen=True, slots=True, repr=False)
class Arrived:
    """A letter and its name at the desk: the hash of the sealed bytes. Two alike are one."""

    id: bytes
    letter: Letter

    @property
    def link(self) -> Link:
        """What the letter shows of its chain."""
        return Link(self.letter.week, self.letter.e, self.letter.x)

    @property
    def receipt(self) -> bytes:
        """The receipt that says it was opened (receipt 1)."""
        return receipt(self.letter.e, self.letter.mark)


@dataclass(frozen=True, slots=True)
class Opened:
    """What one drop held: letters, loops that were only counted, and faults by rule."""

    letters: list[Arrived]
    loops: int
    faults: Counter[str]


def open_drop(
    drop: SignedDrop, private: PrivateKey, record_hash: bytes, keys: list[LivingKey]
) -> Opened:
    """Open every slot of a verified drop; raises Refused when the whole does not open (drop 2.5).

    Letters come in order of their week, then of their id: their places in the drop say nothing,
    and an older letter judged after a newer one of the same drop would look unconfirmed.
    """
    file_key = open_file_key(private, record_hash, drop)
    letters: dict[bytes, Arrived] = {}
    loops, faults = 0, Counter[str]()
    for index in range(drop.header.slots):
        try:
            sealed = open_slot(file_key, drop, index)
            letter = open_letter(keys, sealed)
        except Refused as refused:
            faults[refused.rule] += 1
            continue
        if letter is None:
            continue
        if letter.kind is LetterKind.LOOP:
            loops += 1
            continue
        name = sha256(sealed)
        letters[name] = Arrived(name, letter)
    ordered = sorted(letters.values(), key=lambda a: (a.letter.week, a.id))
    return Opened(ordered, loops, faults)


def place(kept: Link | None, arrived: Arrived) -> tuple[Continuity, Link]:
    """What a letter is to its conversation, and the link that is kept from then on.

    The one place where replies may be redirected: only by FIRST and CONFIRMED (chain 2).
    """
    continuity = judge(kept, arrived.link)
    if kept is not None and continuity is Continuity.UNCONFIRMED:
        return continuity, kept
    return continuity, arrived.link
