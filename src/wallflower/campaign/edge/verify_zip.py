"""A ZIP file that every unpacker reads alike: nothing lies in it but what its directory lists.

Some programs unpack by the directory at the end, as Python does; others take one local header
after the other from the first byte on. Whoever hides a file from the first kind shows it to the
second, after a check said that all is well. Spec: bundle.md 6.14.
"""

from __future__ import annotations

import struct
import zipfile
from typing import IO, Final

from wallflower.campaign.verify import NEXT
from wallflower.errors import Refused

_LOCAL: Final = struct.Struct("<4s2x3H2x3I2H")  # .ZIP File Format Specification 4.3.7
_SIGNATURE: Final = b"PK\x03\x04"
_END: Final = b"PK\x05\x06"  # 4.3.16; without a comment it is the last thing there
_END_BYTES: Final = 22
_LATER: Final = 0x8  # sizes stand behind the data
_LATER_BYTES: Final = (12, 16, 20, 24)  # 4.3.9, with or without its signature and ZIP64
_ANOTHER_NAME: Final = 0x7075  # 4.6.9: a name that some programs take in place of the other
_ZIP64: Final = 0xFFFFFFFF
_ENTRY: Final = struct.Struct("<2H")


def check_tiled(zipped: zipfile.ZipFile, file: IO[bytes]) -> None:
    """The members lie end to end from the first byte to the directory, each as the directory says,
    and nothing comes after that; else Refused (bundle 6.14). May raise what a short file raises."""
    ends = {0}
    for member in sorted(zipped.infolist(), key=lambda member: member.header_offset):
        if member.header_offset not in ends:
            raise _hidden()
        end = _local_end(member, file)
        ends = {end + more for more in _LATER_BYTES} if member.flag_bits & _LATER else {end}
    file.seek(-_END_BYTES, 2)
    last = file.read()
    if zipped.start_dir not in ends or not last.startswith(_END) or zipped.comment:
        raise _hidden()


def _local_end(member: zipfile.ZipInfo, file: IO[bytes]) -> int:
    """The first byte behind a member's data, by its local header, which agrees with the
    directory."""
    file.seek(member.header_offset)
    header = _LOCAL.unpack(file.read(_LOCAL.size))
    signature, flags, method, _, crc, packed, size = header[:7]
    name, extra = map(int, header[7:])
    said = (crc, packed, size)
    held = (member.CRC, member.compress_size, member.file_size)
    unsaid = (_ZIP64, 0) if flags & _LATER else (_ZIP64,)
    same = all(s == h or s in unsaid for s, h in zip(said, held, strict=True))
    file.seek(name, 1)
    fields = file.read(extra)
    agrees = signature == _SIGNATURE and flags == member.flag_bits and same
    if not agrees or method != member.compress_type or _renames(fields) or _renames(member.extra):
        raise _hidden()
    return int(member.header_offset + _LOCAL.size + name + extra + member.compress_size)


def _renames(fields: bytes) -> bool:
    """Whether the extra fields give another name; what is cut off counts as if they did."""
    at = 0
    while at + _ENTRY.size <= len(fields):
        kind, length = _ENTRY.unpack_from(fields, at)
        if kind == _ANOTHER_NAME:
            return True
        at += _ENTRY.size + length
    return at > len(fields)


def _hidden() -> Refused:
    return Refused("bundle 6.14", "The ZIP file holds more than its directory lists", NEXT)
