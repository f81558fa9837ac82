"""The storyboard: a film as a text that people can read, compare and translate.

It is TOML: a language, cards in their order, and what the closing card says. A card shows words, a
picture or a moving clip, and may be spoken. Address and eight words are no part of it: they differ
from copy to copy, and whoever builds a copy gives them. docs/handbook/film.md explains each key.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from wallflower.campaign.eightwords import WORDS, check_typed
from wallflower.errors import Fault

MAX_BYTES: Final = 256 * 1024
MAX_CARDS: Final = 60
MAX_SECONDS: Final = 600  # a film of ten minutes is 5 MB at 240p, ten minutes of a bad line
CARD_SECONDS: Final = (1.0, 120.0)
USUAL_SECONDS: Final = 5.0
MAX_TEXT: Final = 600
MAX_CAPTION: Final = 160
MAX_CAPTIONS: Final = 200  # of one card
LONGEST_ADDRESS: Final = 150  # its QR code still has modules of three pixels in the small film

_RTL: Final = frozenset({"ar", "ckb", "fa", "he", "ps", "ug", "ur"})
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
_ADDRESS: Final = re.compile(r"https?://[!-~]+")
# Zero-width joiners shape Persian words. Everything else that is not seen could hide or turn text.
_UNSEEN_ALLOWED: Final = frozenset("\n\u200c\u200d")
_AGAIN: Final = "Correct the storyboard (docs/handbook/film.md lists what it may hold)."

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Caption:
    """What is said or shown, in words. Times are seconds from the start of its card; None: shared
    out over the card by length."""

    text: str
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One thought. `picture`, `clip` and `narration` are files beside the storyboard."""

    title: str = ""
    text: str = ""
    picture: str = ""
    clip: str = ""
    narration: str = ""
    seconds: float = USUAL_SECONDS
    captions: tuple[Caption, ...] = ()


@dataclass(frozen=True, slots=True)
class Colours:
    """What the film is drawn in."""

    paper: Colour = (44, 53, 58)
    ink: Colour = (243, 239, 228)
    accent: Colour = (240, 196, 104)


@dataclass(frozen=True, slots=True)
class Storyboard:
    """A whole film. The last card is `closing`, which gets address, code and words."""

    language: str
    cards: tuple[Card, ...]
    closing: Card
    footnote: str = ""
    colours: Colours = Colours()

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all files that it uses, each once, sorted."""
        cards = (*self.cards, self.closing)
        return tuple(sorted({n for c in cards for n in (c.picture, c.clip, c.narration) if n}))

    @property
    def said(self) -> str:
        """All its words, in lines."""
        cards = (*self.cards, self.closing)
        lines = [t for c in cards for t in (c.title, c.text, *(said.text for said in c.captions))]
        return "\n".join((*lines, self.footnote))


@dataclass(frozen=True, slots=True)
class Ending:
    """What one copy's closing card shows: where to write, and by which words to know the keys."""

    address: str
    words: tuple[str, ...]


def is_rtl(language: str) -> bool:
    """Whether a language, such as "fa" or "zh-Hans", runs from right to left."""
    return language.split("-")[0] in _RTL


def parse_ending(address: str, words: tuple[str, ...]) -> Ending:
    """Check what a copy is closed with, or raise Fault.

    The address is http or https, ASCII (a name in other letters in its xn-- form, since look-alikes
    cannot be told apart on a film), at most LONGEST_ADDRESS characters.
    """
    if not _ADDRESS.fullmatch(address) or len(address) > LONGEST_ADDRESS:
        raise Fault(
            "The address is not a web address that the film can show",
            f"Give http:// or https:// and ASCII, at most {LONGEST_ADDRESS} characters.",
        )
    if len(words) != WORDS or not all(_is_word(word) for word in words):
        raise Fault("The words for the film are not eight single words", "Give the eight words.")
    check_typed(" ".join(words))
    return Ending(address, words)


def _is_word(word: str) -> bool:
    return 1 <= len(word) <= 24 and not any(c.isspace() for c in word) and _is_seen(word)


def parse_storyboard(data: bytes) -> Storyboard:
    """Read a storyboard, or raise a Fault that says which card to correct. Nothing is guessed."""
    if len(data) > MAX_BYTES:
        raise Fault("The storyboard is larger than 256 KiB", _AGAIN)
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        raise Fault("The storyboard is not TOML in UTF-8", _AGAIN) from None
    take = _Taker(table, "The storyboard")
    language = take.text("language", _LANGUAGE.fullmatch)
    cards = take.listed("card")
    if not 1 <= len(cards) <= MAX_CARDS:
        raise Fault(f"The storyboard has not 1 to {MAX_CARDS} cards", _AGAIN)
    board = Storyboard(
        language,
        tuple(_card(_Taker(card, f"Card {n}")) for n, card in enumerate(cards, 1)),
        _closing(_Taker(take.table("closing"), "The closing card")),
        take.text("footnote", lambda text: len(text) <= MAX_CAPTION, ""),
        _colours(_Taker(take.table("colours"), "The table of colours")),
    )
    take.nothing_left()
    return board


