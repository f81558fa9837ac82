"""Many cells at once: which hum each belongs to, and where it begins. Spec: cell.md, hum.md 2.

Of a hum's twelve cells four are opened. The others cost a mix only what is done here with them: so
columns of bytes are looked at where one cell after the other would take three times as long.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from wallflower.errors import Refused
from wallflower.wire.cell import read_head
from wallflower.wire.hello import hum_id, seal_a_of
from wallflower.wire.sizes import CELL, HELLO_HEADER, HUM_CELLS, HUM_ID, POSITIONS, SEAL_A, VERSION

Places = dict[int, int]  # of one hum: counter, where that cell begins
ByHum = dict[bytes, Places]
_NAME_AT = 4  # of a cell; of a hello these are its reserved bytes and the first of its seal
_HELLOS = frozenset(range(0, HUM_CELLS, POSITIONS))
_RESERVED = bytes(HELLO_HEADER - _NAME_AT)
_SEAL = slice(HELLO_HEADER, HELLO_HEADER + SEAL_A)


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


def by_hum(data: bytes, first: int, step: int) -> tuple[dict[int, ByHum], int]:
    """Where the cells of each hum begin, by record and hum id, and how many are none (cell 2).

    Cells begin at `first` and each `step` bytes further on to the end of `data`. Of two with the
    same counter the one that comes first counts (hum 2.1).
    """
    found = _by_hum_alike(data, first, step)
    return (found, 0) if found is not None else _one_by_one(data, range(first, len(data), step))


def _one_by_one(data: bytes, places: Iterable[int]) -> tuple[dict[int, ByHum], int]:
    found: dict[int, ByHum] = {}
    refused, view = 0, memoryview(data)
    for at in places:
        try:
            record, counter, name = read_name(view[at : at + CELL])
        except Refused:
            refused += 1
            continue
        found.setdefault(record, {}).setdefault(name, {}).setdefault(counter, at)
    return found, refused


def _by_hum_alike(data: bytes, first: int, step: int) -> dict[int, ByHum] | None:
    """`by_hum` where every cell is well formed and of one record; None where that is not so."""
    versions, counters, high, low = (data[first + n :: step] for n in range(_NAME_AT))
    count = len(versions)
    if not count:
        return {}
    # The lowest counter that is too high shows itself in the highest.
    alike = versions.count(VERSION) == high.count(high[0]) == low.count(low[0]) == count
    if not alike or max(counters) >= HUM_CELLS:
        return None
    head = first + _NAME_AT
    names = struct.Struct(f"{head}x{HUM_ID}s{step - head - HUM_ID}x").iter_unpack(data)
    # From the last to the first, so that of two the first is what stays.
    order = zip(
        reversed(counters), reversed(list(names)), reversed(range(first, len(data), step)),
        strict=True,
    )  # fmt: skip
    named: ByHum = {}
    for counter, (name,), at in order:
        places = named.get(name)
        if places is None:
            named[name] = {counter: at}
        else:
            places[counter] = at
    hums = _with_hellos(data, named, sum(map(counters.count, _HELLOS)))
    return None if hums is None else {high[0] << 8 | low[0]: hums}


def _with_hellos(data: bytes, named: ByHum, count: int) -> ByHum | None:
    """Put hellos, which so far go by what stands where bodies have their id, to their bodies.

    None where something claims to be both; where two seals differ behind the bytes that were looked
    at; and where there are not `count` hellos, since one has taken another's place: of two that
    begin alike and have one counter both have to be seen, or a forged one would hide the other.
    """
    hums: ByHum = {}
    hellos: list[Places] = []
    for name, places in named.items():
        if places.keys().isdisjoint(_HELLOS):
            hums[name] = places
        elif name.startswith(_RESERVED) and places.keys() <= _HELLOS:
            hellos.append(places)
        else:
            return None
    if sum(map(len, hellos)) != count:
        return None
    for places in hellos:
        seal, *others = (data[at + _SEAL.start : at + _SEAL.stop] for at in places.values())
        if others.count(seal) != len(others):
            return None
        name = hum_id(seal)
        bodies = hums.get(name)
        if bodies is None:
            hums[name] = places
        else:
            bodies.update(places)
    return hums
