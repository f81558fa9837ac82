"""The hum: the twelve cells of one page load, made whole before the first is sent. Spec: hum.md.

Making is for the terminal client and the crowd (the page has its twin in TypeScript); gathering
and opening is for A.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from wallflower.crypto import aead, hpke
from wallflower.crypto.aead import NONCES
from wallflower.errors import Refused
from wallflower.wire.cell import Cell, open_body, seal_body
from wallflower.wire.cells import Four
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
from wallflower.wire.sizes import (
    BODY_HEADER,
    CELL,
    DITHER_MS,
    HELLO_HEADER,
    HUM_CELLS,
    POSITIONS,
    SEAL_A,
    SLOT_MS,
    TOKEN,
)
from wallflower.wire.stamp import START, make_stamp

_INNER_AT = HELLO_HEADER + SEAL_A  # of a hello: what is sealed under hum key A


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


def open_first(key_a: bytes, data: bytes, four: Four) -> bytes | None:
    """The parcel, encoded, out of the first four cells, in the order of their counters (hum 2.4);
    None where one of them does not open."""
    at, a, b, c = four
    opens = aead.opener(key_a)
    # Copied out first: what is far away in memory comes sooner to a copy than to a cipher.
    try:
        return b"".join((
            opens(NONCES[0], data[at + _INNER_AT : at + CELL], data[at : at + HELLO_HEADER]),
            opens(NONCES[1], data[a + BODY_HEADER : a + CELL], data[a : a + BODY_HEADER]),
            opens(NONCES[2], data[b + BODY_HEADER : b + CELL], data[b : b + BODY_HEADER]),
            opens(NONCES[3], data[c + BODY_HEADER : c + CELL], data[c : c + BODY_HEADER]),
        ))  # fmt: skip
    except aead.NotOpened:
        return None
