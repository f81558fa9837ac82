"""What a mix opens: bytes in, values out, and no look at anything else. Spec: hum.md, parcel.md 2.

So another process can do it (`edge/openers.py`), with the same outcome.
"""

from __future__ import annotations

from typing import NamedTuple

from wallflower.crypto import hpke
from wallflower.errors import Refused
from wallflower.mix.gathering import Outcome, judge_gathering
from wallflower.wire.cell import parse_cell
from wallflower.wire.hello import BRecord, Kind, open_seal_b, parse_b_record
from wallflower.wire.hum import Gathering
from wallflower.wire.parcel import open_parcel_body, parse_parcel
from wallflower.wire.sizes import CELL, POSITIONS
from wallflower.wire.stamp import earned_class

# What travels between processes: plain tuples, which cost little to pack.
Judged = tuple[bytes | None, bool, list[int], bytes]
Plain = tuple[bytes, bytes, int] | str


class Opened(NamedTuple):
    """B's record out of a parcel; its letter and the class that its stamp earned, if it has one."""

    record: BRecord
    letter: bytes = b""
    stamp_class: int = 0


def open_parcel(data: bytes, private: hpke.PrivateKey, record_hash: bytes) -> Opened:
    """Open a parcel at B, or Refused (parcel 3.1, 3.3; hello 2.3, 2.4)."""
    parcel = parse_parcel(data)
    key, record = open_seal_b(private, record_hash, parcel.seal_b)
    if record.kind is not Kind.LETTER:
        return Opened(record)
    letter = open_parcel_body(key, parcel.body)
    return Opened(record, letter, earned_class(record_hash, letter, record.stamp))


def first_copies(gathering: Gathering) -> bytes:
    """The first copy of each position of a complete gathering, as they came, in one piece."""
    found: dict[int, bytes] = {}
    for counter in sorted(gathering.cells):
        found.setdefault(counter % POSITIONS, gathering.cells[counter].raw)
    return b"".join(found.values())


def judge_copies(cells: bytes, private: hpke.PrivateKey, record_hash: bytes) -> Judged:
    """`judge_gathering` for another process, of what `first_copies` gave."""
    gathering = Gathering()
    for at in range(0, len(cells), CELL):
        gathering.add(parse_cell(cells[at : at + CELL]))
    outcome = judge_gathering(gathering, private, record_hash)
    parcel = outcome.parcel.encode() if outcome.parcel else None
    return parcel, outcome.junk, outcome.broken, outcome.key_a


def outcome_of(
    judged: Judged, gathering: Gathering, private: hpke.PrivateKey, record_hash: bytes
) -> Outcome:
    """What `judge_copies` found of a gathering, as `judge_gathering` says it of the whole.

    Where a first copy is broken the others are tried here, with the key that was decapsulated: a
    hum costs no second decapsulation for that (hum 2.3).
    """
    parcel, junk, broken, key_a = judged
    if broken and len(gathering.cells) > POSITIONS:
        gathering.key_a = key_a
        return judge_gathering(gathering, private, record_hash)
    return Outcome(parse_parcel(parcel) if parcel else None, junk, broken, key_a)


def open_plain(data: bytes, private: hpke.PrivateKey, record_hash: bytes) -> Plain:
    """`open_parcel` for another process: of a refusal the rule."""
    try:
        opened = open_parcel(data, private, record_hash)
    except Refused as refused:
        return refused.rule
    return opened.record.encode(), opened.letter, opened.stamp_class


def opened_of(plain: Plain) -> Opened | Refused:
    """What `open_plain` found; a refusal is a value here."""
    if isinstance(plain, str):
        return Refused(plain, "A parcel is refused")
    record, letter, stamp_class = plain
    return Opened(parse_b_record(record), letter, stamp_class)
