"""The upload cell: what every page and client sends, real or cover. Spec: cell.md.

A cell is always CELL bytes, so its size says nothing about who is writing. This module only turns
bytes into a Cell and back; it reads no clock, file or socket.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from wallflower.crypto import aead
from wallflower.crypto.hpke import Unopened
from wallflower.errors import Refused
from wallflower.wire.sizes import (
    BODY_HEADER,
    BODY_PIECE,
    CELL,
    HELLO_HEADER,
    HUM_CELLS,
    POSITIONS,
    VERSION,
)

_HEAD = struct.Struct(">BBH16s")  # version, counter, record; of a body cell the id
_RESERVED = bytes(HELLO_HEADER - 4)


class Cell(NamedTuple):
    """One upload, still sealed: `raw` is all of it."""

    counter: int
    record: int
    raw: bytes

    @property
    def position(self) -> int:
        """0 is a hello, 1-3 are the pieces of the parcel body (cell 1.2)."""
        return self.counter % POSITIONS

    @property
    def header(self) -> bytes:
        """What is authenticated when `sealed` is opened."""
        return self.raw[: BODY_HEADER if self.position else HELLO_HEADER]

    @property
    def sealed(self) -> bytes:
        """All after the header."""
        return self.raw[BODY_HEADER if self.position else HELLO_HEADER :]

    def encode(self) -> bytes:
        """The CELL bytes that travel."""
        return self.raw


def read_head(data: bytes | memoryview) -> tuple[int, int, bytes]:
    """(record, counter, the 16 bytes after them) of a cell, or Refused (cell 2); the bytes are a
    body cell's hum id. A mix asks this of millions, and nothing more of most."""
    if len(data) != CELL:
        raise Refused("cell 2.1", "A cell has the wrong length")
    version, counter, record, after = _HEAD.unpack_from(data)
    if version != VERSION:
        raise Refused("cell 2.2", "A cell's version is unknown")
    if counter >= HUM_CELLS:
        raise Refused("cell 2.3", "A cell's counter is out of range")
    if counter % POSITIONS == 0 and not after.startswith(_RESERVED):
        raise Refused("cell 2.4", "A hello's reserved bytes are set")
    return record, counter, after


def parse_cell(data: bytes) -> Cell:
    """Read a cell, or raise Refused (cell 2). Nothing is guessed or repaired."""
    record, counter, _ = read_head(data)
    return Cell(counter, record, data)


def head_of(counter: int, record: int) -> bytes:
    """The four bytes that both kinds of cell begin with (cell 1.1)."""
    return bytes([VERSION, counter]) + record.to_bytes(2)


def seal_body(key: bytes, counter: int, record: int, hum_id: bytes, piece: bytes) -> Cell:
    """Seal one piece of BODY_PIECE bytes under hum key A (cell 1.3)."""
    if len(piece) != BODY_PIECE or counter % POSITIONS == 0:
        raise ValueError("a body cell wants a whole piece and a body position")
    header = head_of(counter, record) + hum_id
    return Cell(counter, record, header + aead.seal(key, counter, header, piece))


def open_body(by_key_a: aead.Opener, counter: int, raw: bytes | memoryview) -> bytes:
    """The piece inside a body cell, or Refused (cell 2.5)."""
    try:
        return by_key_a.open_sealed(counter, raw[:BODY_HEADER], raw[BODY_HEADER:])
    except Unopened:
        raise Refused("cell 2.5", "A body cell does not open") from None
