"""Reads what others made: pictures, clips and voices. Only pixels and samples come out of them.

Whatever else a file says (place, time, camera, owner, chapters, subtitles, other streams) has no
way into a film, since a film is encoded anew from these. A container is chosen by its first bytes
and never guessed by FFmpeg, whose playlists would open other files and addresses; no protocol is
allowed. These parsers are C and large: give them an organisation's own files, not a stranger's.
"""

from __future__ import annotations

import hashlib
import stat
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.container import InputContainer
from PIL import Image, ImageOps, UnidentifiedImageError

from wallflower.campaign.film.rendition import SOUND_RATE
from wallflower.campaign.film.storyboard import MAX_SECONDS
from wallflower.errors import Fault

MAX_FILE: Final = 2 * 1024**3
MAX_PICTURE_FILE: Final = 64 * 1024**2
MAX_PIXELS: Final = 40_000_000  # of a picture: a good camera's
MAX_FRAME: Final = (4096, 2304)  # of a clip: what phones film in
MAX_PACKETS: Final = MAX_SECONDS * 120 + MAX_SECONDS * 200  # pictures and sound of a fast phone
MAX_STREAMS: Final = 16
SHORTFALL: Final = Fraction(1, 2)  # seconds that a file may lack of what it announces
_PICTURES: Final = ("PNG", "JPEG", "WEBP")
_ANOTHER: Final = "Use another copy, or save it again in another program."
# The first bytes of what is read, where they stand, and FFmpeg's name for it.
_CONTAINERS: Final = (
    (b"ftyp", 4, "mp4"),
    (b"\x1a\x45\xdf\xa3", 0, "matroska"),
    (b"WAVE", 8, "wav"),
    (b"fLaC", 0, "flac"),
    (b"OggS", 0, "ogg"),
    (b"ID3", 0, "mp3"),
    (b"\xff\xfb", 0, "mp3"),
    (b"\xff\xf3", 0, "mp3"),
)
_MAX_PIXELS: Final = str(MAX_FRAME[0] * MAX_FRAME[1])
_OPENING: Final = {"protocol_whitelist": "none", "max_pixels": _MAX_PIXELS}
_DECODING: Final = {"err_detect": "explode", "max_pixels": _MAX_PIXELS}


@dataclass(frozen=True, slots=True)
class Media:
    """What is in a clip or a voice: seconds that it lasts, and which streams it has."""

    path: Path
    seconds: Fraction
    has_picture: bool
    has_sound: bool


def read_bytes(path: Path, most: int, what: str) -> bytes:
    """A whole file of at most `most` bytes."""
    _check_file(path, most, what)
    return path.read_bytes()


def digest(path: Path, what: str) -> str:
    """The SHA-256 of a file, as text."""
    _check_file(path, MAX_FILE, what)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_file(path: Path, most: int, what: str) -> None:
    """A device or a pipe never ends, and what is too large is never read."""
    try:
        status = path.stat()
    except OSError:
        raise Fault(f"{what} is not there", "Correct its name in the storyboard.") from None
    if not stat.S_ISREG(status.st_mode):
        raise Fault(f"{what} is not an ordinary file", "Copy it into a file first.")
    if not 0 < status.st_size <= most:
        raise Fault(f"{what} is empty, or larger than {most // 1024**2} MiB", _ANOTHER)


def read_picture(path: Path, what: str) -> Image.Image:
    """The pixels of a PNG, JPEG or WebP, upright, without anything else that was in the file."""
    _check_file(path, MAX_PICTURE_FILE, what)
    try:
        with warnings.catch_warnings(), Image.open(path, formats=_PICTURES) as image:
            warnings.simplefilter("ignore")  # Pillow warns about damaged EXIF, which is not read on
            if image.width * image.height > MAX_PIXELS:
                raise Fault(f"{what} has more than {MAX_PIXELS:,} pixels", "Make it smaller.")
            upright = ImageOps.exif_transpose(image)
            pixels = upright.convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError):
        raise Fault(f"{what} is no whole PNG, JPEG or WebP picture", _ANOTHER) from None
    except Image.DecompressionBombError:
        raise Fault(f"{what} has more than {MAX_PIXELS:,} pixels", "Make it smaller.") from None
    clean = Image.new("RGB", pixels.size, (255, 255, 255))
    clean.paste(pixels, mask=pixels.getchannel("A"))
    return clean


@contextmanager
def _opened(path: Path, what: str) -> Generator[InputContainer, None, None]:
    """A container to read, its faults turned into ours."""
    _check_file(path, MAX_FILE, what)
    with path.open("rb") as file:
        head = file.read(16)
        kind = next((name for sign, at, name in _CONTAINERS if head[at:].startswith(sign)), None)
        if kind is None:
            raise Fault(f"{what} is no film or sound that can be read", _ANOTHER)
        file.seek(0)
        try:
            # Through a Python file and with no protocol, nothing but this one file can be opened.
            with av.open(file, "r", format=kind, options=_OPENING) as opened:
                yield opened
        except av.FFmpegError:
            raise Fault(f"{what} is broken or cut off", _ANOTHER) from None
        except (ValueError, MemoryError, OverflowError):
            raise Fault(f"{what} cannot be decoded", _ANOTHER) from None


