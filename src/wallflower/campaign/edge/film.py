"""Makes a campaign's film out of a storyboard or a film file, with everything that goes with it.

    film-480.mp4  film-240.mp4   the film, captions burnt in
    film.m4a                     its sound alone, if anybody speaks in it
    captions.vtt                 the captions as text
    poster.jpg                   its first picture
    card-01.png ...              its cards as pictures for messengers, with a code and the address
    film.json                    what is there: bytes, SHA-256, seconds

What took long is kept in a cache, under a hash of all that it was made of: the storyboard, every
file, address and words, fonts, and the versions of what drew and encoded it. The same film a second
time is a copy. Everything is made aside and moved into place whole: a fault leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import PIL
from PIL import Image, features

from wallflower.campaign.edge.film_draw import Painter
from wallflower.campaign.edge.film_encode import encode_film, encode_voice, tool_versions
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
from wallflower.campaign.film.rendition import LARGE, RENDITIONS, SOUND_RATE, VOICE, Rendition
from wallflower.campaign.film.storyboard import (
    MAX_BYTES,
    Card,
    Ending,
    Storyboard,
    parse_storyboard,
)  # fmt: skip
from wallflower.campaign.film.timing import STEP, Scene, cues, timeline, webvtt
from wallflower.errors import Fault

RECIPE: Final = 1  # raised whenever the same inputs are to give other bytes
INDEX: Final = "film.json"
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


def make_film(
    source: Path, out: Path, ending: Ending, cache: Path, progress: Progress, language: str = "en"
) -> Film:
    """Make everything of `source` (a storyboard .toml, or a film file in `language`) in `out`.

    Raises Fault for whatever is wrong with what went in; then `out` is as it was. Files in `out`
    that are none of a film's stay.
    """
    board = _board(source, language)
    key = _key(board, ending, source.parent)
    cache.mkdir(parents=True, exist_ok=True)
    kept = cache / key
    cached = _is_whole(kept)
    if not cached:
        inputs = _read(board, ending, source.parent)
        with tempfile.TemporaryDirectory(dir=cache, prefix="making-") as around:
            aside = Path(around) / "film"
            aside.mkdir()
            _make(inputs, aside, progress)
            shutil.rmtree(kept, ignore_errors=True)
            aside.replace(kept)
    return Film(out, _place(kept, out), cached)


def _board(source: Path, language: str) -> Storyboard:
    if source.suffix == ".toml":
        return parse_storyboard(read_bytes(source, MAX_BYTES, "The storyboard"))
    return Storyboard(language, (Card(clip=source.name),), Card(seconds=8.0))


def _key(board: Storyboard, ending: Ending, folder: Path) -> str:
    """The hash of everything that decides about the bytes."""
    told = {
        "recipe": RECIPE,
        "board": asdict(board),
        "ending": asdict(ending),
        "files": {name: digest(_beside(folder, name), _named(name)) for name in board.files},
        "fonts": font_digests(),
        "tools": tool_versions()
        | {"pillow": PIL.__version__}
        | {name: str(features.version(name)) for name in ("raqm", "harfbuzz", "freetype2")},
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _named(name: str) -> str:
    return f"The file {name}"


def _beside(folder: Path, name: str) -> Path:
    """A file of the storyboard's own folder; a link that leads out of it is refused."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise Fault(f"{_named(name)} lies outside of the storyboard's folder", "Copy it there.")
    return path


def _read(board: Storyboard, ending: Ending, folder: Path) -> _Inputs:
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
    return _Inputs(board, ending, folder, timeline(cards, lengths), media, pictures)


def _make(inputs: _Inputs, aside: Path, progress: Progress) -> None:
    """Everything of one film, in an empty folder."""
    scenes = inputs.scenes
    fonts = Fonts(inputs.board.language)
    spoken = cues(scenes)
    (aside / "captions.vtt").write_bytes(webvtt(spoken))
    for how in RENDITIONS:
        painter = _painter(inputs, fonts, (how.width, how.height), how.height / HEIGHT)
        reel = Reel(
            inputs.board, inputs.ending, scenes, spoken, painter, inputs.pictures, inputs.media
        )
        if how is LARGE:
            _poster(reel, aside / "poster.jpg")
        _encode(inputs, reel, how, aside / how.name, progress)
    if any(_has_voice(inputs, scene.card) for scene in scenes):
        progress(VOICE.name, 0, 1)
        encode_voice(
            aside / VOICE.name, VOICE.sound_bits, _sound(inputs), lambda: progress(VOICE.name, 1, 1)
        )
    size = (SQUARE_PIXELS, SQUARE_PIXELS)
    _squares(inputs, _painter(inputs, fonts, size, SQUARE_PIXELS / SQUARE), aside, progress)
    _index(inputs, aside)


def _painter(inputs: _Inputs, fonts: Fonts, size: tuple[int, int], scale: float) -> Painter:
    return Painter(fonts, inputs.board.colours, size, scale)


def _encode(inputs: _Inputs, reel: Reel, how: Rendition, path: Path, progress: Progress) -> None:
    moving = any(scene.card.clip for scene in reel.scenes)
    rate = how.moving_rate if moving else how.rate
    seconds = reel.scenes[-1].end * STEP
    total = round(seconds * rate)
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        progress(how.name, done, total)

    progress(how.name, 0, total)
    encode_film(path, how, rate, reel.frames(rate), _sound(inputs), tick)
    if path.stat().st_size > how.most_bytes(seconds, rate):
        raise Fault(f"{how.name} is larger than its budget", "Shorten it, or calm its pictures.")


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
    picture = first.full or next(reel.frames(1))
    picture.save(path, "JPEG", quality=_POSTER_QUALITY, optimize=True)


def _squares(inputs: _Inputs, painter: Painter, aside: Path, progress: Progress) -> None:
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
        progress("pictures", number, len(sheets))


def _index(inputs: _Inputs, aside: Path) -> None:
    """film.json, which is made last: a folder that has a true one is whole."""
    seconds = inputs.scenes[-1].end * STEP
    about: dict[str, Any] = {
        "language": inputs.board.language,
        "seconds": round(float(seconds), 3),
        "files": {path.name: _told(path.read_bytes()) for path in sorted(aside.iterdir())},
    }
    text = json.dumps(about, indent=1, sort_keys=True) + "\n"
    (aside / INDEX).write_text(text, encoding="utf-8", newline="\n")


def _told(data: bytes) -> dict[str, int | str]:
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _is_whole(kept: Path) -> bool:
    """Whether a folder of the cache holds what its index says, to the byte."""
    try:
        about = json.loads((kept / INDEX).read_bytes())
        return bool(about["files"]) and all(
            _told((kept / name).read_bytes()) == told for name, told in about["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _place(kept: Path, out: Path) -> tuple[str, ...]:
    """Put a film into `out`: what an older one left there goes, the index comes last."""
    names: Sequence[str] = sorted(json.loads((kept / INDEX).read_bytes())["files"])
    out.mkdir(parents=True, exist_ok=True)
    (out / INDEX).unlink(missing_ok=True)
    for pattern in ("film-*.mp4", "film.m4a", "card-??.png"):
        for old in out.glob(pattern):
            if old.name not in names:
                old.unlink()
    for name in (*names, INDEX):
        beside = out / f"{name}.new"
        try:
            shutil.copyfile(kept / name, beside)
            beside.replace(out / name)
        finally:
            beside.unlink(missing_ok=True)
    return (*names, INDEX)
