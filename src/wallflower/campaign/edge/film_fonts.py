"""The fonts that draw a film: Debian's Noto, and shaping by HarfBuzz and FriBidi inside of Pillow.

A character that no font here has is a Fault: a box with a cross in it, on a film that many people
saw, cannot be taken back.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTFont
from PIL import ImageFont, features

from wallflower.campaign.film.storyboard import is_rtl
from wallflower.campaign.film.text import Piece, pieces
from wallflower.errors import Fault

FONTS: Final = Path("/usr/share/fonts")
_NOTO: Final = "truetype/noto/{}-{}.ttf"
_CJK: Final = "opentype/noto/NotoSansCJK-{}.ttc"
_FACES: Final = {"ja": 0, "ko": 1, "zh": 2, "zh-Hans": 2, "zh-Hant": 3, "zh-HK": 4}
_SIMPLIFIED: Final = 2  # the face of the collection for languages that do not ask for one
_SPACING: Final = {"bo": 1.75, "dz": 1.75}
_INSTALL: Final = "Type: apt-get install -y fonts-noto-core fonts-noto-cjk libfribidi0"


class Typeface:
    """The fonts of one language in one weight, its own first."""

    def __init__(self, language: str, *, bold: bool) -> None:
        weight = "Bold" if bold else "Regular"
        sans, arabic, tibetan = (
            (_NOTO.format(name, weight), 0)
            for name in ("NotoSans", "NotoSansArabic", "NotoSerifTibetan")
        )
        chinese = (_CJK.format(weight), _FACES.get(language, _SIMPLIFIED))
        stem = language.split("-")[0]
        order = [sans, arabic, tibetan, chinese]
        own = {"bo": tibetan, "dz": tibetan, **dict.fromkeys(("zh", "ja", "ko"), chinese)}
        first = own.get(stem, arabic if is_rtl(language) else sans)
        self.faces = [first, *(face for face in order if face != first)]

    def font_of(self, sign: str) -> int:
        """Which of `faces` draws a character."""
        for number, (name, face) in enumerate(self.faces):
            if ord(sign) in _covered(name, face):
                return number
        raise Fault(
            f"No font here has the character U+{ord(sign):04X}", "Take it out of the storyboard."
        )


class Fonts:
    """Measures and names the fonts of one language. Sizes are in pixels."""

    def __init__(self, language: str) -> None:
        if not features.check("raqm") or not features.check("fribidi"):
            raise Fault("Pillow cannot shape scripts here", _INSTALL)
        self.language = language
        self.rtl = is_rtl(language)
        self.spacing = _SPACING.get(language, 1.5 if self.rtl else 1.35)
        self._faces = {bold: Typeface(language, bold=bold) for bold in (False, True)}

    def pieces(self, text: str, *, bold: bool, rtl: bool) -> list[Piece]:
        """A line cut into what one font draws in one direction, from left to right."""
        return pieces(text, rtl, self._faces[bold].font_of)

    def font(self, piece: Piece, size: float, *, bold: bool) -> ImageFont.FreeTypeFont:
        """The font of a piece, in whole pixels."""
        name, face = self._faces[bold].faces[piece.font]
        return _font(name, face, max(1, round(size)))

    def width(self, piece: Piece, size: float, *, bold: bool) -> float:
        """How far a piece advances."""
        font = self.font(piece, size, bold=bold)
        return font.getlength(piece.text, direction="rtl" if piece.rtl else "ltr")

    def measure(self, text: str, size: float, bold: bool) -> float:
        """The width of a line."""
        cut = self.pieces(text, bold=bold, rtl=self.rtl)
        return sum(self.width(piece, size, bold=bold) for piece in cut)


def font_digests() -> dict[str, str]:
    """Each font file that a film may use with its SHA-256: other glyphs are another film."""
    names = {name for bold in (False, True) for name, _ in Typeface("en", bold=bold).faces}
    return {name: _digest(name) for name in sorted(names) if (FONTS / name).is_file()}


@lru_cache(maxsize=16)
def _digest(name: str) -> str:
    return hashlib.sha256(_path(name).read_bytes()).hexdigest()


def _path(name: str) -> Path:
    path = FONTS / name
    if not path.is_file():
        raise Fault(f"The font {name} is missing", _INSTALL)
    return path


@lru_cache(maxsize=16)
def _covered(name: str, face: int) -> frozenset[int]:
    with TTFont(_path(name), fontNumber=face, lazy=True) as font:
        return frozenset(font.getBestCmap())


@lru_cache(maxsize=64)
def _font(name: str, face: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_path(name), size, index=face, layout_engine=ImageFont.Layout.RAQM)