def probe(path: Path, what: str, *, picture: bool) -> Media:
    """Look through a file without decoding it: whether it is whole, and how long it is.

    `picture` says whether a picture is needed, a clip's, or sound, a voice's.
    """
    with _opened(path, what) as opened:
        if len(opened.streams) > MAX_STREAMS:
            raise Fault(f"{what} has more than {MAX_STREAMS} streams", _ANOTHER)
        videos, sounds = opened.streams.video, opened.streams.audio
        if picture and not videos:
            raise Fault(f"{what} has no moving picture", _ANOTHER)
        if not picture and not sounds:
            raise Fault(f"{what} has no sound", _ANOTHER)
        stream = videos[0] if picture else sounds[0]
        if stream.codec_context is None:  # FFmpeg knows no decoder for what the file names
            raise Fault(f"{what} is coded in a way that cannot be read", _ANOTHER)
        if picture:
            _check_frame(videos[0].width, videos[0].height, what)
        end = _end_of(opened, stream.index, what)
        announced = Fraction(opened.duration or 0, av.time_base)
        if end < announced - max(SHORTFALL, announced / 50):
            raise Fault(f"{what} ends before its end", "Fetch or copy it again.")
        heard = bool(sounds) and sounds[0].codec_context is not None
        return Media(path, end, picture, heard)


def _end_of(opened: InputContainer, index: int, what: str) -> Fraction:
    """When the last packet of a stream ends, having seen them all."""
    end = Fraction(0)
    for count, packet in enumerate(opened.demux(), 1):
        if count > MAX_PACKETS:
            raise Fault(f"{what} has more pictures than {MAX_SECONDS} seconds can hold", _ANOTHER)
        if packet.stream.index != index or packet.pts is None:
            continue
        if packet.is_corrupt:
            raise Fault(f"{what} is broken or cut off", _ANOTHER)
        begin = Fraction(packet.stream.start_time or 0)
        end = max(end, (packet.pts - begin + (packet.duration or 0)) * packet.time_base)
        if end > MAX_SECONDS:
            raise Fault(f"{what} is longer than {MAX_SECONDS} seconds", "Cut it shorter.")
    if end <= 0:
        raise Fault(f"{what} holds nothing that can be played", _ANOTHER)
    return end


def _check_frame(width: int, height: int, what: str) -> None:
    # Upright films of phones have their sides turned.
    if not (0 < max(width, height) <= MAX_FRAME[0] and 0 < min(width, height) <= MAX_FRAME[1]):
        raise Fault(f"{what} is larger than {MAX_FRAME[0]} by {MAX_FRAME[1]}", "Make it smaller.")


def clip_frames(
    media: Media, size: tuple[int, int], rate: int, count: int
) -> Iterator[Image.Image]:
    """Exactly `count` pictures of a clip at an even rate, upright, in black bars to fit `size`."""
    given = 0
    last: Image.Image | None = None
    what = "The clip"
    with _opened(media.path, what) as opened:
        stream = opened.streams.video[0]
        stream.codec_context.options = dict(_DECODING)
        begin = Fraction(stream.start_time or 0) * (stream.time_base or 1)
        for frame in opened.decode(stream):
            _check_frame(frame.width, frame.height, what)
            now = (frame.time or 0.0) - float(begin)
            # Each picture stands until the next one: what came before fills the time until now.
            while last is not None and given < count and given / rate < now:
                yield last
                given += 1
            if given >= count:
                return
            if last is None or given / rate >= now:
                last = _framed(frame, size)
    if last is None or (count - given) > rate:
        raise Fault(f"{what} ends before its end", "Fetch or copy it again.")
    for _ in range(count - given):
        yield last


def _framed(frame: av.VideoFrame, size: tuple[int, int]) -> Image.Image:
    image: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
    turned = round(frame.rotation / 90) % 4
    if turned:
        turns = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
        image = image.transpose(turns[turned - 1])
    return ImageOps.pad(image, size, Image.Resampling.BICUBIC)


def samples(media: Media, count: int) -> Iterator[bytes]:
    """Exactly `count` samples of a file's sound, 16-bit mono at SOUND_RATE; silence at the end."""
    left = count * 2
    if media.has_sound:
        for part in _decoded(media.path):
            yield part[:left]
            left -= len(part[:left])
            if not left:
                return
    yield bytes(left)


def _decoded(path: Path) -> Iterator[bytes]:
    turner = av.AudioResampler(format="s16", layout="mono", rate=SOUND_RATE)
    with _opened(path, "The sound") as opened:
        stream = opened.streams.audio[0]
        stream.codec_context.options = {"err_detect": "explode"}
        for frame in opened.decode(stream):
            yield from _plain(turner.resample(frame))
        yield from _plain(turner.resample(None))


def _plain(frames: list[av.AudioFrame]) -> Iterator[bytes]:
    for frame in frames:
        yield bytes(frame.planes[0])[: frame.samples * 2]
