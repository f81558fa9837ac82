"""Many cells at once: which hum each belongs to, and where it begins. Spec: cell.md, hum.md 2.

Of a hum's twelve cells four are opened. The others cost a mix only what is done here with them: so
columns of bytes are looked at where one cell after the other would take three times as long.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Sequence
from itertools import chain, compress
from typing import NamedTuple

from wallflower.errors import Refused
from wallflower.wire.cell import read_head
from wallflower.wire.hello import hum_id, seal_a_of
from wallflower.wire.sizes import CELL, HELLO_HEADER, HUM_CELLS, HUM_ID, POSITIONS, SEAL_A, VERSION

Places = dict[int, int]  # of one hum: counter, where that cell begins
Four = tuple[int, int, int, int]  # where the cells with counters 0 to 3 begin
_NAME_AT = 4  # of a cell; of a hello these are its reserved bytes and the first of its seal
_AT_A_TIME = 64  # cells
_RESERVED = bytes(HELLO_HEADER - _NAME_AT)
# For bytes.translate: a column of counters becomes one of ones and zeros.
_IS_HELLO = bytes(c % POSITIONS == 0 for c in range(256))


class Cells(NamedTuple):
    """Well-formed cells of one record, from the last to the first: the counter of each, the id of
    its hum (hum 2.1), and where it begins."""

    counters: bytes
    names: Sequence[bytes]
    starts: Sequence[int]

    def whole(self) -> dict[bytes, Four]:
        """The hums of which all of the first four cells are here; of two with the same counter the
        one that came first."""
        zero, one, two, three = firsts = tuple(dict[bytes, int]() for _ in range(POSITIONS))
        for counter, name, at in zip(self.counters, self.names, self.starts, strict=True):
            if counter < POSITIONS:
                firsts[counter][name] = at
        return {
            name: (at, one[name], two[name], three[name])
            for name, at in zero.items() if name in one and name in two and name in three
        }  # fmt: skip

    def of(self, hums: Collection[bytes]) -> dict[bytes, Places]:
        """Where all cells of some hums begin; of two with the same counter the one that came
        first (hum 2.1)."""
        found: dict[bytes, Places] = {}
        if not hums:  # of most pages
            return found
        for counter, name, at in zip(self.counters, self.names, self.starts, strict=True):
            if name in hums:
                places = found.get(name)
                if places is None:
                    found[name] = {counter: at}
                else:
                    places[counter] = at
        return found


def read_name(data: bytes | memoryview) -> tuple[int, int, bytes]:
    """(record, counter, id of the hum that it says it belongs to) of a cell (hum 2.1), or Refused
    (cell 2)."""
    record, counter, name = read_head(data)
    return record, counter, name if counter % POSITIONS else hum_id(seal_a_of(data))


def share_of(cell: bytes, shares: int) -> int:
    """The number of the share that a cell's hum falls into: the first for what is no cell."""
    try:
        return share_of_hum(read_name(cell)[2], shares)
    except Refused:
        return 0


def share_of_hum(name: bytes, shares: int) -> int:
    """The number of the share that a hum of this id falls into, 0 to `shares` - 1 (hum 2.8)."""
    return int.from_bytes(name[-2:]) % shares


def by_record(data: bytes, first: int, step: int) -> tuple[dict[int, Cells], int]:
    """The cells of each record, and how many are none (cell 2).

    Cells begin at `first` and each `step` bytes further on to the end of `data`.
    """
    starts = range(first, len(data), step)
    found = _alike(data, starts)
    return (found, 0) if found is not None else _one_by_one(data, starts)


def _one_by_one(data: bytes, starts: Iterable[int]) -> tuple[dict[int, Cells], int]:
    found: dict[int, list[tuple[int, bytes, int]]] = {}
    refused, view = 0, memoryview(data)
    for at in starts:
        try:
            record, counter, name = read_name(view[at : at + CELL])
        except Refused:
            refused += 1
            continue
        found.setdefault(record, []).append((counter, name, at))
    return {record: _columns(rows) for record, rows in found.items()}, refused


def _columns(rows: Sequence[tuple[int, bytes, int]]) -> Cells:
    counters, names, starts = zip(*reversed(rows), strict=True)
    return Cells(bytes(counters), list(names), starts)


def _alike(data: bytes, starts: range) -> dict[int, Cells] | None:
    """`by_record` where every cell is well formed and of one record; None where that is not so."""
    versions, counters, high, low = (data[starts.start + n :: starts.step] for n in range(_NAME_AT))
    count = len(versions)
    if not count:
        return {}
    # The lowest counter that is too high shows itself in the highest.
    alike = versions.count(VERSION) == high.count(high[0]) == low.count(low[0]) == count
    if not alike or max(counters) >= HUM_CELLS:
        return None
    names = _names(data, starts.start + _NAME_AT, starts.step)
    if not _name_hellos(data, names, counters, starts):
        return None
    names.reverse()
    return {high[0] << 8 | low[0]: Cells(counters[::-1], names, starts[::-1])}


def _names(data: bytes, first: int, step: int) -> list[bytes]:
    """What stands in each cell where a body has its id; many at a time, in a third of the time."""
    one = f"{first}x{HUM_ID}s{step - first - HUM_ID}x"
    many, view = _AT_A_TIME * step, memoryview(data)
    whole = len(data) // many * many
    found = (
        struct.iter_unpack(one * _AT_A_TIME, view[:whole]),
        struct.iter_unpack(one, view[whole:]),
    )
    return list(chain.from_iterable(chain(*found)))


def _name_hellos(data: bytes, names: list[bytes], counters: bytes, starts: range) -> bool:
    """Give hellos, which so far go by what stands where bodies have their id, that of their hum.
    False where one's reserved bytes are set (cell 2.4), and where two seals only begin alike.

    The id is a hash of the whole seal. Of those that begin alike one is hashed, and all are
    compared with all of it, which is quicker: or a forged one would take the other's name.
    """
    hellos = counters.translate(_IS_HELLO)
    begins = list(compress(names, hellos))
    seals_at = list(compress(range(starts.start + HELLO_HEADER, len(data), starts.step), hellos))
    one_each = dict(zip(begins, seals_at, strict=True))
    if not all([begin.startswith(_RESERVED) for begin in one_each]):
        return False
    seals = {begin: data[at : at + SEAL_A] for begin, at in one_each.items()}
    copies = len(seals) < len(begins)
    if copies and not all(map(data.startswith, map(seals.__getitem__, begins), seals_at)):
        return False
    ids = {begin: hum_id(seal) for begin, seal in seals.items()}
    hellos_at = compress(range(len(names)), hellos)
    for n, name in zip(hellos_at, map(ids.__getitem__, begins), strict=True):
        names[n] = name
    return True
