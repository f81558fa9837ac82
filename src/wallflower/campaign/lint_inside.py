"""What lies in a picture's or film's file beside what is shown, where no reader of tags looks.

Telephones write a film's place into boxes of their own, and a whole film behind a picture. Sources:
ISO/IEC 14496-12 (boxes), PNG 3rd edition, ITU-T T.81 B.1 (JPEG's markers).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

_BOX: Final = struct.Struct(">I4s")
_HOLDS: Final = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"edts"})
_NOTES: Final = frozenset({b"uuid", b"udta", b"meta"})
_DEEPEST: Final = 8
_TAGS: Final = b"ilst"  # mutagen reads these
_PNG: Final = b"\x89PNG\r\n\x1a\n"
# What a PNG needs to be shown, and what Pillow reads and tells of by its name.
_CHUNKS: Final = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB sBIT bKGD hIST pHYs cICP acTL fcTL fdAT "
    b"iCCP tEXt zTXt iTXt eXIf".split()
)
_BEHIND: Final = "bytes behind its end"
_SOI, _EOI = 0xD8, 0xD9
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length


def inside(data: bytes) -> Iterator[str]:
    """What a file holds besides, each thing once; nothing for a kind that is not known here."""
    if data[4:8] == b"ftyp":
        yield from sorted(set(_in_boxes(data)))
    elif data.startswith(_PNG):
        yield from sorted(set(_in_chunks(data)))
    elif data.startswith(b"\xff\xd8\xff") and _end_of_jpeg(data) < len(data):
        yield _BEHIND


def _in_boxes(data: bytes, depth: int = 0) -> Iterator[str]:
    """Boxes that name things: of the user's own, of a program's, and of places."""
    at = 0
    while at + _BOX.size <= len(data):
        length, kind = _BOX.unpack_from(data, at)
        head = _BOX.size
        if length == 1 and at + 16 <= len(data):
            length, head = int.from_bytes(data[at + 8 : at + 16]), 16
        if length == 0:
            length = len(data) - at
        if length < head:
            break
        body = data[at + head : at + length]
        if kind in _HOLDS and depth < _DEEPEST:
            yield from _in_boxes(body, depth + 1)
        elif kind in _NOTES and not _only_tags(kind, body):
            yield f"a box of notes ({kind.decode()})"
        at += length
    if at != len(data):
        yield _BEHIND


def _only_tags(kind: bytes, body: bytes) -> bool:
    """Whether such a box holds nothing but the tags that are read elsewhere, or nothing."""
    if kind == b"udta":
        (length,) = struct.unpack_from(">I", body) if len(body) >= _BOX.size else (0,)
        return not body.strip(b"\0") or (
            body[4:8] == b"meta" and length == len(body) and _only_tags(b"meta", body[8:])
        )
    return kind == b"meta" and b"keys" not in body[:256] and _TAGS in body


def _in_chunks(data: bytes) -> Iterator[str]:
    at = len(_PNG)
    while at + 12 <= len(data):
        length, kind = _BOX.unpack_from(data, at)
        if kind not in _CHUNKS:
            yield f"a chunk {kind.decode('ascii', 'replace')}"
        at += 12 + length
        if kind == b"IEND":
            break
    if at < len(data):
        yield _BEHIND


def _end_of_jpeg(data: bytes) -> int:
    """The first byte behind the picture; the file's length where that cannot be told."""
    at = 2
    while at + 2 <= len(data):
        if data[at] != 0xFF:  # coded picture, up to the next marker
            at = data.find(b"\xff", at)
            if at < 0:
                break
            continue
        marker = data[at + 1]
        if marker == _EOI:
            return at + 2
        if marker in (0x00, 0xFF) or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return len(data)
