"""Fixed bytes where the host would draw, and a hum to work on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from vectors.in_python import private, record_of

from wallflower.crypto import hpke
from wallflower.errors import Refused
from wallflower.wire import cell, hello, hum, letter, parcel
from wallflower.wire.cells import read_name
from wallflower.wire.record import RecordBody


class Draw:
    """SHA-256 in counter mode over a name: `draw(n)` gives the next n bytes."""

    def __init__(self, name: str) -> None:
        self._name = name.encode()
        self._at = 0

    def __call__(self, size: int) -> bytes:
        out = b""
        while len(out) < size:
            out += hashlib.sha256(self._name + self._at.to_bytes(8)).digest()
            self._at += 1
        return out[:size]


def flip(data: bytes, at: int, bit: int = 0) -> bytes:
    """The bytes with one bit turned over."""
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


@dataclass(frozen=True)
class Room:
    """A record with its private keys, and the hums that are made and opened under it."""

    name: str = "today"

    @property
    def record(self) -> RecordBody:
        return record_of(self.name)

    @property
    def hop_a(self) -> hpke.PrivateKey:
        return private("hop_a")

    @property
    def hop_b(self) -> hpke.PrivateKey:
        return private("hop_b")

    def filler(self) -> bytes:
        """A sealed filler for the record's desk."""
        desk = self.record.desks[0]
        return letter.seal_letter(desk.key, self.record.desk_entry_hash(desk), letter.FILLER)

    def make(self, kind: hello.Kind, sealed: bytes, draw: Draw) -> list[bytes]:
        """The twelve cells of a hum."""
        return hum.make_hum(self.record, kind, sealed, draw)

    def at_a(self, cells: list[bytes]) -> dict[bytes, parcel.Parcel]:
        """What A makes of any cells: parcels by hum id. Nothing but Refused is ever raised."""
        gatherings: dict[bytes, hum.Gathering] = {}
        for data in cells:
            try:
                found = cell.parse_cell(data)
            except Refused:
                continue
            if found.record == self.record.number:
                gatherings.setdefault(read_name(found.raw)[2], hum.Gathering()).add(found)
        parcels = {}
        for name, gathering in gatherings.items():
            if not gathering.complete():
                continue
            try:
                opened, _ = hum.open_hum(gathering, self.hop_a, self.record.hash())
            except Refused:
                continue
            if opened is not None:
                parcels[name] = opened
        return parcels

    def at_b(self, found: parcel.Parcel) -> tuple[hello.BRecord, bytes]:
        """B's record and the letter, or Refused."""
        key_b, inside = hello.open_seal_b(self.hop_b, self.record.hash(), found.seal_b)
        return inside, parcel.open_parcel_body(key_b, found.body)
