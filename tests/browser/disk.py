"""What lies in a browser's profile: files and their sizes, records of its databases, and canaries.

A canary is something that was typed or shown. It is looked for as UTF-8 and UTF-16, in base64 at
each of its three alignments, and by its pieces, since a database may have packed the whole.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import Path

# LevelDB's log: blocks of 32 KiB; a record has a checksum, a length and a type; a batch begins with
# its sequence number and how many entries it holds.
BLOCK, RECORD_HEADER, BATCH_COUNT_AT = 32768, 7, 8
FULL, FIRST = 1, 2
PIECE = 24
# Session files are named by when they were made.
_TIME = re.compile(r"_\d{17}$")
# A database's diary: a line begins with its time and the number of the thread that wrote it, which
# has as many digits as the machine has threads behind it.
_DIARY = re.compile(r"(^|/)LOG(\.old)?$")
_THREAD = re.compile(rb"^(\S+) [0-9a-f]+ ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile at rest: every file's size, and how many entries each database log holds."""

    sizes: dict[str, int]
    entries: dict[str, int]


def look_at(profile: Path, origin_port: int) -> Profile:
    """A profile on disk. Names that hold our port are told without it."""
    sizes, entries = {}, {}
    for path in sorted(p for p in profile.rglob("*") if p.is_file() and not p.is_symlink()):
        name = path.relative_to(profile).as_posix().replace(str(origin_port), "PORT")
        name, size = _TIME.sub("_TIME", name), path.stat().st_size
        sizes[name] = len(_THREAD.sub(rb"\1 ", path.read_bytes())) if _DIARY.search(name) else size
        if path.suffix == ".log" and (path.parent / "CURRENT").exists():
            entries[name] = log_entries(path.read_bytes())
    return Profile(sizes, entries)


def log_entries(log: bytes) -> int:
    """How many puts and deletes a LevelDB log holds."""
    count = at = 0
    while at + RECORD_HEADER <= len(log):
        if BLOCK - at % BLOCK < RECORD_HEADER:
            at += BLOCK - at % BLOCK
            continue
        length = int.from_bytes(log[at + 4 : at + 6], "little")
        kind, body = log[at + 6], at + RECORD_HEADER
        if kind in (FULL, FIRST):
            count += int.from_bytes(
                log[body + BATCH_COUNT_AT : body + BATCH_COUNT_AT + 4], "little"
            )
        at = body + length
    return count


def needles(canary: str) -> list[bytes]:
    """The shapes in which a canary may lie on a disk."""
    parts = {canary, *(canary[i : i + PIECE] for i in range(0, len(canary) - PIECE + 1, PIECE))}
    shapes = []
    for part in parts:
        plain = part.encode()
        shapes += [plain, part.encode("utf-16-le"), part.encode("utf-16-be")]
        # A whole number of base64 groups, so that the neighbours do not change it.
        for skip in range(3):
            inner = plain[skip : skip + (len(plain) - skip) // 3 * 3]
            shapes.append(base64.b64encode(inner))
    return [shape for shape in shapes if len(shape) >= PIECE // 2]


def find_canaries(profile: Path, canaries: list[str]) -> dict[str, list[str]]:
    """Which files hold which canaries."""
    patterns = {c: re.compile(b"|".join(map(re.escape, needles(c)))) for c in canaries}
    found: dict[str, list[str]] = {}
    for path in (p for p in profile.rglob("*") if p.is_file() and not p.is_symlink()):
        data = path.read_bytes()
        told = [canary for canary, pattern in patterns.items() if pattern.search(data)]
        if told:
            found[path.relative_to(profile).as_posix()] = told
    return found
