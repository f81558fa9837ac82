"""Makes the example campaign's film: five cards, a wall, and a wallflower that grows in its crack.

The film is the reason why anybody comes: whoever watches it is the crowd that a writer stands in.
This one is small enough for a bad line, says plainly that its office is made up, and comes out the
same to the byte on every run, so that anyone can check that the file in the tree is this drawing.

    python tools/make_film.py OUT.mp4      (needs requirements/film.txt and fonts-noto-cjk)
"""

from __future__ import annotations

import argparse
import hashlib
import math
import struct
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 426, 240
SCALE = 3  # drawn three times as large and shrunk: smooth lines without a drawing library
RATE = 12  # frames a second; nothing here moves fast, and 8 kB/s lines are the audience
SECONDS_A_CARD = 4.8
FADE = 0.55  # seconds out, then as long in: two texts on top of each other cannot be read
SOUND_RATE = 24_000
LIMIT = 260_000  # bytes; the campaign's budget for its smallest film

FONTS = Path("/usr/share/fonts/opentype/noto")
SIMPLIFIED = 2  # the face inside the collection that draws Chinese as in the mainland

WALL_TOP, WALL_FOOT = (58, 68, 74), (40, 48, 54)
MORTAR = (33, 40, 45)
CRACK = (20, 25, 29)
STEM = (112, 148, 92)
LEAF = (134, 170, 104)
PETAL, PETAL_DARK, HEART = (240, 184, 72), (214, 138, 44), (122, 62, 28)
PAPER, QUIET, ACCENT = (243, 239, 228), (190, 196, 194), (240, 196, 104)
DOT = (96, 106, 110)

TEXT_LEFT = 26
PLANT_FOOT = (352, 214)


@dataclass(frozen=True, slots=True)
class Card:
    """One thought, in both languages. Lines are broken by hand: a machine breaks them badly."""

    title: str
    title_zh: str
    lines: tuple[str, ...]
    lines_zh: tuple[str, ...]


CARDS = (
    Card(
        "Office for Clean Hands",
        "清廉办公室",
        ("If you saw public money taken,", "you can write to us.", "Nobody needs your name."),
        ("如果你见过公款被侵吞，", "可以写信告诉我们。不需要姓名。"),
    ),
    Card(
        "Watching looks like writing",
        "观看与写信，看上去一样",
        (
            "Every page that shows this film",
            "sends as much, at the same pace,",
            "whether you write or not.",
        ),
        ("每个播放本片的页面，都以同样的节奏", "发出同样多的数据，不论你写不写信。"),
    ),
    Card(
        "Read the steps below first",
        "请先读下面的步骤",
        (
            "Use a device that is your own.",
            "Take your time. You can write",
            "without being online.",
        ),
        ("用你自己的设备，慢慢来。", "不上网也可以写。"),
    ),
    Card(
        "Come back another day",
        "改天再来",
        (
            "Your letter leaves with a later",
            "visit. Our answer waits here,",
            "among all the others.",
        ),
        ("信会在你以后来访时寄出。", "回信就在这里，混在所有回信之中。"),
    ),
    Card(
        "Nobody can promise everything",
        "没有人能保证一切",
        (
            "A watched device sees all you do.",
            "Read what we cannot protect,",
            "then decide. Not writing is fine.",
        ),
        ("被监控的设备什么都看得见。", "先读我们保护不了什么，再决定写不写。"),
    ),
)
FOOTNOTE = "A fictional example · 虚构示例"


def font(size: float, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """One of the two weights of Noto Sans CJK, at a size in film pixels."""
    path = FONTS / f"NotoSansCJK-{'Bold' if bold else 'Regular'}.ttc"
    if not path.exists():
        raise SystemExit(f"{path} is missing: apt-get install -y fonts-noto-cjk")
    return ImageFont.truetype(path, round(size * SCALE), index=SIMPLIFIED)


def scaled(*points: tuple[float, float]) -> list[tuple[float, float]]:
    return [(x * SCALE, y * SCALE) for x, y in points]


def mix_colours(
    a: tuple[int, int, int], b: tuple[int, int, int], share: float
) -> tuple[int, int, int]:
    one, two, three = (round(p + (q - p) * share) for p, q in zip(a, b, strict=True))
    return one, two, three


def ease(share: float) -> float:
    """From 0 to 1 with a gentle start and end; outside of that it holds still."""
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)


