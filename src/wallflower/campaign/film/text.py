"""Lines: where text may break, what runs which way, and the largest size at which it fits.

Pillow shapes one run with one font (raqm: HarfBuzz and FriBidi). A line may need several: a Persian
sentence with a Latin name, brackets that the Arabic font lacks. `pieces` cuts it, in the order of
the eye. It follows UAX #9 for one level of embedding, which is all that a storyboard can hold: its
text has no characters that turn the direction. Where lines may break is UAX #14, by uniseg.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from uniseg.linebreak import line_break_units

# (text, size, bold) -> width, in the units of whoever asks
Measure = Callable[[str, float, bool], float]
# a character -> which font draws it
FontOf = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one line that one font draws in one direction."""

    text: str
    rtl: bool
    font: int


def pieces(line: str, rtl: bool, font_of: FontOf) -> list[Piece]:
    """A line cut into pieces, from left to right as they are seen."""
    ways = _ways(line, rtl)
    runs: list[list[Piece]] = []
    index = 0
    for way, group in groupby(ways):
        text = line[index : index + len(list(group))]
        index += len(text)
        inner = [Piece(part, way, font) for font, part in _by_font(text, font_of)]
        runs.append(inner[::-1] if way else inner)
    if rtl:
        runs.reverse()
    return [piece for run in runs for piece in run]


def _ways(line: str, rtl: bool) -> list[bool]:
    """The direction of each character: its own, or for neutral ones that of both neighbours, or
    the line's (UAX #9, N1 and N2; digits after right-to-left letters stay with them)."""
    strong: list[bool | None] = []
    for sign in line:
        kind = unicodedata.bidirectional(sign)
        strong.append(True if kind in ("R", "AL", "AN") else False if kind == "L" else None)
    for index, sign in enumerate(line):
        if unicodedata.bidirectional(sign) == "EN":
            strong[index] = next((w for w in reversed(strong[:index]) if w is not None), rtl)
    _pair_brackets(line, rtl, strong)
    filled: list[bool] = []
    for index, way in enumerate(strong):
        if way is None:
            before = filled[index - 1] if index else rtl
            after = next((w for w in strong[index + 1 :] if w is not None), rtl)
            way = before if before == after else rtl
        filled.append(way)
    return filled


_CLOSING = {"(": ")", "[": "]", "{": "}", "（": "）", "《": "》", "【": "】"}


def _pair_brackets(line: str, rtl: bool, strong: list[bool | None]) -> None:
    """Both brackets of a pair go one way (UAX #9, N0): the line's, unless they hold only what runs
    the other way and follow upon it."""
    opened: list[int] = []
    for index, sign in enumerate(line):
        if sign in _CLOSING:
            opened.append(index)
        elif opened and sign == _CLOSING[line[opened[-1]]]:
            start = opened.pop()
            inside = {way for way in strong[start + 1 : index] if way is not None}
            before = next((w for w in reversed(strong[:start]) if w is not None), rtl)
            if inside:
                strong[start] = strong[index] = rtl if rtl in inside else before


def _by_font(text: str, font_of: FontOf) -> Iterator[tuple[int, str]]:
    """Stretches of one font. A space or a mark stays with what it follows, if that font has it."""
    current: int | None = None
    start = 0
    for index, sign in enumerate(text):
        joined = sign == " " or unicodedata.category(sign) in ("Mn", "Cf")
        font = current if joined and current is not None else font_of(sign)
        if current is not None and font != current:
            yield current, text[start:index]
            start = index
        current = font
    if current is not None:
        yield current, text[start:]


def wrap(text: str, width: float, measure: Callable[[str], float]) -> list[str] | None:
    """The lines of a text in a width, or None when one unbreakable part is wider than it."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for unit in line_break_units(paragraph):
            if measure(unit.rstrip()) > width:
                return None
            if line and measure((line + unit).rstrip()) > width:
                lines.append(line.rstrip())
                line = ""
            line += unit
        lines.append(line.rstrip())
    return lines


def chop(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """The lines of an address; nothing is added to it. It breaks behind its slashes, else before
    its dots, and within a word only where that saves a line."""
    joints = (re.compile("/(?=[^/])"), re.compile(r"(?=\.)"))
    return min((_cut(text, width, measure, ways) for ways in (joints, ())), key=len)


def _cut(
    text: str, width: float, measure: Callable[[str], float], joints: Sequence[re.Pattern[str]]
) -> list[str]:
    lines: list[str] = []
    while measure(text) > width and len(text) > 1:
        fits = max((n for n in range(1, len(text)) if measure(text[:n]) <= width), default=1)
        ends = (max((m.end() for m in one.finditer(text) if m.end() <= fits), default=0)
                for one in joints)  # fmt: skip
        at = next(filter(None, ends), fits)
        lines.append(text[:at])
        text = text[at:]
    return [*lines, text]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Lines with the size at which they fit."""

    lines: tuple[str, ...]
    size: float


def fit(
    text: str,
    box: tuple[float, float],
    sizes: Sequence[float],
    spacing: float,
    measure: Callable[[str, float], float],
) -> Fitted | None:
    """The text at the first of `sizes` at which it fits the box (width, height), or None."""
    width, height = box
    for size in sizes:
        lines = wrap(text, width, lambda part, s=size: measure(part, s))  # type: ignore[misc]
        if lines is not None and len(lines) * size * spacing <= height:
            return Fitted(tuple(lines), size)
    return None
