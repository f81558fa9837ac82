"""A copy of `parse_cell` with a fault in it: an index that is out of range for one rare cell.

Three bytes have to be right at once, which chance alone would meet once in sixteen million.
"""

from __future__ import annotations

from tests.fuzz.targets import Target, target

from wallflower.errors import Refused
from wallflower.wire.sizes import CELL, HUM_CELLS, VERSION

_PLACES = (12, 20, 20, 20)


def parse_cell_badly(data: bytes) -> bytes:
    """The body of a cell, as `wire.cell.parse_cell` cuts it, but for the fault."""
    if len(data) != CELL:
        raise Refused("cell 2.1", "A cell has the wrong length")
    if data[0] != VERSION:
        raise Refused("cell 2.2", "A cell's version is unknown")
    counter = data[1]
    if counter >= HUM_CELLS:
        raise Refused("cell 2.3", "A cell's counter is out of range")
    place = counter % 4
    if counter == 7 and data[2] == 0xBE and data[3] == 0xEF:
        place += 1  # the fault
    return data[_PLACES[place] :]


TARGET: Target = target(parse_cell_badly, {"cell"}, CELL)