# --- the picture --------------------------------------------------------------------------------


def draw_wall() -> Image.Image:
    """Bricks in the dusk, darker towards the foot, with one crack, and what always stays."""
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE))
    draw = ImageDraw.Draw(image)
    for y in range(HEIGHT * SCALE):
        colour = mix_colours(WALL_TOP, WALL_FOOT, y / (HEIGHT * SCALE))
        draw.line([(0, y), (WIDTH * SCALE, y)], fill=colour)
    brick_height, brick_width = 24, 62
    for row in range(HEIGHT // brick_height + 1):
        y = row * brick_height
        draw.line(scaled((0, y), (WIDTH, y)), fill=MORTAR, width=SCALE)
        shift = brick_width // 2 if row % 2 else 0
        for x in range(-shift, WIDTH, brick_width):
            draw.line(scaled((x, y), (x, y + brick_height)), fill=MORTAR, width=SCALE)
    x, y = PLANT_FOOT
    left = [(x - 40, 240), (x - 22, 231), (x - 14, 222), (x - 4, 216), (x + 2, 206), (x + 10, 196)]
    right = [(x + 24, 186), (x + 14, 199), (x + 8, 209), (x + 6, 220), (x - 6, 229), (x - 24, 240)]
    draw.polygon(scaled(*left, *right), fill=CRACK)
    for end in ((x + 40, 224), (x + 50, 228)):
        draw.line(scaled((x + 5, 216), (x + 24, 218), end), fill=CRACK, width=SCALE + 1)
    # On the wall and not on the cards: it must never fade.
    place = scaled((TEXT_LEFT, 224))[0]
    draw.text(place, FOOTNOTE, font=font(10.5), fill=QUIET, anchor="ls")
    for number in range(len(CARDS)):
        draw_dot(draw, number, DOT)
    return image


def along_stem(share: float) -> tuple[float, float]:
    """A point on the stem; 0 is the crack, 1 the tip of the grown plant."""
    x, y = PLANT_FOOT
    return x + 3 + 10 * math.sin(share * 2.4) - 12 * share * share, y - 132 * share


def draw_leaf(
    draw: ImageDraw.ImageDraw, base: tuple[float, float], angle: float, length: float
) -> None:
    """A narrow pointed leaf, as wallflowers have."""
    across = length * 0.17
    shape = []
    for side in (1, -1):
        steps = range(9) if side == 1 else range(8, -1, -1)
        for step in steps:
            t = step / 8
            out, off = length * t, side * across * math.sin(math.pi * t)
            shape.append(
                (
                    base[0] + out * math.cos(angle) - off * math.sin(angle),
                    base[1] - out * math.sin(angle) - off * math.cos(angle),
                )
            )
    draw.polygon(scaled(*shape), fill=LEAF)


def draw_flower(draw: ImageDraw.ImageDraw, centre: tuple[float, float], size: float) -> None:
    """Four rounded petals: a wallflower is of the cabbage family and has exactly four."""
    for quarter in range(4):
        angle = math.pi / 4 + quarter * math.pi / 2
        for colour, reach, radius in ((PETAL_DARK, 0.62, 0.58), (PETAL, 0.66, 0.5)):
            x = centre[0] + size * reach * math.cos(angle)
            y = centre[1] + size * reach * math.sin(angle)
            r = size * radius
            draw.ellipse([*scaled((x - r, y - r))[0], *scaled((x + r, y + r))[0]], fill=colour)
    r = size * 0.26
    x, y = centre
    draw.ellipse([*scaled((x - r, y - r))[0], *scaled((x + r, y + r))[0]], fill=HEART)


LEAVES = (  # where on the stem, which way, how long
    (0.10, 2.50, 26), (0.16, 0.55, 28), (0.27, 2.60, 30), (0.35, 0.45, 29),
    (0.46, 2.50, 27), (0.55, 0.60, 25), (0.65, 2.35, 20), (0.72, 0.80, 18),
)  # fmt: skip
FLOWERS = (  # away from the tip, how large, and when it opens
    ((-21, 6), 9.5, 0.70), ((20, 3), 9.0, 0.76), ((-11, -15), 9.0, 0.82),
    ((11, -18), 8.5, 0.86), ((0, 2), 10.5, 0.80),
)  # fmt: skip


def draw_plant(draw: ImageDraw.ImageDraw, grown: float) -> None:
    """The plant at one moment of its life, from 0 (nothing) to 1 (in bloom)."""
    if grown <= 0:
        return
    height = ease(grown / 0.8)
    stem = [along_stem(height * step / 40) for step in range(41)]
    draw.line(scaled(*stem), fill=STEM, width=round(2.6 * SCALE), joint="curve")
    for place, angle, length in LEAVES:
        size = ease((height - place) / 0.25) * length
        if size > 1:
            draw_leaf(draw, along_stem(place), angle, size)
    tip = along_stem(height)
    for (dx, dy), size, opens in FLOWERS:
        share = ease((grown - opens) / 0.14)
        if share > 0:
            centre = (tip[0] + dx * share, tip[1] + dy * share)
            draw.line(scaled(tip, centre), fill=STEM, width=2 * SCALE)
            draw_flower(draw, centre, size * (0.3 + 0.7 * share))


def draw_dot(draw: ImageDraw.ImageDraw, number: int, colour: tuple[int, int, int]) -> None:
    """One of the row of dots that says how far along the film is."""
    x, y, r = TEXT_LEFT + 172 + number * 11, 220.5, 2.6
    draw.ellipse([*scaled((x - r, y - r))[0], *scaled((x + r, y + r))[0]], fill=colour)


def draw_words(card: Card, number: int) -> Image.Image:
    """The card's text alone, on nothing, so that it can fade over the growing plant."""
    image = Image.new("RGBA", (WIDTH * SCALE, HEIGHT * SCALE), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)

    def write(y: float, text: str, size: float, colour: tuple[int, int, int], bold: bool) -> None:
        place = scaled((TEXT_LEFT, y))[0]
        draw.text(place, text, font=font(size, bold=bold), fill=colour, anchor="ls")

    write(44, card.title, 17, ACCENT, True)
    write(66, card.title_zh, 16, ACCENT, True)
    y = 96.0
    for line in card.lines:
        write(y, line, 14.5, PAPER, False)
        y += 19
    y += 9
    for line in card.lines_zh:
        write(y, line, 14.5, PAPER, False)
        y += 21
    draw_dot(draw, number, ACCENT)
    return image


def fade_of(number: int, now: float) -> float:
    """How visible a card is. The first is there at once, the last stays: both are stills."""
    start, end = number * SECONDS_A_CARD, (number + 1) * SECONDS_A_CARD
    rising = 1.0 if number == 0 else ease((now - start) / FADE)
    falling = 1.0 if number == len(CARDS) - 1 else ease((end - now) / FADE)
    return min(rising, falling)


def frames() -> Iterator[Image.Image]:
    """Every frame of the film, in order."""
    shape = (WIDTH, HEIGHT)
    wall = draw_wall()
    words = [
        draw_words(card, number).resize(shape, Image.Resampling.LANCZOS)
        for number, card in enumerate(CARDS)
    ]
    total = round(len(CARDS) * SECONDS_A_CARD * RATE)
    for index in range(total):
        now = index / RATE
        large = wall.copy()
        # It starts as a sprout, so that the still before playing shows that something lives there.
        draw_plant(ImageDraw.Draw(large), 0.12 + 0.88 * (index / (total - 1)) / 0.93)
        frame = large.resize(shape, Image.Resampling.LANCZOS)
        for number, layer in enumerate(words):
            share = fade_of(number, now)
            if share > 0:
                mask = layer.getchannel("A").point(lambda value, s=share: round(value * s))
                frame.paste(layer.convert("RGB"), (0, 0), mask)
        yield frame


# --- the sound ----------------------------------------------------------------------------------

CHORDS = ((196.0, 293.7, 392.0), (174.6, 261.6, 349.2), (164.8, 246.9, 329.6),
          (174.6, 261.6, 349.2), (196.0, 293.7, 392.0))  # fmt: skip


def sound() -> bytes:
    """A very quiet chord for each card, 16-bit mono: a sound track, and nobody startled."""
    samples = round(len(CARDS) * SECONDS_A_CARD * SOUND_RATE)
    out = bytearray()
    for index in range(samples):
        now = index / SOUND_RATE
        card = min(int(now / SECONDS_A_CARD), len(CARDS) - 1)
        inside = now - card * SECONDS_A_CARD
        loudness = ease(inside / 1.2) * ease((SECONDS_A_CARD - inside) / 1.2)
        value = sum(math.sin(2 * math.pi * tone * now) for tone in CHORDS[card]) / 3
        out += struct.pack("<h", round(value * loudness * 1500))
    return bytes(out)


# --- the file -----------------------------------------------------------------------------------


def mux(film: OutputContainer, through: BitStreamFilterContext, packets: list[av.Packet]) -> None:
    for packet in packets:
        film.mux(through.filter(packet))


def encode(path: Path) -> None:
    """Write the film as an MP4. One thread and no clock: the same bytes every time."""
    # `faststart` puts the index in front, so that it plays while it arrives; `bitexact` leaves out
    # the names and versions of the tools and the time of making.
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", format="mp4", options=options) as film:
        video = film.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.options = {
            "profile": "main",
            "preset": "veryslow",
            "tune": "animation",
            "crf": "26.5",
            "g": str(RATE * 5),
            "threads": "1",
            "flags": "+bitexact",
        }
        video.codec_context.thread_count = 1
        # x264 signs its work, with all its settings, in a unit of type 6 that no player needs.
        unsigned = BitStreamFilterContext("filter_units=remove_types=6", video)
        audio = film.add_stream("aac", rate=SOUND_RATE)
        audio.layout = "mono"
        audio.bit_rate = 20_000
        audio.options = {"flags": "+bitexact"}
        for index, picture in enumerate(frames()):
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            mux(film, unsigned, video.encode(frame))
        mux(film, unsigned, video.encode())
        pcm = sound()
        step = 1024
        for start in range(0, len(pcm) // 2, step):
            part = pcm[start * 2 : (start + step) * 2]
            chunk = av.AudioFrame(format="s16", layout="mono", samples=len(part) // 2)
            chunk.planes[0].update(part.ljust(chunk.planes[0].buffer_size, b"\0"))
            chunk.sample_rate, chunk.pts = SOUND_RATE, start
            chunk.time_base = Fraction(1, SOUND_RATE)
            film.mux(audio.encode(chunk))
        film.mux(audio.encode())


def main() -> None:
    """Make the film, and refuse one that is too large or names its maker."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as folder:
        # A real file: putting the index in front means reading it all again.
        encode(Path(folder) / "film.mp4")
        film = (Path(folder) / "film.mp4").read_bytes()
    if len(film) > LIMIT:
        raise SystemExit(f"The film has {len(film)} bytes, {LIMIT} at most: lower its quality.")
    for word in (b"x264", b"Lavf", b"Lavc", b"\xa9too"):
        if word in film:
            raise SystemExit(f"The film holds {word!r}, which says what made it.")
    out.write_bytes(film)
    sys.stdout.write(f"{out}: {len(film)} bytes, sha256 {hashlib.sha256(film).hexdigest()}\n")


if __name__ == "__main__":
    main()
