"""The letter: one message of a source, sealed to the desk key of the week. Spec: letter.md.

A filler is made by the same door: `seal_letter` with `FILLER`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from wallflower.crypto import hpke
from wallflower.errors import Refused
from wallflower.wire.reading import utf8
from wallflower.wire.sizes import LETTER, LETTER_HEADER, LETTER_PLAIN, LETTER_TEXT, MARKS


class LetterKind(IntEnum):
    """What is inside, as only the desk learns it."""

    FILLER = 0
    LETTER = 1
    LOOP = 2


class Language(IntEnum):
    """The language that the writer's page was in (letter 1.4)."""

    UNKNOWN = 0
    ENGLISH = 1
    CHINESE = 2
    PERSIAN = 3
    RUSSIAN = 4
    SPANISH = 5


@dataclass(frozen=True, slots=True)
class Letter:
    """The open letter (letter 1.2)."""

    kind: LetterKind
    language: int
    conversation: bytes
    e: bytes
    x: bytes
    week: int
    mark: int
    text: str
    part: int = 1
    of: int = 1

    def encode(self) -> bytes:
        """LETTER_PLAIN bytes; raises Refused when the text does not fit (letter 3.8)."""
        text = utf8(self.text, "letter 3.8")
        check_text(self.text)
        head = bytes([self.kind, self.language]) + len(text).to_bytes(2)
        tail = bytes([self.part, self.of]) + self.week.to_bytes(2) + bytes([self.mark, 0])
        return head + self.conversation + self.e + self.x + tail + text.ljust(LETTER_TEXT, b"\0")


FILLER = bytes(LETTER_PLAIN)


def check_text(text: str) -> None:
    """Refuse a text that is empty or over the limit, saying the limit (letter 3.8)."""
    size = len(utf8(text, "letter 3.8"))
    if size == 0:
        raise Refused("letter 3.8", "The letter is empty", "Write something first.")
    if size > LETTER_TEXT:
        raise Refused(
            "letter 3.8",
            f"The letter has {size} bytes; the limit is {LETTER_TEXT} (1,950 Chinese characters)",
            "Shorten it, or write the rest as a second letter.",
        )


def seal_letter(desk_key: hpke.PublicKey, entry_hash: bytes, plain: bytes) -> bytes:
    """Seal LETTER_PLAIN bytes (a letter's `encode()`, or FILLER) to the desk: LETTER bytes."""
    if len(plain) != LETTER_PLAIN:
        raise ValueError("a letter's plaintext has a fixed length")
    return hpke.seal(desk_key, hpke.info("desk", entry_hash), plain)


def open_letter(keys: list[tuple[int, hpke.PrivateKey, bytes]], sealed: bytes) -> Letter | None:
    """Open with the living desk keys [(week, key, entry hash)]; None is a filler (letter 2-4)."""
    if len(sealed) != LETTER:
        raise Refused("letter 3.1", "A letter has the wrong length")
    for week, private, entry_hash in keys:
        try:
            plain = hpke.open_sealed(private, hpke.info("desk", entry_hash), sealed)
        except hpke.Unopened:
            continue
        return parse_letter(plain, week)
    raise Refused("letter 3.2", "A letter opens under no desk key that still lives")


def parse_letter(plain: bytes, key_week: int) -> Letter | None:
    """Read LETTER_PLAIN bytes opened by the key of `key_week`; None is a filler."""
    if len(plain) != LETTER_PLAIN:
        raise Refused("letter 3.1", "A letter has the wrong length")
    if plain[0] == LetterKind.FILLER:
        if any(plain):
            raise Refused("letter 3.4", "A filler is not empty")
        return None
    if plain[0] not in (LetterKind.LETTER, LetterKind.LOOP):
        raise Refused("letter 3.3", "A letter's kind is unknown")
    week = int.from_bytes(plain[86:88])
    part, of, mark, reserved = plain[84], plain[85], plain[88], plain[89]
    text = _text(plain)
    if week != key_week:
        raise Refused("letter 3.6", "A letter names another week than its key's")
    if mark >= MARKS or reserved or not 1 <= part <= of:
        raise Refused("letter 3.7", "A letter's mark or part is out of range")
    return Letter(
        kind=LetterKind(plain[0]), language=plain[1], conversation=plain[4:20],
        e=plain[20:52], x=plain[52:84], week=week, mark=mark, text=text, part=part, of=of,
    )  # fmt: skip


def _text(plain: bytes) -> str:
    length = int.from_bytes(plain[2:4])
    if not 1 <= length <= LETTER_TEXT or any(plain[LETTER_HEADER + length :]):
        raise Refused("letter 3.4", "A letter's length does not fit its text")
    try:
        return plain[LETTER_HEADER : LETTER_HEADER + length].decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("letter 3.5", "A letter's text is not UTF-8") from None
