"""When each card and caption stands, and the same captions as WebVTT (W3C WebVTT, sections 4-5).

All times are whole frames of twelve a second, so that pictures, sound and captions of every
rendition begin and end at the same instants.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from wallflower.campaign.film.storyboard import MAX_SECONDS, Caption, Card
from wallflower.errors import Fault

STEP: Final = Fraction(1, 12)  # seconds; nothing in a film of cards moves faster
BREATH: Final = Fraction(5, 12)  # after a voice has ended, before the next card


@dataclass(frozen=True, slots=True)
class Cue:
    """A caption on the film's clock, in milliseconds: start included, end excluded."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Scene:
    """One card on the film's clock, in steps of STEP: start included, end excluded."""

    card: Card
    start: int
    end: int


def timeline(cards: Sequence[Card], lengths: Sequence[Fraction | None]) -> tuple[Scene, ...]:
    """Put cards one after the other. `lengths` are the seconds of each card's clip or narration.

    A clip's card lasts as long as its clip; another at least as long as its voice.
    """
    scenes = []
    now = 0
    for card, length in zip(cards, lengths, strict=True):
        seconds = Fraction(card.seconds)
        if length is not None:
            spoken = Fraction(length)
            seconds = spoken if card.clip else max(seconds, spoken + BREATH)
        steps = max(1, math.ceil(seconds / STEP))
        scenes.append(Scene(card, now, now + steps))
        now += steps
    if now * STEP > MAX_SECONDS:
        raise Fault(f"The film is longer than {MAX_SECONDS} seconds", "Make it shorter.")
    return tuple(scenes)


def cues(scenes: Sequence[Scene]) -> tuple[Cue, ...]:
    """All captions on the film's clock: in order, none over another, each inside of its card."""
    found: list[Cue] = []
    for number, scene in enumerate(scenes, 1):
        start, end = _ms(scene.start), _ms(scene.end)
        captions = scene.card.captions
        placed = _spread(captions, start, end)
        for cue in placed:
            if not start <= cue.start < cue.end <= end or (found and cue.start < found[-1].end):
                raise Fault(
                    f"A caption of card {number} has no time of its own on it",
                    "Captions follow each other and end with their card. Correct start and end.",
                )
            found.append(cue)
    return tuple(found)


def _ms(steps: int) -> int:
    return round(steps * STEP * 1000)


def _spread(captions: Sequence[Caption], start: int, end: int) -> list[Cue]:
    """Each caption where it says, or a share of the card by how long it takes to read."""
    if not captions or captions[0].start is not None:
        return [
            Cue(start + round((c.start or 0) * 1000), start + round((c.end or 0) * 1000), c.text)
            for c in captions
        ]
    weights = [_weight(c.text) for c in captions]
    edges = [
        start + (end - start) * sum(weights[:i]) // sum(weights) for i in range(len(weights) + 1)
    ]
    return [Cue(a, b, c.text) for a, b, c in zip(edges, edges[1:], captions, strict=False)]


def _weight(text: str) -> int:
    """How long a text takes to read: a Chinese character about as long as two letters."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def cue_at(found: Sequence[Cue], ms: int) -> Cue | None:
    """The caption that stands at an instant."""
    return next((cue for cue in found if cue.start <= ms < cue.end), None)


def webvtt(found: Sequence[Cue]) -> bytes:
    """The captions as a WebVTT file, without styles, notes or a name of what made it."""
    blocks = ["WEBVTT\n"]
    for number, cue in enumerate(found, 1):
        lines = [line.strip() for line in _escaped(cue.text).split("\n")]
        text = "\n".join(line for line in lines if line)  # an empty line would end the cue
        blocks.append(f"{number}\n{_stamp(cue.start)} --> {_stamp(cue.end)}\n{text}\n")
    return "\n".join(blocks).encode("utf-8")


def _stamp(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
