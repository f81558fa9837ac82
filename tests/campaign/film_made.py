"""What the tests of films are made with: storyboards, clips, voices, readers that are not ours."""

from __future__ import annotations

import math
import struct
import wave
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import av
from av.video.stream import VideoStream
from PIL import Image

from wallflower.campaign.edge.film import Film, make_film
from wallflower.campaign.edge.film_fonts import FONTS
from wallflower.campaign.film.storyboard import Ending

WORDS = tuple(["able", "about", "above", "absent", "absorb", "abstract", "absurd", "abuse"])
ADDRESS = "http://" + "wallflower" + "a2b3" * 11 + "qd.onion/"
ENDING = Ending(ADDRESS, WORDS)
CANARY = "CANARY-35.6892N-51.3890E"
BOARD = """
language = "{language}"
[[card]]
title = "{title}"
text = "{text}"
seconds = 1.5
captions = ["{caption}"]
[closing]
title = "{title}"
seconds = 1.5
"""
PERSIAN = BOARD.format(
    language="fa",
    title="دفتر دست‌های پاک",
    text="اگر دیدید که پول مردم را می‌برند، می‌توانید به ما بنویسید.",
    caption="هر که این فیلم را می‌بیند همان‌قدر داده می‌فرستد",
)
CHINESE = BOARD.format(
    language="zh-Hans",
    title="清廉办公室",
    text="如果你见过公款被侵吞，可以写信告诉我们。",
    caption="不论你写不写信，发出的数据同样多",
)


def has_fonts() -> bool:
    """Whether this machine has what films are drawn with; WITHOUT_BROWSER=1 leaves it out."""
    noto = ("truetype/noto/NotoSansArabic-Regular.ttf", "opentype/noto/NotoSansCJK-Regular.ttc")
    return all((FONTS / name).is_file() for name in noto)


def make(
    folder: Path, text: str, *, ending: Ending = ENDING, out: str = "out", only_small: bool = False
) -> Film:
    """Make a film of a storyboard's text, with out and cache inside of `folder`."""
    board = folder / "board.toml"
    board.write_text(text, encoding="utf-8")
    return make_film(
        board, folder / out, ending, folder / "cache", lambda *_: None, only_small=only_small
    )


def write_clip(
    path: Path,
    picture: Callable[[int], Image.Image],
    frames: int = 24,
    *,
    rate: int = 12,
    codec: str = "libx264",
    container: str = "mp4",
    metadata: Mapping[str, str] | None = None,
    step: int = 1,
) -> Path:
    """A clip without sound; `step` is how many twelfths a picture stands."""
    first = picture(0)
    options = {"movflags": "+faststart+use_metadata_tags"} if container == "mp4" else {}
    with av.open(str(path), "w", format=container, options=options) as film:
        film.metadata.update(metadata or {})
        video = film.add_stream(codec, rate=rate)
        assert isinstance(video, VideoStream)
        video.width, video.height = first.size
        video.pix_fmt = "yuv420p"
        for index in range(frames):
            frame = av.VideoFrame.from_image(picture(index))  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = index * step, Fraction(1, rate)
            film.mux(video.encode(frame))
        film.mux(video.encode())
    return path


def write_voice(path: Path, seconds: float = 1.0, tone: float = 440) -> Path:
    """A voice of one tone."""
    count = round(seconds * 16_000)
    tones = (round(9000 * math.sin(2 * math.pi * tone * n / 16_000)) for n in range(count))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"".join(struct.pack("<h", value) for value in tones))
    return path


def colour(value: tuple[int, int, int], size: tuple[int, int] = (160, 96)) -> Image.Image:
    return Image.new("RGB", size, value)


def frames_of(path: Path) -> list[Image.Image]:
    """Every picture of a film, decoded anew."""
    with av.open(str(path)) as film:
        return [frame.to_image() for frame in film.decode(video=0)]  # type: ignore[no-untyped-call]


def loudness(path: Path) -> list[float]:
    """The mean level of each tenth of a second of a file's sound, from 0 to 1."""
    turner = av.AudioResampler(format="s16", layout="mono", rate=24_000)
    raw = bytearray()
    with av.open(str(path)) as film:
        for frame in film.decode(audio=0):
            for part in turner.resample(frame):
                raw += bytes(part.planes[0])[: part.samples * 2]
    values = struct.unpack(f"<{len(raw) // 2}h", raw)
    tenths = [values[i : i + 2400] for i in range(0, len(values), 2400)]
    return [sum(map(abs, tenth)) / len(tenth) / 32768 for tenth in tenths]


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
