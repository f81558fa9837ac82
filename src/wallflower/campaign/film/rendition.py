"""The sizes that a film comes in, and how many bytes a minute of each may have.

The page asks for one piece of 32 KiB a second (campaign/edge/build.py), but the lines that matter
carry 8 kB a second. What arrives there as fast as it is played is 64 kbit/s: that is what 240p may
have.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

INDEX: Final = "film.json"  # tells every file of a made film to the byte
SOUND_RATE: Final = 24_000  # samples a second, one channel: a voice, not music
BUFFER_SECONDS: Final = 6  # of video that a difficult stretch may borrow in advance
_BOX_BYTES: Final = 2_000  # the empty container
_INDEX_BYTES: Final = 24  # what the container says of each picture or packet of sound, at most


@dataclass(frozen=True, slots=True)
class Rendition:
    """One encoding. Bit rates are per second; `quality` is x264's constant rate factor. Sides are
    multiples of 16, the blocks of H.264: others are coded with a rim that nobody sees."""

    name: str
    width: int
    height: int
    rate: int
    moving_rate: int
    quality: float
    video_bits: int
    sound_bits: int

    def most_bytes(self, seconds: Fraction, rate: int) -> int:
        """How large a film of this length may become."""
        packets = seconds * rate + seconds * SOUND_RATE / 1024 + 2
        media = (self.video_bits * (seconds + BUFFER_SECONDS) + self.sound_bits * (seconds + 1)) / 8
        return int(media + packets * _INDEX_BYTES) + _BOX_BYTES


SMALL: Final = Rendition("film-240.mp4", 432, 240, 12, 12, 27.0, 42_000, 20_000)
LARGE: Final = Rendition("film-480.mp4", 864, 480, 12, 24, 25.0, 220_000, 28_000)
VOICE: Final = Rendition("film.m4a", 0, 0, 0, 0, 0.0, 0, 24_000)
RENDITIONS: Final = (SMALL, LARGE)