def _card(take: _Taker) -> Card:
    card = Card(
        take.text("title", _fits, ""),
        take.text("text", _fits, ""),
        take.text("picture", _is_beside, ""),
        take.text("clip", _is_beside, ""),
        take.text("narration", _is_beside, ""),
        take.number("seconds", *CARD_SECONDS, default=USUAL_SECONDS),
        _captions(take),
    )
    take.nothing_left()
    if not (card.title or card.text or card.picture or card.clip):
        raise Fault(f"{take.place} shows nothing", "Give it title, text, picture or clip.")
    if card.clip and (card.title or card.text or card.picture):
        raise Fault(f"{take.place} has a clip and more", "Put words into captions.")
    return card


def _closing(take: _Taker) -> Card:
    card = Card(
        title=take.text("title", _fits, ""),
        narration=take.text("narration", _is_beside, ""),
        seconds=take.number("seconds", *CARD_SECONDS, default=8.0),
    )
    take.nothing_left()
    return card


def _captions(take: _Taker) -> tuple[Caption, ...]:
    listed = take.listed("captions")
    if len(listed) > MAX_CAPTIONS:
        raise Fault(f"{take.place} has more than {MAX_CAPTIONS} captions", _AGAIN)
    if all(isinstance(entry, str) for entry in listed):
        listed = [{"text": entry} for entry in listed]
        timed = False
    else:
        timed = True
    found = []
    for number, entry in enumerate(listed, 1):
        inner = _Taker(entry, f"{take.place}, caption {number},")
        text = inner.text("text", lambda t: 0 < len(t.strip()) <= MAX_CAPTION)
        times = [inner.number(key, 0, MAX_SECONDS) for key in ("start", "end") if timed]
        inner.nothing_left()
        found.append(Caption(text, *times))
    return tuple(found)


def _colours(take: _Taker) -> Colours:
    usual = Colours()
    names = ("paper", "ink", "accent")
    texts = [take.text(n, _COLOUR.fullmatch, _hex(getattr(usual, n))) for n in names]
    take.nothing_left()
    return Colours(*((int(t[1:3], 16), int(t[3:5], 16), int(t[5:7], 16)) for t in texts))


def _hex(colour: Colour) -> str:
    return "#" + bytes(colour).hex()


def _fits(text: str) -> bool:
    return len(text) <= MAX_TEXT


def _is_beside(name: str) -> bool:
    """Whether a name stays in the storyboard's own folder, on every system."""
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and ".." not in parts and "\\" not in name


def _is_seen(text: str) -> bool:
    return not any(
        unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
        and c not in _UNSEEN_ALLOWED
        for c in text
    )


_MISSING: Final = object()


class _Taker:
    """Takes keys out of one table, each of its type, and knows at the end what nobody asked for."""

    def __init__(self, table: object, place: str) -> None:
        self.place = place
        if not isinstance(table, dict):
            raise Fault(f"{place} is not a table", _AGAIN)
        self._left: dict[str, Any] = dict(table)

    def text(self, key: str, good: Callable[[str], object], default: object = _MISSING) -> str:
        value = self._left.pop(key, default)
        if not isinstance(value, str) or not _is_seen(value):
            raise Fault(f"{self.place} has no good '{key}'", _AGAIN)
        if value != default and not good(value):
            raise Fault(f"{self.place} has a '{key}' out of its bounds", _AGAIN)
        return value

    def number(self, key: str, least: float, most: float, default: object = _MISSING) -> float:
        value = self._left.pop(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Fault(f"{self.place} has no number '{key}'", _AGAIN)
        if not least <= value <= most:
            raise Fault(f"{self.place} has a '{key}' that is not {least:g} to {most:g}", _AGAIN)
        return float(value)

    def listed(self, key: str) -> list[Any]:
        value = self._left.pop(key, [])
        if not isinstance(value, list):
            raise Fault(f"{self.place} has a '{key}' that is not a list", _AGAIN)
        return value

    def table(self, key: str) -> Mapping[str, Any]:
        value = self._left.pop(key, {})
        if not isinstance(value, dict):
            raise Fault(f"{self.place} has a '{key}' that is not a table", _AGAIN)
        return value

    def nothing_left(self) -> None:
        if self._left:
            raise Fault(f"{self.place} has a key that means nothing here", _AGAIN)
