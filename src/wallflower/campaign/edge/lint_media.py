"""What a campaign's media say of those who made them: programs, places, dates, names."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

import mutagen
from PIL import Image

from wallflower.campaign.authoring import Authored
from wallflower.campaign.lint_inside import inside

_PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff"})
_SOUNDS: Final = frozenset({".mp4", ".m4a", ".mp3", ".ogg", ".opus", ".flac", ".wav"})
_PLAIN: Final = frozenset({".toml", ".md", ".vtt", ".srt", ".txt", ".json"})
# What pictures need to be shown, and what says nothing of anybody.
_HARMLESS: Final = frozenset({
    "dpi", "gamma", "srgb", "transparency", "interlace", "aspect", "jfif", "jfif_version",
    "jfif_unit", "jfif_density", "progressive", "progression", "background", "version", "duration",
    "loop", "timestamp", "compression", "chromaticity", "bit_depth",
})  # fmt: skip
_PROGRAM: Final = re.compile(rb"x264 - core \d+|Lavf\d[\d.]*|Lavc\d[\d.]*|HandBrake [\d.]+")
_CREATED: Final = re.compile(rb"mvhd(?:\x00...(....)|\x01...(.{8}))", re.S)


def _media(authored: Authored) -> list[Path]:
    return sorted(path for path in authored.folder.rglob("*") if path.is_file())


def telling(authored: Authored) -> Iterator[tuple[str, str]]:
    """Each thing that a file of the folder tells besides what it shows."""
    for path in _media(authored):
        data = path.read_bytes()
        suffix = path.suffix.lower()
        found = sorted({
            *(_in_picture(data) if suffix in _PICTURES else ()),
            *(_in_sound(data) if suffix in _SOUNDS else ()),
            *(inside(data) if suffix in _PICTURES | _SOUNDS else ()),
        })  # fmt: skip
        if found:
            yield (
                f"{path.relative_to(authored.folder)} tells more than it shows: {', '.join(found)}",
                "Clean it (mat2, or encode it anew without metadata) and lint again.",
            )


def _in_picture(data: bytes) -> Iterator[str]:
    try:
        # Pillow warns about what is damaged or very large; here it is read, and not shown.
        with warnings.catch_warnings(action="ignore"), Image.open(BytesIO(data)) as picture:
            found = ["EXIF"] if picture.getexif() else []
            found += [str(key) for key in picture.info if str(key).lower() not in _HARMLESS]
    except Exception:  # its readers promise nothing about what they raise on damage
        found = ["a picture that cannot be read"]
    yield from found


def _in_sound(data: bytes) -> Iterator[str]:
    try:
        opened = mutagen.File(BytesIO(data))
    except Exception:  # as above
        opened = None
    if opened is None:
        yield "a container that cannot be read"
    elif opened.tags:
        yield from (f"tag {key}" for key in opened.tags)
    if (created := _CREATED.search(data)) and any(created[1] or created[2] or b""):
        yield "its date of making"
    if program := _PROGRAM.search(data):
        yield f"the program {program[0].decode('ascii', 'replace')}"


def not_judged(authored: Authored) -> Iterator[str]:
    """Files of kinds that nothing here can read."""
    known = _PICTURES | _SOUNDS | _PLAIN
    for path in _media(authored):
        if path.suffix.lower() not in known:
            yield f"{path.relative_to(authored.folder)}: no tool here reads its metadata"
