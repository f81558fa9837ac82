"""Makes a campaign's film out of a storyboard or a film file, with everything that goes with it.

    film-480.mp4  film-240.mp4   the film, captions burnt in
    film.m4a                     its sound alone, if anybody speaks in it
    captions.vtt                 the captions as text
    poster.jpg                   its first picture
    card-01.png ...              its cards as pictures for messengers, with a code and the address
    film.json                    what is there: bytes, SHA-256, seconds

What took long is kept in a cache, under a hash of all that it was made of: the storyboard, every
file, address and words, fonts, and the versions of what drew and encoded it. The same film a second
time is a copy; with another address or other words only its closing card is encoded. Everything is
made aside and moved into place whole: a fault leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import PIL
from PIL import Image, features

from wallflower.campaign.edge.film_cache import cache_key, kept, place
from wallflower.campaign.edge.film_draw import Painter
from wallflower.campaign.edge.film_encode import encode_pictures, encode_voice, join, tool_versions
from wallflower.campaign.edge.film_fonts import Fonts, font_digests
from wallflower.campaign.edge.film_frames import Reel
from wallflower.campaign.edge.film_source import (
    Media,
    digest,
    probe,
    read_bytes,
    read_picture,
    samples,
)  # fmt: skip
from wallflower.campaign.film.layout import HEIGHT, SQUARE, square_sheet, square_words
from wallflower.campaign.film.rendition import (
    LARGE,
    RENDITIONS,
    SMALL,
    SOUND_RATE,
    VOICE,
    Rendition,
)  # fmt: skip
from wallflower.campaign.film.storyboard import (
    MAX_BYTES,
    Card,
    Ending,
    Storyboard,
    parse_storyboard,
)  # fmt: skip
from wallflower.campaign.film.timing import STEP, Scene, cues, timeline, webvtt
from wallflower.errors import Fault

RECIPE: Final = 2  # raised whenever the same inputs are to give other bytes
SQUARE_PIXELS: Final = 1080
_COLOURS: Final = 64  # of a picture for messengers
_POSTER_QUALITY: Final = 80

# (what is being made, how many steps are done, how many there are)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Film:
    """A film that was made: where it lies, what is there, and whether it came out of the cache."""

    folder: Path
    files: tuple[str, ...]
    cached: bool


@dataclass(frozen=True, slots=True)
class _Inputs:
    board: Storyboard
    ending: Ending
    folder: Path
    scenes: tuple[Scene, ...]
    media: Mapping[str, Media]
    pictures: Mapping[str, Image.Image]
    cache: Path
    progress: Progress


def make_film(
    source: Path, out: Path, ending: Ending, cache: Path, progress: Progress, language: str = "en",
    *, only_small: bool = False,
) -> Film:  # fmt: skip
    """Make everything of `source` (a storyboard .toml, or a film file in `language`) in `out`;
    `only_small` leaves it at the small film and the captions.

    Raises Fault for whatever is wrong with what went in; then `out` is as it was. Files in `out`
    that are none of a film's stay.
    """
    board = _board(source, language)
    made_of = {**_told(board, source.parent), "ending": asdict(ending), "only_small": only_small}

    def make(aside: Path) -> Mapping[str, Any]:
        inputs = _read(board, ending, source.parent, cache, progress)
        _make(inputs, aside, only_small=only_small)
        seconds = inputs.scenes[-1].end * STEP
        return {"language": board.language, "seconds": round(float(seconds), 3)}

    folder, cached = kept(cache, cache_key(made_of), make)
    return Film(out, place(folder, out), cached)


def _board(source: Path, language: str) -> Storyboard:
    if source.suffix == ".toml":
        return parse_storyboard(read_bytes(source, MAX_BYTES, "The storyboard"))
    return Storyboard(language, (Card(clip=source.name),), Card(seconds=8.0))


def language_of(source: Path, usual: str) -> str:
    """The language of a storyboard; of a film file, `usual`."""
    return _board(source, usual).language


def _told(board: Storyboard, folder: Path) -> dict[str, Any]:
    """What decides about the bytes of every picture of a board, closing card and all."""
    return {
        "recipe": RECIPE,
        "board": asdict(board),
        "files": {name: digest(_beside(folder, name), _named(name)) for name in board.files},
        "fonts": font_digests(),
        "tools": tool_versions()
        | {"pillow": PIL.__version__}
        | {name: str(features.version(name)) for name in ("raqm", "harfbuzz", "freetype2")},
    }


def _named(name: str) -> str:
    return f"The file {name}"


def _beside(folder: Path, name: str) -> Path:
    """A file of the storyboard's own folder; a link that leads out of it is refused."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise Fault(f"{_named(name)} lies outside of the storyboard's folder", "Copy it there.")
    return path


def _read(
    board: Storyboard, ending: Ending, folder: Path, cache: Path, progress: Progress
) -> _Inputs:
    """Look through everything before anything is made."""
    cards = (*board.cards, board.closing)
    clips = {card.clip for card in cards if card.clip}
    voices = {card.narration for card in cards if card.narration}
    media = {
        name: probe(_beside(folder, name), _named(name), picture=name in clips)
        for name in sorted(clips | voices)
    }
    pictures = {
        card.picture: read_picture(_beside(folder, card.picture), _named(card.picture))
        for card in cards
        if card.picture
    }
    played = [media.get(card.clip or card.narration) for card in cards]
    lengths = [file.seconds if file else None for file in played]
    scenes = timeline(cards, lengths)
    return _Inputs(board, ending, folder, scenes, media, pictures, cache, progress)


