"""A, B and the desk in a few lines: opens what a page sent, with the same code as the nodes."""

from __future__ import annotations

from collections.abc import Sequence

from tests.browser.stage import Keys

from wallflower.wire import hello, hum, letter, parcel
from wallflower.wire.cell import parse_cell
from wallflower.wire.record import RecordBody


def open_cells(
    cells: list[bytes], keys: Keys, records: Sequence[RecordBody]
) -> tuple[hello.Kind, letter.Letter | None]:
    """What B learns of a hum of the last record, and the letter at the desk (None: a filler).

    The letter may be older than the hum: the desk tries the key of every record's week.
    """
    record = records[-1]
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
    desk_keys = [
        (entry.week, keys.desk, each.desk_entry_hash(entry))
        for each in reversed(records)
        for entry in each.desks[:1]
    ]
    return b_record.kind, letter.open_letter(desk_keys, sealed)
