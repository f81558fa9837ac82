"""Where everything stands on a card, a closing card and a picture for messengers.

A film's card is a grid of 432 by 240 units, whatever its size in pixels; a picture for messengers
270 by 270. What does not fit is a Fault that names the card: a text that is cut tells half a truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import segno

from wallflower.campaign.eightwords import WORDS
from wallflower.campaign.film.storyboard import Card, Ending
from wallflower.campaign.film.text import Measure, chop, fit
from wallflower.errors import Fault

WIDTH, HEIGHT = 432.0, 240.0
SQUARE: Final = 270.0
MARGIN: Final = 20.0
QUIET: Final = 4  # modules of white around a QR code (ISO/IEC 18004, 9.1)
LEAST_MODULE: Final = 3  # pixels: two survive no encoder, one no camera
CODE_SIDE: Final = 190.0
CAPTION_SIZES: Final = (14.0, 13.0, 12.0)
_BODY: Final = (18.0, 16.0, 14.5, 13.0, 12.0)
_TITLE: Final = (22.0, 19.0, 16.0, 14.0)
_CAPTION_BAND: Final = 48.0  # kept free at the foot of each card
_PANEL_SHARE: Final = 0.62  # of a card with a picture, for its words


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text: `x` is its leading edge (its left, or its right for right-to-left lines),
    or its middle when `centred`; `y` its baseline."""

    text: str
    x: float
    y: float
    size: float
    bold: bool = False
    accent: bool = False
    centred: bool = False
    rtl: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """A dark translucent box behind words, in units."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code with its quiet zone: the corner in units, the module in whole pixels."""

    left: float
    top: float
    module: int
    rows: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that is painted over the picture, in this order: panels, code, lines."""

    panels: tuple[Panel, ...] = ()
    code: Code | None = None
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Hand:
    """How a language is written: its direction, its distance of lines, the measure of its text."""

    rtl: bool
    spacing: float
    measure: Measure

    def lead(self, left: float, right: float) -> float:
        """The edge of a column at which a line begins."""
        return right if self.rtl else left


def _too_long(place: str) -> Fault:
    return Fault(f"The text of {place} does not fit", "Shorten it, or make two cards of it.")


def _block(
    hand: Hand, text: str, column: tuple[float, float], top: float, room: float,
    sizes: Sequence[float], place: str, *, bold: bool = False,
) -> tuple[list[Line], float]:  # fmt: skip
    """Lines of a text in a column (left, right) from `top` down, and where they end."""
    if not text:
        return [], top
    left, right = column
    fitted = fit(
        text, (right - left, room), sizes, hand.spacing, lambda t, s: hand.measure(t, s, bold)
    )
    if fitted is None:
        raise _too_long(place)
    step = fitted.size * hand.spacing
    x = hand.lead(left, right)
    lines = [
        Line(line, x, top + step * (number + 0.75), fitted.size, bold, bold, rtl=hand.rtl)
        for number, line in enumerate(fitted.lines)
    ]
    return lines, top + step * len(lines)


def card_sheet(hand: Hand, card: Card, footnote: str, place: str) -> Sheet:
    """A card of the film: title and text, beside the picture's better half if there is one."""
    left, right = MARGIN, WIDTH - MARGIN
    panels: tuple[Panel, ...] = ()
    if card.picture and (card.title or card.text):
        span = WIDTH * _PANEL_SHARE
        panel = (WIDTH - span, WIDTH) if hand.rtl else (0.0, span)
        left, right = panel[0] + MARGIN, panel[1] - MARGIN / 2
        panels = (Panel(panel[0], 0, panel[1], HEIGHT),)
    foot = HEIGHT - _CAPTION_BAND
    lines, y = _block(hand, card.title, (left, right), 26, 60, _TITLE, place, bold=True)
    body, _ = _block(hand, card.text, (left, right), y + 4, foot - y - 4, _BODY, place)
    note, _ = _block(hand, footnote, (left, right), 6, 18, (10.0, 9.0), "the footnote")
    return Sheet(panels, None, (*lines, *body, *note))


def closing_sheet(hand: Hand, card: Card, ending: Ending, scale: float) -> Sheet:
    """The closing card; `scale` is pixels a unit. Code on the trailing side, words beside it."""
    code = _code(ending.address, CODE_SIDE, scale)
    side = _side(code, scale)
    left = MARGIN / 2 if hand.rtl else WIDTH - MARGIN / 2 - side
    column = (left + side + MARGIN / 2, WIDTH - MARGIN) if hand.rtl else (MARGIN, left - MARGIN / 2)
    placed = Code(left, (HEIGHT - side) / 2, code.module, code.rows)
    lines, y = _block(
        hand, card.title, column, 14, 66, (17.0, 15.0, 13.0), "the closing card", bold=True
    )
    address, y = _address(hand, ending.address, column, y + 4, 11.5)
    words, y = _words(hand, ending.words, column, y + 6)
    if y > HEIGHT - 8:
        raise _too_long("the closing card")
    return Sheet((), placed, (*lines, *address, *words))


