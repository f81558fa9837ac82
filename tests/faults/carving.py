"""What somebody does who has recorded all traffic and now takes the disk: looks for keys in its raw
bytes, and opens with them whatever they open.

It knows how our files look: a key is 32 bytes at the beginning of a block, and nothing behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from wallflower.crypto import aead
from wallflower.crypto.hpke import PrivateKey, Unopened
from wallflower.errors import Refused
from wallflower.trust.record import EpochRecord
from wallflower.wire.cell import parse_cell
from wallflower.wire.hello import open_seal_b
from wallflower.wire.hum import Gathering, open_hum
from wallflower.wire.parcel import open_parcel_body, parse_parcel
from wallflower.wire.sizes import KEM_SEED, LETTER

BLOCK = 4096


@dataclass
class Recorded:
    """What passed by on every wire, and rows of pools out of an earlier image."""

    record: EpochRecord
    hums: list[list[bytes]] = field(default_factory=list)
    parcels: list[bytes] = field(default_factory=list)
    rows: list[tuple[bytes, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Opened:
    """How much of a recording opened."""

    hums: int
    parcels: int
    letters: int
    rows: int


NOTHING = Opened(0, 0, 0, 0)


def carve(image: bytes) -> list[bytes]:
    """Every run of 32 bytes that stands alone at the beginning of a block."""
    blocks = (image[at : at + BLOCK] for at in range(0, len(image), BLOCK))
    rest = bytes(BLOCK - KEM_SEED)
    return sorted({b[:KEM_SEED] for b in blocks if b[KEM_SEED:] == rest and any(b[:KEM_SEED])})


def attack(candidates: Iterable[bytes], recorded: Recorded) -> Opened:
    """Try every candidate as every key; parcels that hums gave up are opened too."""
    keys = list(candidates)
    private = [PrivateKey.from_seed(key) for key in keys]
    hums = [p for cells in recorded.hums if (p := _open_hum(cells, private, recorded.record))]
    parcels = {*hums, *recorded.parcels}
    opened = [_open_parcel(raw, private, recorded.record) for raw in parcels]
    rows = sum(_opens_row(keys, name, sealed) for name, sealed in recorded.rows)
    found = [letter for letter in opened if letter is not None]
    return Opened(len(hums), len(found), sum(len(one) == LETTER for one in found), rows)


def _open_hum(cells: list[bytes], keys: list[PrivateKey], record: EpochRecord) -> bytes | None:
    gathering = Gathering()
    for raw in cells:
        gathering.add(parse_cell(raw))
    for key in keys:
        with suppress(Refused):
            parcel, _ = open_hum(gathering, key, record.hash)
            return parcel.encode() if parcel else None
    return None


def _open_parcel(raw: bytes, keys: list[PrivateKey], record: EpochRecord) -> bytes | None:
    parcel = parse_parcel(raw)
    for key in keys:
        with suppress(Refused):
            hum_key, _ = open_seal_b(key, record.hash, parcel.seal_b)
            return open_parcel_body(hum_key, parcel.body)
    return None


def _opens_row(keys: list[bytes], name: bytes, sealed: bytes) -> bool:
    for key in keys:
        with suppress(Unopened):
            aead.open_at_rest(key, name, sealed)
            return True
    return False
