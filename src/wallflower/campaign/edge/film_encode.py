"""Encodes pictures and sound into the files that go out: H.264 and AAC in MP4 (ADR 47).

One thread and no clock: the same frames give the same bytes on the same machine. Nothing in them
says what made them, when, or with which settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from av.video.stream import VideoStream
from PIL import Image

from wallflower.campaign.film.rendition import BUFFER_SECONDS, SOUND_RATE, Rendition
from wallflower.errors import Fault

Tick = Callable[[], None]
CHUNK: Final = 1024  # samples: an AAC frame
_MARKS: Final = (b"x264", b"Lavf", b"Lavc", b"\xa9too", b"Wallflower", b"wallflower")
# `faststart` puts the index in front, so that it plays while it arrives; `bitexact` leaves out the
# names and versions of the tools and the time of making.
_MP4: Final = {"movflags": "+faststart", "empty_hdlr_name": "1", "fflags": "+bitexact"}
# Whatever lies in a cache, no part of a film makes FFmpeg open another file or an address.
_READ: Final = {"protocol_whitelist": "file"}


def tool_versions() -> dict[str, str]:
    """What the bytes of a film depend on besides its frames."""
    libraries = {name: ".".join(map(str, v)) for name, v in sorted(av.library_versions.items())}
    return {"av": av.__version__, **libraries}


def encode_pictures(
    path: Path, how: Rendition, rate: int, frames: Iterator[Image.Image], tick: Tick
) -> None:
    """Write a part of a film without sound: `frames` at `rate`. Its first picture needs no other,
    so that parts of one rendition and rate can follow each other (`join`)."""
    with av.open(str(path), "w", format="mp4", options=_MP4) as part:
        video = _video(part, how, rate)
        # x264 signs its work, with all its settings, in a unit of type 6 that no player needs.
        unsigned = BitStreamFilterContext("filter_units=remove_types=6", video)
        for index, picture in enumerate(frames):
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = index, Fraction(1, rate)
            for packet in video.encode(frame):
                part.mux(unsigned.filter(packet))
            tick()
        for packet in video.encode():
            part.mux(unsigned.filter(packet))
    check_marks(path)


def join(
    path: Path, parts: Sequence[Path], how: Rendition, rate: int, sound: Iterator[bytes]
) -> None:
    """Write a film: the pictures of `parts` one after the other, not encoded again, and `sound` as
    16-bit mono of the same length."""
    with ExitStack() as opened, av.open(str(path), "w", format="mp4", options=_MP4) as film:
        read = [
            opened.enter_context(av.open(str(part), format="mp4", options=_READ)) for part in parts
        ]
        setting = read[0].streams.video[0].codec_context.extradata
        if any(part.streams.video[0].codec_context.extradata != setting for part in read):
            raise Fault("Parts of a film are coded differently", "Empty the cache of films.")
        video = film.add_stream_from_template(read[0].streams.video[0], opaque=True)
        voice = _Voice(film, _audio(film, how.sound_bits), sound)
        shown = 0
        for part in read:
            before = shown
            for packet in part.demux(video=0):
                if packet.dts is None or packet.pts is None:  # the end
                    continue
                later = round(before / Fraction(rate) / packet.time_base)
                packet.pts, packet.dts, packet.stream = (
                    packet.pts + later,
                    packet.dts + later,
                    video,
                )
                film.mux(packet)
                shown += 1
                voice.until(Fraction(shown, rate))
        voice.end()
    check_marks(path)


def encode_voice(path: Path, bits: int, sound: Iterator[bytes], tick: Tick) -> None:
    """Write the sound alone."""
    with av.open(str(path), "w", format="ipod", options=_MP4) as film:
        voice = _Voice(film, _audio(film, bits), sound)
        voice.end()
    tick()
    check_marks(path)


def check_marks(path: Path) -> None:
    """Refuse a file that names what made it."""
    data = path.read_bytes()
    if any(mark in data for mark in _MARKS):
        raise Fault("The encoder signed its work", "Install requirements/film.txt as it is pinned.")


def _video(film: OutputContainer, how: Rendition, rate: int) -> VideoStream:
    video = film.add_stream("libx264", rate=rate)
    video.width, video.height, video.pix_fmt = how.width, how.height, "yuv420p"
    video.options = {
        "profile": "main",
        "preset": "slow",
        "tune": "animation",
        "crf": str(how.quality),
        "maxrate": str(how.video_bits),
        "bufsize": str(how.video_bits * BUFFER_SECONDS),
        "g": str(rate * 5),
        "threads": "1",  # with as many as there are cores, another machine makes other bytes
        # With it, and with B frames and SIMD, x264 takes decisions from memory that nobody wrote.
        "x264-params": "mbtree=0",
        "flags": "+bitexact",
    }
    return video


def _audio(film: OutputContainer, bits: int) -> AudioStream:
    audio = film.add_stream("aac", rate=SOUND_RATE)
    audio.layout = "mono"
    audio.bit_rate = bits
    audio.options = {"flags": "+bitexact"}
    return audio


class _Voice:
    """Encodes sound just ahead of the pictures, so that neither waits for the other in memory."""

    def __init__(self, film: OutputContainer, audio: AudioStream, sound: Iterator[bytes]) -> None:
        self._film, self._audio, self._sound = film, audio, sound
        self._rest = b""
        self._sent = 0  # samples

    def until(self, seconds: Fraction) -> None:
        """Encode whole frames up to an instant."""
        while self._sent < seconds * SOUND_RATE and self._fill():
            self._send(CHUNK)

    def end(self) -> None:
        """Encode what is left, the last frame short."""
        while self._fill():
            self._send(CHUNK)
        if self._rest:
            self._send(len(self._rest) // 2)
        self._film.mux(self._audio.encode())

    def _fill(self) -> bool:
        while len(self._rest) < CHUNK * 2:
            part = next(self._sound, None)
            if part is None:
                return False
            self._rest += part
        return True

    def _send(self, count: int) -> None:
        part, self._rest = self._rest[: count * 2], self._rest[count * 2 :]
        chunk = av.AudioFrame(format="s16", layout="mono", samples=count)
        chunk.planes[0].update(part.ljust(chunk.planes[0].buffer_size, b"\0"))
        chunk.sample_rate, chunk.pts = SOUND_RATE, self._sent
        chunk.time_base = Fraction(1, SOUND_RATE)
        self._film.mux(self._audio.encode(chunk))
        self._sent += count
