"""The pictures of a film, one after the other: cards that fade into each other, clips, captions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image

from wallflower.campaign.edge.film_draw import Painter
from wallflower.campaign.edge.film_source import Media, clip_frames
from wallflower.campaign.film.layout import caption_sheet, card_sheet, closing_sheet
from wallflower.campaign.film.storyboard import Ending, Storyboard
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

    def frames(self, rate: int) -> Iterator[Image.Image]:
        """Every frame, in order, at `rate` a second."""
        before: Shown | None = None
        for number, scene in enumerate(self.scenes):
            shown = self.show(number)
            count = round((scene.end - scene.start) * STEP * rate)
            first = round(scene.start * STEP * rate)
            last = number == len(self.scenes) - 1
            pictures = (
                clip_frames(shown.clip, self.painter.size, rate, count)
                if shown.clip
                else _still(shown, before, count, rate, stays=last)
            )
            for index, picture in enumerate(pictures):
                yield self._captioned(picture, round((first + index) * 1000 / rate))
            before = shown

    def show(self, number: int) -> Shown:
        """Paint one card."""
        card = self.scenes[number].card
        if card.clip:
            return Shown(None, None, self.clips[card.clip])
        ground = self.painter.ground(self.pictures.get(card.picture))
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
    shown: Shown, before: Shown | None, count: int, rate: int, *, stays: bool
) -> Iterator[Image.Image]:
    """A still card: the ground of the one before becomes its own, words come in, words go out."""
    assert shown.ground is not None and shown.full is not None  # noqa: S101  # no clip
    fade = min(round(FADE * rate), count // 4)
    old = before.ground if before and before.ground else shown.ground
    for index in range(count):
        if before is not None and index < fade:
            yield Image.blend(old, shown.ground, index / fade)
        elif before is not None and index < 2 * fade:
            yield Image.blend(shown.ground, shown.full, (index - fade) / fade)
        elif not stays and index >= count - fade:
            yield Image.blend(shown.full, shown.ground, (index - count + fade + 1) / fade)
        else:
            yield shown.full
