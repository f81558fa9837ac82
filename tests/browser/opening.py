"""A, B and the desk in a few lines: opens what a page sent, with the same code as the nodes."""

from __future__ import annotations

from tests.browser.stage import Keys

from wallflower.wire import hello, hum, letter, parcel
from wallflower.wire.cell import parse_cell
from wallflower.wire.record import RecordBody


def open_cells(
    cells: list[bytes], keys: Keys, record: RecordBody
) -> tuple[hello.Kind, letter.Letter | None]:
    """What B learns of a hum, and the letter at the desk (None is a filler)."""
    gathering = hum.Gathering()
    for cell in map(parse_cell, cells):
        assert cell.record == record.number
        gathering.add(cell)
    assert gathering.complete()
    found, broken = hum.open_hum(gathering, keys.hop_a, record.hash())
    assert found is not None
    assert not broken
    key_b, b_record = hello.open_seal_b(keys.hop_b, record.hash(), found.seal_b)
    sealed = parcel.open_parcel_body(key_b, found.body)
    entry = record.desks[0]
    desk_keys = [(entry.week, keys.desk, record.desk_entry_hash(entry))]
    return b_record.kind, letter.open_letter(desk_keys, sealed)
