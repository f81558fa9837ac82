"""The hum: the twelve cells of one page load, made whole before the first is sent. Spec: hum.md.

Making is for the terminal client and the crowd (the page has its twin in TypeScript); gathering
and opening is for A.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from wallflower.crypto import hpke
from wallflower.errors import Refused
from wallflower.wire.cell import Cell, body_id, open_body, seal_body
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


def cell_hum_id(cell: Cell) -> bytes:
    """The id of the hum that a cell says it belongs to (hum 2.1)."""
    return body_id(cell) if cell.counter % POSITIONS else hum_id(seal_a_of(cell))


@dataclass(slots=True)
class Gathering:
    """The cells of one hum that have come so far, by counter (hum 2.1)."""

    cells: dict[int, Cell] = field(default_factory=dict)
    key_a: bytes = b""  # once its hello was opened

    def add(self, cell: Cell) -> None:
        """Keep the first cell of each counter."""
        self.cells.setdefault(cell.counter, cell)

    def complete(self) -> bool:
        """Whether all four positions are there; only then is anything opened (hum 2.2)."""
        return len({counter % POSITIONS for counter in self.cells}) == POSITIONS


def open_hum(
    gathering: Gathering, private: hpke.PrivateKey, record_hash: bytes
) -> tuple[Parcel | None, list[int]]:
    """Open a complete gathering: the parcel, or None and the counters of copies that did not open.

    Raises Refused (hello 2.1) when its hello does not open at A: the whole hum is junk.
    A copy that fails is dropped and another copy may still come (hum 2.3).
    """
    if not gathering.complete():
        raise Refused("hum 3.3", "A position of a hum is missing", "Nothing was forwarded.")
    cells = [gathering.cells[counter] for counter in sorted(gathering.cells)]
    # All hellos of one id hold the same seal A (hello 1.5): one decapsulation decides.
    hello = next(c for c in cells if not c.position)
    if not gathering.key_a:
        gathering.key_a = open_seal_a(private, record_hash, seal_a_of(hello))
    key_a = gathering.key_a
    found: dict[int, bytes] = {}
    broken = []
    for cell in cells:
        position = cell.position
        if position in found:
            continue
        try:
            found[position] = (open_body if position else open_inner)(key_a, cell)
        except Refused:
            broken.append(cell.counter)
            continue
        if len(found) == POSITIONS:
            return Parcel(found[0], found[1] + found[2] + found[3]), broken
    return None, broken
