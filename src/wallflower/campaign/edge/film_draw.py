"""Paints cards: a ground or a picture, and on it what the layout says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw, ImageOps

from wallflower.campaign.edge.film_fonts import Fonts
from wallflower.campaign.film.layout import QUIET, Code, Hand, Line, Panel, Sheet
from wallflower.campaign.film.storyboard import Colour, Colours

_PANEL: Final = (12, 16, 18, 176)
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Painter:
    """Paints sheets of one language at one size; `scale` is pixels a unit."""

    fonts: Fonts
    colours: Colours
    size: tuple[int, int]
    scale: float

    @property
    def hand(self) -> Hand:
        """What the layout has to know of the fonts; in units."""
        return Hand(self.fonts.rtl, self.fonts.spacing, self._measure)

    def _measure(self, text: str, size: float, bold: bool) -> float:
        return self.fonts.measure(text, size * self.scale, bold) / self.scale

    def ground(self, picture: Image.Image | None) -> Image.Image:
        """What lies under the words: the picture, cut to fill, or paper that darkens downwards."""
        if picture is not None:
            return ImageOps.fit(picture, self.size, Image.Resampling.LANCZOS)
        width, height = self.size
        column = Image.new("RGB", (1, height))
        for y in range(height):
            column.putpixel((0, y), _darker(self.colours.paper, 1 - 0.35 * y / height))
        return column.resize((width, height), Image.Resampling.NEAREST)

    def paint(self, ground: Image.Image, sheet: Sheet) -> Image.Image:
        """A copy of the ground with a sheet on it."""
        image = ground.copy()
        draw = ImageDraw.Draw(image, "RGBA")
        for panel in sheet.panels:
            self._panel(draw, panel)
        if sheet.code is not None:
            self._code(draw, sheet.code)
        for line in sheet.lines:
            self._line(draw, line)
        return image

    def _panel(self, draw: ImageDraw.ImageDraw, panel: Panel) -> None:
        box = [round(v * self.scale) for v in (panel.left, panel.top, panel.right, panel.bottom)]
        draw.rectangle([box[0], box[1], box[2] - 1, box[3] - 1], fill=_PANEL)

    def _code(self, draw: ImageDraw.ImageDraw, code: Code) -> None:
        left, top = round(code.left * self.scale), round(code.top * self.scale)
        m = code.module
        side = (len(code.rows) + 2 * QUIET) * m
        draw.rectangle([left, top, left + side - 1, top + side - 1], fill=_WHITE)
        for y, row in enumerate(code.rows):
            for x, dark in enumerate(row):
                if dark:
                    px, py = left + (x + QUIET) * m, top + (y + QUIET) * m
                    draw.rectangle([px, py, px + m - 1, py + m - 1], fill=_BLACK)

    def _line(self, draw: ImageDraw.ImageDraw, line: Line) -> None:
        size = line.size * self.scale
        cut = self.fonts.pieces(line.text, bold=line.bold, rtl=line.rtl)
        widths = [self.fonts.width(piece, size, bold=line.bold) for piece in cut]
        x = line.x * self.scale
        if line.centred:
            x -= sum(widths) / 2
        elif line.rtl:
            x -= sum(widths)
        colour = self.colours.accent if line.accent else self.colours.ink
        for piece, width in zip(cut, widths, strict=True):
            font = self.fonts.font(piece, size, bold=line.bold)
            way = "rtl" if piece.rtl else "ltr"
            place = (round(x), round(line.y * self.scale))
            draw.text(place, piece.text, fill=colour, font=font, anchor="ls", direction=way)
            x += width


def _darker(colour: Colour, share: float) -> Colour:
    red, green, blue = (round(part * share) for part in colour)
    return red, green, blue
