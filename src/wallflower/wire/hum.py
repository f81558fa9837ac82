"""The hum: the twelve cells of one page load, made whole before the first is sent. Spec: hum.md.

Making is for the terminal client and the crowd (the page has its twin in TypeScript); gathering
and opening is for A.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from wallflower.crypto import aead, hpke
from wallflower.errors import Refused
from wallflower.wire.cell import Cell, open_body, read_head, seal_body
from wallflower.wire.hello import (
    HUM_KEY,
    SILENT,
    BRecord,
    Kind,
    Report,
    hello_cell,
    hum_id,
    open_inner,
    open_seal_a,
    seal_a_of,
    seal_for_a,
    seal_for_b,
)
from wallflower.wire.parcel import Parcel, pieces, seal_parcel_body
from wallflower.wire.record import RecordBody
from wallflower.wire.sizes import DITHER_MS, HUM_CELLS, POSITIONS, SLOT_MS, TOKEN
from wallflower.wire.stamp import START, make_stamp


def make_hum(
    record: RecordBody, kind: Kind, letter: bytes, draw: Callable[[int], bytes],
    token: bytes | None = None, report: Report = SILENT, key_a: bytes | None = None,
) -> list[bytes]:  # fmt: skip
    """The twelve cells of a hum around one sealed letter or filler (hum 1.1-1.4).

    `token` is the letter's of the record's week; without one it is random (token 1.6). A loop names
    its token and its hum key A (loop 1.3). `draw(n)` gives n bytes of the host's entropy; all cells
    are CELL bytes, in order of counter.
    """
    drawn_key, key_b = draw(HUM_KEY), draw(HUM_KEY)
    key_a = key_a or drawn_key
    record_hash = record.hash()
    stamp = make_stamp(record_hash, letter, draw(START))
    no_token = draw(TOKEN)
    inside = BRecord(kind, token or no_token, stamp, report)
    seal_b = seal_for_b(record.hop_b, record_hash, key_b, inside)
    seal_a = seal_for_a(record.hop_a, record_hash, key_a)
    three = pieces(seal_parcel_body(key_b, letter))
    name = hum_id(seal_a)
    cells = []
    for counter in range(HUM_CELLS):
        position = counter % POSITIONS
        cell = (
            seal_body(key_a, counter, record.number, name, three[position - 1])
            if position
            else hello_cell(seal_a, key_a, counter, record.number, seal_b)
        )
        cells.append(cell.encode())
    return cells


def offsets_ms(pace: int, uniform: Callable[[], float]) -> list[float]:
    """When each cell leaves, in milliseconds since the load (hum 1.5)."""
    return [(c * SLOT_MS + uniform() * DITHER_MS) / pace for c in range(HUM_CELLS)]


def read_name(data: bytes | memoryview) -> tuple[int, int, bytes]:
    """(record, counter, id of the hum that it says it belongs to) of a cell (hum 2.1), or Refused
    (cell 2)."""
    record, counter, name = read_head(data)
    return record, counter, name if counter % POSITIONS else hum_id(seal_a_of(data))


def read_names(
    cells: Iterable[bytes | memoryview],
) -> Iterator[tuple[int, int, bytes, bytes | memoryview] | None]:
    """(record, counter, hum id, the cell) of many, as `read_name` says it; None where that refuses.

    A hello comes three times, so what is known to be the id of a seal is not hashed again.
    """
    known: dict[bytes, tuple[bytes, bytes]] = {}  # by a seal's first bytes: seal, id
    for cell in cells:
        try:
            record, counter, name = read_head(cell)
        except Refused:
            yield None
            continue
        if not counter % POSITIONS:
            seal, same = bytes(seal_a_of(cell)), known.get(name)
            if same is None or same[0] != seal:
                known[name] = same = seal, hum_id(seal)
            name = same[1]
        yield record, counter, name, cell


@dataclass(slots=True)
class Gathering:
    """The cells of one hum that have come so far, whole, by counter (hum 2.1)."""

    cells: dict[int, bytes | memoryview] = field(default_factory=dict)
    # Once the hello was decapsulated; None when that failed, and the hum is junk.
    key_a: bytes | None = b""

    def add(self, cell: Cell) -> None:
        """Keep the first cell of each counter."""
        self.cells.setdefault(cell.counter, cell.raw)

    def complete(self) -> bool:
        """Whether all four positions are there; only then is anything opened (hum 2.2)."""
        if len(self.cells) > HUM_CELLS - HUM_CELLS // POSITIONS:
            return True  # a position has no more than three copies that could be missing
        return len({counter % POSITIONS for counter in self.cells}) == POSITIONS

    def seal_a(self) -> bytes | memoryview:
        """What its key comes out of, sealed to A: all hellos of one id hold the same (hello 1.5).
        One is there, since it is complete."""
        first = next(c for c in range(0, HUM_CELLS, POSITIONS) if c in self.cells)
        return seal_a_of(self.cells[first])


def open_hum(
    gathering: Gathering, private: hpke.PrivateKey, record_hash: bytes
) -> tuple[Parcel | None, list[int]]:
    """Open a complete gathering: the parcel, or None and the counters of copies that did not open.

    Raises Refused (hello 2.1) when its hello does not open at A: the whole hum is junk.
    A copy that fails is dropped and another copy may still come (hum 2.3).
    """
    if not gathering.complete():
        raise Refused("hum 3.3", "A position of a hum is missing", "Nothing was forwarded.")
    if not gathering.key_a:
        gathering.key_a = open_seal_a(private, record_hash, gathering.seal_a())
    by_key_a = aead.Opener(gathering.key_a)
    found: dict[int, bytes] = {}
    broken = []
    for counter in sorted(gathering.cells):
        position = counter % POSITIONS
        if position in found:
            continue
        opens = open_body if position else open_inner
        try:
            found[position] = opens(by_key_a, counter, gathering.cells[counter])
        except Refused:
            broken.append(counter)
            continue
        if len(found) == POSITIONS:
            return Parcel(found[0], b"".join((found[1], found[2], found[3]))), broken
    return None, broken
