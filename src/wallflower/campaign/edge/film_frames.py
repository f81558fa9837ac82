"""The pictures of a film, one after the other: cards that fade into each other, clips, captions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image

from wallflower.campaign.edge.film_draw import Painter
from wallflower.campaign.edge.film_source import Media, clip_frames
from wallflower.campaign.film.layout import caption_sheet, card_sheet, closing_sheet
from wallflower.campaign.film.storyboard import Card, Ending, Storyboard
from wallflower.campaign.film.timing import STEP, Cue, Scene, cue_at

FADE: Final = 0.35  # seconds out, then as long in: two texts on top of each other cannot be read


@dataclass(slots=True)
class Shown:
    """A card as it is painted: what lies under its words, and all of it. A clip has neither."""

    ground: Image.Image | None
    full: Image.Image | None
    clip: Media | None = None


@dataclass(slots=True)
class Reel:
    """One film in one size, ready to be painted frame by frame."""

    board: Storyboard
    ending: Ending
    scenes: Sequence[Scene]
    cues: Sequence[Cue]
    painter: Painter
    pictures: Mapping[str, Image.Image]
    clips: Mapping[str, Media]

    def body(self, rate: int) -> Iterator[Image.Image]:
        """Every frame before the closing card, in order, at `rate` a second."""
        for number in range(len(self.scenes) - 1):
            yield from self._scene(number, rate)

    def closing(self, rate: int) -> Iterator[Image.Image]:
        """The frames of the closing card, the only ones that show address and words."""
        return self._scene(len(self.scenes) - 1, rate)

    def _scene(self, number: int, rate: int) -> Iterator[Image.Image]:
        scene = self.scenes[number]
        shown = self.show(number)
        count = round((scene.end - scene.start) * STEP * rate)
        first = round(scene.start * STEP * rate)
        last = number == len(self.scenes) - 1
        pictures = (
            clip_frames(shown.clip, self.painter.size, rate, count)
            if shown.clip
            else _still(shown, self._fades_from(number, shown), count, rate, stays=last)
        )
        for index, picture in enumerate(pictures):
            yield self._captioned(picture, round((first + index) * 1000 / rate))

    def _fades_from(self, number: int, shown: Shown) -> Image.Image | None:
        """The ground of the card before; a card's own after a clip; nothing before the first."""
        if number == 0:
            return None
        before = self.scenes[number - 1].card
        return shown.ground if before.clip else self.painter.ground(self._under(before))

    def _under(self, card: Card) -> Image.Image | None:
        return self.pictures.get(card.picture)

    def show(self, number: int) -> Shown:
        """Paint one card."""
        card = self.scenes[number].card
        if card.clip:
            return Shown(None, None, self.clips[card.clip])
        ground = self.painter.ground(self._under(card))
        if number == len(self.scenes) - 1:
            sheet = closing_sheet(self.painter.hand, card, self.ending, self.painter.scale)
        else:
            place = f"card {number + 1}"
            sheet = card_sheet(self.painter.hand, card, self.board.footnote, place)
        return Shown(ground, self.painter.paint(ground, sheet))

    def _captioned(self, picture: Image.Image, ms: int) -> Image.Image:
        cue = cue_at(self.cues, ms)
        if cue is None:
            return picture
        sheet = caption_sheet(self.painter.hand, cue.text, f"the caption at {cue.start} ms")
        return self.painter.paint(picture, sheet)


def _still(
    shown: Shown, old: Image.Image | None, count: int, rate: int, *, stays: bool
) -> Iterator[Image.Image]:
    """A still card: the ground of the one before becomes its own, words come in, words go out."""
    assert shown.ground is not None and shown.full is not None  # noqa: S101  # no clip
    fade = min(round(FADE * rate), count // 4)
    for index in range(count):
        if old is not None and index < fade:
            yield Image.blend(old, shown.ground, index / fade)
        elif old is not None and index < 2 * fade:
            yield Image.blend(shown.ground, shown.full, (index - fade) / fade)
        elif not stays and index >= count - fade:
            yield Image.blend(shown.full, shown.ground, (index - count + fade + 1) / fade)
        else:
            yield shown.full