def _make(inputs: _Inputs, aside: Path, *, only_small: bool) -> None:
    """Everything of one film, in an empty folder."""
    scenes, progress = inputs.scenes, inputs.progress
    fonts = Fonts(inputs.board.language)
    spoken = cues(scenes)
    (aside / "captions.vtt").write_bytes(webvtt(spoken))
    for how in (SMALL,) if only_small else RENDITIONS:
        painter = _painter(inputs, fonts, (how.width, how.height), how.height / HEIGHT)
        reel = Reel(
            inputs.board, inputs.ending, scenes, spoken, painter, inputs.pictures, inputs.media
        )
        if how is LARGE:
            _poster(reel, aside / "poster.jpg")
        _encode(inputs, reel, how, aside / how.name)
    if only_small:
        return
    if any(_has_voice(inputs, scene.card) for scene in scenes):
        progress(VOICE.name, 0, 1)
        encode_voice(
            aside / VOICE.name, VOICE.sound_bits, _sound(inputs), lambda: progress(VOICE.name, 1, 1)
        )
    size = (SQUARE_PIXELS, SQUARE_PIXELS)
    _squares(inputs, _painter(inputs, fonts, size, SQUARE_PIXELS / SQUARE), aside)


def _painter(inputs: _Inputs, fonts: Fonts, size: tuple[int, int], scale: float) -> Painter:
    return Painter(fonts, inputs.board.colours, size, scale)


def _encode(inputs: _Inputs, reel: Reel, how: Rendition, path: Path) -> None:
    moving = any(scene.card.clip for scene in reel.scenes)
    rate = how.moving_rate if moving else how.rate
    seconds = reel.scenes[-1].end * STEP
    steps = _Steps(inputs.progress, how.name, round(seconds * rate))
    body = _body(inputs, reel, how, rate, steps)
    steps.reach(round(reel.scenes[-1].start * STEP * rate))
    closing = path.with_name(f"closing-{how.name}")
    encode_pictures(closing, how, rate, reel.closing(rate), steps.tick)
    join(path, (body, closing), how, rate, _sound(inputs))
    closing.unlink()
    if path.stat().st_size > how.most_bytes(seconds, rate):
        raise Fault(f"{how.name} is larger than its budget", "Shorten it, or calm its pictures.")


def _body(inputs: _Inputs, reel: Reel, how: Rendition, rate: int, steps: _Steps) -> Path:
    """The pictures before the closing card, which are the same with every address and all words."""
    bare = replace(inputs.board, closing=Card())

    def make(aside: Path) -> Mapping[str, Any]:
        encode_pictures(aside / how.name, how, rate, reel.body(rate), steps.tick)
        return {}

    made_of = {**_told(bare, inputs.folder), "how": asdict(how)}
    return kept(inputs.cache, cache_key(made_of), make)[0] / how.name


class _Steps:
    """How many frames of a film are done, told to whoever shows it."""

    def __init__(self, progress: Progress, name: str, all_: int) -> None:
        self._progress, self._name, self._all = progress, name, all_
        self.reach(0)

    def reach(self, done: int) -> None:
        """So many are done."""
        self._done = done
        self._progress(self._name, done, self._all)

    def tick(self) -> None:
        """One more is done."""
        self.reach(self._done + 1)


def _has_voice(inputs: _Inputs, card: Card) -> bool:
    return bool(card.narration) or bool(card.clip and inputs.media[card.clip].has_sound)


def _sound(inputs: _Inputs) -> Iterator[bytes]:
    """The whole film's sound: each card's voice, or silence, for exactly as long as the card."""
    for scene in inputs.scenes:
        count = round((scene.end - scene.start) * STEP * SOUND_RATE)
        card = scene.card
        if _has_voice(inputs, card):
            yield from samples(inputs.media[card.narration or card.clip], count)
        else:
            yield bytes(count * 2)


def _poster(reel: Reel, path: Path) -> None:
    first = reel.show(0)
    picture = first.full or next(reel.body(LARGE.rate))
    picture.save(path, "JPEG", quality=_POSTER_QUALITY, optimize=True)


def _squares(inputs: _Inputs, painter: Painter, aside: Path) -> None:
    """A picture of each card that says something, and of the closing card."""
    hand, ending = painter.hand, inputs.ending
    worded = [card for card in inputs.board.cards if card.title or card.text]
    sheets = [
        (card, square_sheet(hand, card, ending, painter.scale, "a picture card")) for card in worded
    ]
    closing = inputs.board.closing
    sheets.append((closing, square_words(hand, closing, ending, painter.scale)))
    for number, (card, sheet) in enumerate(sheets, 1):
        image = painter.paint(painter.ground(inputs.pictures.get(card.picture)), sheet)
        few = image.quantize(_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        few.save(aside / f"card-{number:02d}.png", "PNG", optimize=True)
        inputs.progress("pictures", number, len(sheets))
