"""Picture cards: a campaign's text as PNG, for where only pictures get through.

Shaping is Pillow's raqm (HarfBuzz and FriBidi): without it Persian letters would not join and lines
would run the wrong way, so a Pillow without it is a Fault and not an ugly card.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import segno
from PIL import Image, ImageDraw, ImageFont, features

from wallflower.campaign.film.storyboard import is_rtl
from wallflower.campaign.texts import Text
from wallflower.errors import Fault

WIDTH: Final = 1080
HEIGHT: Final = 1350
_MARGIN: Final = 72
_GROUND, _INK, _ACCENT = "#fffdf8", "#25231e", "#7d4e00"
_QR_DOT: Final = 8
_SPACELESS: Final = frozenset({"zh-Hans", "zh-Hant", "ja"})
_NOT_FIRST: Final = "，。、；：！？）》”’"  # a Chinese line does not begin with these
_DIGITS: Final = {"fa": str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")}
_NOTO: Final = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
_DEJAVU: Final = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
_FONTS: Final = {"zh-Hans": (_NOTO, 2)}  # the file's third face is the simplified one

Font = ImageFont.FreeTypeFont


@dataclass(frozen=True, slots=True)
class _Style:
    """How one language is set."""

    language: str
    right: bool
    body: Font
    head: Font

    def width(self, font: Font, line: str) -> float:
        return font.getlength(line, direction=self._direction, language=self.language)

    @property
    def _direction(self) -> str:
        return "rtl" if self.right else "ltr"

    def put(self, draw: ImageDraw.ImageDraw, y: int, line: str, font: Font, fill: str) -> None:
        x = WIDTH - _MARGIN if self.right else _MARGIN
        draw.text(
            (x, y), line, fill, font, anchor="ra" if self.right else "la",
            direction=self._direction, language=self.language,
        )  # fmt: skip


def draw_cards(text: Text, address: str) -> Iterator[tuple[str, bytes]]:
    """The cards of one language: name and PNG. The first has the QR code of `address`, if any."""
    style = _style(text.language)
    card, draw, y, number = *_blank(), _MARGIN, 1
    y = _paragraph(style, draw, y, text.name, style.head, _ACCENT)
    y = _paragraph(style, draw, y, text.lead, style.body, _INK)
    if address:
        y = _code(card, style, draw, y, address)
    for font, fill, words in _pieces(style, text):
        # A heading does not stand alone at the foot of a card.
        room = _height(style, words, font) + (6 * _step(style.body) if font is style.head else 0)
        if y + room > HEIGHT - _MARGIN:
            yield f"{text.language}-{number}.png", _png(card)
            card, draw, y, number = *_blank(), _MARGIN, number + 1
        y = _paragraph(style, draw, y, words, font, fill)
    yield f"{text.language}-{number}.png", _png(card)


def _pieces(style: _Style, text: Text) -> Iterator[tuple[Font, str, str]]:
    """Headings and items in order, without their Markdown."""
    for line in text.body.splitlines():
        words = line.replace("**", "").replace("*", "").strip()
        if words.startswith("#"):
            yield style.head, _ACCENT, words.lstrip("# ")
        elif words:
            yield style.body, _INK, _numbered(style, re.sub(r"^- ", "• ", words))


def _numbered(style: _Style, words: str) -> str:
    """The number of a step in the language's own digits, as in its text."""
    own = _DIGITS.get(style.language, {})
    return re.sub(r"^\d+", lambda found: found[0].translate(own), words)


def _style(language: str) -> _Style:
    if not features.check("raqm"):
        raise Fault(
            "This Pillow cannot shape text", "Install one with raqm, or build with --without-cards."
        )
    path, face = _FONTS.get(language, (_DEJAVU, 0))
    if not Path(path).is_file():
        raise Fault(
            f"There is no font for cards in {language}",
            "Type: apt-get install fonts-dejavu-core fonts-noto-cjk. Or build with "
            "--without-cards.",
        )
    body, head = (
        ImageFont.truetype(path, size, face, layout_engine=ImageFont.Layout.RAQM)
        for size in (30, 44)
    )
    return _Style(language, is_rtl(language), body, head)


def _lines(style: _Style, words: str, font: Font) -> list[str]:
    """Words broken into lines that fit; where a language has no spaces, between characters."""
    spaceless = style.language in _SPACELESS
    parts = re.findall(r"[\x21-\x7e]+|.", words) if spaceless else words.split(" ")
    lines, line = [], ""
    for part in parts:
        longer = line + part if spaceless or not line else f"{line} {part}"
        fits = style.width(font, longer) <= WIDTH - 2 * _MARGIN
        if line and not fits and part not in _NOT_FIRST:
            lines.append(line)
            line = part.lstrip()
        else:
            line = longer
    return [*lines, line]


def _step(font: Font) -> int:
    return round(font.size * 1.45)


def _height(style: _Style, words: str, font: Font) -> int:
    return len(_lines(style, words, font)) * _step(font) + _step(font) // 3


def _paragraph(
    style: _Style, draw: ImageDraw.ImageDraw, y: int, words: str, font: Font, fill: str
) -> int:
    """Set it at `y`; where the next one begins."""
    for number, line in enumerate(_lines(style, words, font)):
        style.put(draw, y + number * _step(font), line, font, fill)
    return y + _height(style, words, font)


def _code(card: Image.Image, style: _Style, draw: ImageDraw.ImageDraw, y: int, address: str) -> int:
    """The address as a QR code and as text beneath it: a code alone cannot be read by people."""
    png = BytesIO()
    segno.make(address, error="m", micro=False).save(png, kind="png", scale=_QR_DOT, border=4)
    code = Image.open(png).convert("RGB")
    card.paste(code, ((WIDTH - code.width) // 2, y))
    below = y + code.height + _step(style.body) // 2
    font = ImageFont.truetype(_DEJAVU, 26)
    draw.text((WIDTH / 2, below), address, _INK, font, anchor="ma")
    return below + 2 * _step(style.body)


def _blank() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    card = Image.new("RGB", (WIDTH, HEIGHT), _GROUND)
    return card, ImageDraw.Draw(card)


def _png(card: Image.Image) -> bytes:
    """Without a date, a program's name, or anything but the pixels."""
    out = BytesIO()
    few = card.quantize(16, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(out, "PNG", compress_level=6)
    return out.getvalue()
