"""The reply slot: a table look-up for who knows the words, noise for all others. Spec: reply.md."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wallflower.crypto import aead
from wallflower.crypto.derive import hkdf, mac16
from wallflower.crypto.hpke import Unopened
from wallflower.errors import Refused
from wallflower.wire.reading import utf8
from wallflower.wire.sizes import (
    REPLY_HEADER,
    REPLY_INDEXES,
    REPLY_PLAIN,
    REPLY_SALT,
    REPLY_SLOT,
    REPLY_TAG,
    REPLY_TEXT,
)


@dataclass(frozen=True, slots=True)
class Part:
    """One opened slot: part `part` of `of`, its text still bytes (it may end in a character)."""

    week: int
    index: int
    part: int
    of: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply, joined from its parts."""

    week: int
    index: int
    text: str


def reply_tag(e: bytes, index: int) -> bytes:
    """The tag of slot `index` under e_w (reply 1.2)."""
    return mac16(e, b"tag" + index.to_bytes(1))


def _key(e: bytes, index: int, salt: bytes) -> bytes:
    return hkdf(e, salt, b"reply" + index.to_bytes(1), 32)


def seal_part(e: bytes, index: int, salt: bytes, part: int, of: int, text: bytes) -> bytes:
    """One slot of REPLY_SLOT bytes; a filler has a random e and no text (reply 1.1, 1.5)."""
    if len(text) > REPLY_TEXT or not 0 <= index < REPLY_INDEXES or len(salt) != REPLY_SALT:
        raise ValueError("a reply part does not fit its slot")
    tag = reply_tag(e, index)
    plain = len(text).to_bytes(2) + bytes([part, of]) + text.ljust(REPLY_TEXT, b"\0")
    return tag + salt + aead.seal(_key(e, index, salt), 0, tag, plain)


def cut_reply(text: str, first_index: int) -> list[bytes]:
    """The text in parts of at most REPLY_TEXT bytes, or Refused (reply 3.5)."""
    data = utf8(text, "reply 3.5")
    parts = [data[i : i + REPLY_TEXT] for i in range(0, len(data), REPLY_TEXT)]
    if not parts:
        raise Refused("reply 3.5", "The reply is empty", "Write something first.")
    if first_index + len(parts) > REPLY_INDEXES:
        left = max(0, REPLY_INDEXES - first_index)
        raise Refused(
            "reply 3.5",
            f"The reply needs {len(parts)} slots; {left} are left for this conversation this week",
            "Shorten it, or answer after the source has written again in a later week.",
        )
    return parts


def reply_table(e_by_week: dict[int, bytes]) -> dict[bytes, tuple[int, int]]:
    """tag -> (week, index) for every slot that could be for these words (reply 2)."""
    return {
        reply_tag(e, index): (week, index)
        for week, e in e_by_week.items()
        for index in range(REPLY_INDEXES)
    }


def open_part(e: bytes, week: int, index: int, slot: bytes) -> Part:
    """Open one slot whose tag was found in the table, or Refused (reply 3)."""
    if len(slot) != REPLY_SLOT:
        raise Refused("reply 3.1", "A reply slot has the wrong length")
    tag, salt = slot[:REPLY_TAG], slot[REPLY_TAG : REPLY_TAG + REPLY_SALT]
    try:
        plain = aead.open_sealed(_key(e, index, salt), 0, tag, slot[REPLY_TAG + REPLY_SALT :])
    except Unopened:
        raise Refused("reply 3.2", "A reply slot does not open") from None
    length, part, of = int.from_bytes(plain[:2]), plain[2], plain[3]
    text = plain[REPLY_HEADER:REPLY_PLAIN]
    if length > REPLY_TEXT or any(text[length:]) or not 1 <= part <= of:
        raise Refused("reply 3.3", "A reply slot's length or part is out of range")
    return Part(week, index, part, of, text[:length])


def whole_runs(parts: Iterable[Part]) -> list[list[Part]]:
    """The parts of each whole reply, in order of week and index; parts whose others are missing
    wait (reply 1.3). Replies that share an index are told apart by how many parts they have, and
    those of as many by the order of `parts`, once all their parts are there; so `parts` holds each
    slot once, and two of one text are two.
    """
    by_place: dict[tuple[int, int, int, int], list[Part]] = {}
    for p in parts:
        by_place.setdefault((p.week, p.index, p.of, p.part), []).append(p)
    runs: list[list[Part]] = []
    for week, index, of, part in sorted(by_place):
        if part != 1:
            continue
        places = [by_place.get((week, index + n, of, n + 1), []) for n in range(of)]
        if len({len(found) for found in places}) == 1:
            runs += map(list, zip(*places, strict=True))
    return runs


def joined(whole: list[Part]) -> Reply:
    """The reply that these parts are, or Refused (reply 3.4)."""
    try:
        text = b"".join(p.text for p in whole).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("reply 3.4", "A reply's text is not UTF-8") from None
    return Reply(whole[0].week, whole[0].index, text)
