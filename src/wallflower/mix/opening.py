"""What a mix opens: bytes in, values out, and no look at anything else. Spec: hum.md, parcel.md 2.

The seals are what takes long. So another process can open them (`edge/openers.py`), with the same
outcome; it is handed nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from wallflower.crypto import hpke
from wallflower.errors import Refused
from wallflower.wire.hello import LETTER, BRecord, parse_plain_b
from wallflower.wire.parcel import check_length, open_parcel_body, parse_parcel
from wallflower.wire.stamp import earned_class

Plain = bytes | None
Usable = tuple[bytes, hpke.PrivateKey]  # of a record: its hash, and our key for it


class Opened(NamedTuple):
    """B's record out of a parcel; its letter and the class that its stamp earned, if it has one."""

    record: BRecord
    letter: bytes = b""
    stamp_class: int = 0


def open_seals(
    hop: str, private: hpke.PrivateKey, record_hash: bytes, seals: Iterable[bytes | memoryview]
) -> list[Plain]:
    """What is in seals to hop `a` or `b`, in their order; None where one does not open (hello 2.1,
    2.3)."""
    return hpke.open_each(private, hpke.info(f"hop-{hop}", record_hash), seals)


def open_parcel(data: bytes | memoryview, plain: Plain, record_hash: bytes) -> Opened:
    """Open a parcel at B, given what was in its seal, or Refused (parcel 3.1, 3.3; hello 2)."""
    check_length(data)
    if plain is None:
        raise Refused("hello 2.3", "A seal for B does not open")
    key, record = parse_plain_b(plain)
    if record.kind is not LETTER:
        return Opened(record)
    letter = open_parcel_body(key, parse_parcel(data).body)
    return Opened(record, letter, earned_class(record_hash, letter, record.stamp))


def open_parcels(
    parcels: Iterable[tuple[bytes | memoryview, Plain]], record_hash: bytes
) -> Iterator[Opened | Refused]:
    """`open_parcel` of each when its turn comes; a refusal is a value here."""
    for data, plain in parcels:
        try:
            yield open_parcel(data, plain, record_hash)
        except Refused as refused:
            yield refused