def _address(
    hand: Hand, address: str, column: tuple[float, float], top: float, size: float
) -> tuple[list[Line], float]:
    left, right = column
    parts = chop(address, right - left, lambda text: hand.measure(text, size, True))
    step = size * 1.25
    lines = [
        Line(part, left, top + step * (n + 0.8), size, bold=True) for n, part in enumerate(parts)
    ]
    return lines, top + step * len(parts)


def _words(
    hand: Hand, words: Sequence[str], column: tuple[float, float], top: float
) -> tuple[list[Line], float]:
    """Eight numbered words in two columns, read downwards, at the size at which all fit."""
    left, right = column
    half = (right - left - 6) / 2
    numbered = [f"{number} {word}" for number, word in enumerate(words, 1)]
    size = next(
        (s for s in (14.0, 13.0, 12.0, 11.0, 10.0)
         if all(hand.measure(text, s, False) <= half for text in numbered)), None,
    )  # fmt: skip
    if size is None:
        raise _too_long("the eight words")
    step = size * max(1.4, hand.spacing)
    rows = WORDS // 2
    lines = []
    for index, text in enumerate(numbered):
        shift = (half + 6) * (index // rows)
        x = right - shift if hand.rtl else left + shift
        y = top + step * (index % rows + 0.8)
        lines.append(Line(text, x, y, size, accent=True, rtl=hand.rtl))
    return lines, top + step * rows


def caption_sheet(hand: Hand, text: str, place: str) -> Sheet:
    """A caption in the band at the foot, over whatever is there; at most two lines."""
    room = WIDTH - 2 * MARGIN
    fitted = fit(
        text.strip(), (room, _CAPTION_BAND - 4), CAPTION_SIZES, hand.spacing,
        lambda part, size: hand.measure(part, size, False),
    )  # fmt: skip
    if fitted is None or len(fitted.lines) > 2:
        raise _too_long(place)
    step = fitted.size * hand.spacing
    top = HEIGHT - 5 - step * len(fitted.lines)
    widest = max(hand.measure(line, fitted.size, False) for line in fitted.lines)
    lines = tuple(
        Line(line, WIDTH / 2, top + step * (n + 0.75), fitted.size, centred=True, rtl=hand.rtl)
        for n, line in enumerate(fitted.lines)
    )
    middle, half = WIDTH / 2, widest / 2 + 6
    return Sheet((Panel(middle - half, top - 2, middle + half, HEIGHT - 3),), None, lines)


def square_sheet(hand: Hand, card: Card, ending: Ending, scale: float, place: str) -> Sheet:
    """A picture for messengers: the card's words above, the way to more of them below."""
    code = _code(ending.address, 112, scale)
    side = _side(code, scale)
    top = SQUARE - side - 8
    left = 8.0 if hand.rtl else SQUARE - side - 8
    placed = Code(left, top, code.module, code.rows)
    whole = (14.0, SQUARE - 14)
    beside = (left + side + 8, SQUARE - 14) if hand.rtl else (14.0, left - 8)
    lines, y = _block(hand, card.title, whole, 10, 56, _TITLE, place, bold=True)
    body, _ = _block(hand, card.text, whole, y + 4, top - y - 8, _BODY, place)
    address, _ = _address(hand, ending.address, beside, top + 8, 9.0)
    return Sheet((Panel(0, 0, SQUARE, SQUARE),), placed, (*lines, *body, *address))


def square_words(hand: Hand, card: Card, ending: Ending, scale: float) -> Sheet:
    """The last picture for messengers: the eight words, with address and code."""
    sheet = square_sheet(hand, card, ending, scale, "the closing card")
    top = max((line.y for line in sheet.lines if line.bold and line.accent), default=20.0) + 8
    words, y = _words(hand, ending.words, (14.0, SQUARE - 14), top)
    if sheet.code is None or y > sheet.code.top:
        raise _too_long("the closing card")
    return Sheet(sheet.panels, sheet.code, (*sheet.lines, *words))


def qr_rows(address: str) -> tuple[bytes, ...]:
    """The modules of an address' QR code, 1 for dark; level M survives an encoder's blur."""
    return tuple(bytes(row) for row in segno.make(address, error="m", micro=False).matrix)


def _code(address: str, side: float, scale: float) -> Code:
    """The largest code of whole pixels that fits `side` units."""
    rows = qr_rows(address)
    module = int(side * scale // (len(rows) + 2 * QUIET))
    if module < LEAST_MODULE:
        raise Fault("The address is too long for a code in a small film", "Use a shorter address.")
    return Code(0, 0, module, rows)


def _side(code: Code, scale: float) -> float:
    """The side of a code with its quiet zone, in units."""
    return (len(code.rows) + 2 * QUIET) * code.module / scale
