"""A ZIP file that every unpacker reads alike: nothing lies in it but what its directory lists.

Some programs unpack by the directory at the end, as Python does; others take one local header
after the other from the first byte on, by its sizes or to where its stream ends, and some take
another directory where an end can be read in two ways. Whoever hides a file from the first kind
shows it to the others, after a check said that all is well. Spec: bundle.md 6.14.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import IO, Final

from wallflower.campaign.verify import NEXT
from wallflower.errors import Refused

_LOCAL: Final = struct.Struct("<4s2x3H2x3I2H")  # .ZIP File Format Specification 4.3.7
_SIGNATURE: Final = b"PK\x03\x04"
_END: Final = struct.Struct("<4s6xH2IH")  # 4.3.16; without a comment it is the last thing there
_END_SIGNATURE: Final = b"PK\x05\x06"
_END64: Final = struct.Struct("<4sQ20x3Q4sIQI")  # 4.3.14 and 4.3.15, which may lie before it
_END64_SIGNATURES: Final = (b"PK\x06\x06", b"PK\x06\x07")
_END64_BYTES: Final = 44  # as the first of the two counts itself
_LATER: Final = 0x8  # sizes stand behind the data
_LATER_BYTES: Final = (12, 16, 20, 24)  # 4.3.9, with or without its signature and ZIP64
_ANOTHER_NAME: Final = 0x7075  # 4.6.9: a name that some programs take in place of the other
_ZIP64: Final = 0xFFFFFFFF
_LARGER: Final = (0xFFFF, _ZIP64, _ZIP64)  # what stands for a number that stands in `_END64`
_UTF8: Final = 0x800
_PIECE: Final = 64 * 1024
_ENTRY: Final = struct.Struct("<2H")
_LARGER_SIZES: Final = 1  # 4.5.3
_CUT: Final = -1


def check_tiled(zipped: zipfile.ZipFile, file: IO[bytes]) -> None:
    """The members lie end to end from the first byte to the directory, each as the directory says,
    and nothing comes after that; else Refused (bundle 6.14). May raise what a short file raises."""
    ends = {0}
    for member in sorted(zipped.infolist(), key=lambda member: member.header_offset):
        if member.header_offset not in ends:
            raise _hidden()
        end = _local_end(member, file)
        ends = {end + more for more in _LATER_BYTES} if member.flag_bits & _LATER else {end}
    if zipped.start_dir not in ends or not _is_named(zipped.start_dir, file):
        raise _hidden()


def _is_named(start: int, file: IO[bytes]) -> bool:
    """Whether the end of the file names the directory that begins there, and nobody can read
    another one out of it."""
    at = file.seek(-_END.size, 2)
    signature, *said, comment = _END.unpack(file.read())
    _, size, offset = said
    file.seek(max(0, at - _END64.size))
    before = file.read(min(at, _END64.size))
    if before[-20:-16] == _END64_SIGNATURES[1]:
        # Some programs go by it always, others only where the end leaves the place to it.
        at -= _END64.size
        record, length, *larger, locator, _, found, _ = _END64.unpack(before)
        agrees = all(s in both for s, *both in zip(said, _LARGER, larger, strict=True))
        whole = (record, locator) == _END64_SIGNATURES and (length, found) == (_END64_BYTES, at)
        if offset != _ZIP64 or not agrees or not whole:
            return False
        _, size, offset = larger
    return (signature, comment, offset, offset + size) == (_END_SIGNATURE, 0, start, at)


def _local_end(member: zipfile.ZipInfo, file: IO[bytes]) -> int:
    """The first byte behind a member's data, by its local header, which agrees with the
    directory."""
    file.seek(member.header_offset)
    header = _LOCAL.unpack(file.read(_LOCAL.size))
    signature, flags, method, _, *said = header[:7]
    name, extra = map(int, header[7:])
    named = file.read(name).decode("utf-8" if flags & _UTF8 else "cp437") == member.orig_filename
    fields = file.read(extra)
    same = (signature, flags, method) == (_SIGNATURE, member.flag_bits, member.compress_type)
    if not (same and named and _is_sized(member, said, fields)):
        raise _hidden()
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused("bundle 6.14", "The ZIP file is packed as few programs unpack it", NEXT)
    if _renames(fields) or _renames(member.extra) or not _is_filled(member, file):
        raise _hidden()
    return int(member.header_offset + _LOCAL.size + name + extra + member.compress_size)


def _is_sized(member: zipfile.ZipInfo, said: Sequence[int], fields: bytes) -> bool:
    """Whether a local header says the checksum and sizes of the directory, in itself or where it
    leaves sizes to an extra field, or says nothing yet where they stand behind the data."""
    crc, packed, size = said
    larger = iter(struct.iter_unpack("<Q", _field(fields, _LARGER_SIZES)[:16]))
    if size == _ZIP64:
        (size,) = next(larger, (size,))
    if packed == _ZIP64:
        (packed,) = next(larger, (packed,))
    held = (member.CRC, member.compress_size, member.file_size)
    unsaid = (0,) if member.flag_bits & _LATER else ()
    return all(s == h or s in unsaid for s, h in zip((crc, packed, size), held, strict=True))


def _is_filled(member: zipfile.ZipInfo, file: IO[bytes]) -> bool:
    """Whether the data that begin here are those of the file and nothing else: Python stops at the
    size that the directory says, others where the data or their stream end. Nothing is kept of it,
    and no more is unpacked than that size."""
    if member.compress_type == zipfile.ZIP_STORED:
        return member.compress_size == member.file_size
    stream, left, made = zlib.decompressobj(-zlib.MAX_WBITS), member.compress_size, 0
    while not stream.eof and made <= member.file_size:
        packed = stream.unconsumed_tail
        if not packed:
            packed = file.read(min(left, _PIECE))
            left -= len(packed)
        plain = stream.decompress(packed, _PIECE)
        if not packed and not plain:  # it broke off
            return False
        made += len(plain)
    return made == member.file_size and not left and not stream.unused_data


def _renames(fields: bytes) -> bool:
    """Whether the extra fields give another name; what is cut off counts as if they did."""
    kinds = dict(_fields(fields))
    return _ANOTHER_NAME in kinds or _CUT in kinds


def _field(fields: bytes, wanted: int) -> bytes:
    """The first extra field of a kind, empty where there is none."""
    return next((value for kind, value in _fields(fields) if kind == wanted), b"")


def _fields(fields: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ENTRY.size <= len(fields):
        kind, length = _ENTRY.unpack_from(fields, at)
        at += _ENTRY.size
        yield kind, fields[at : at + length]
        at += length
    if at > len(fields):
        yield _CUT, b""


def _hidden() -> Refused:
    return Refused("bundle 6.14", "The ZIP file holds more than its directory lists", NEXT)
