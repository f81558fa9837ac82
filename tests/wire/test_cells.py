"""Many cells told by hum at once are told as each cell alone would be, whatever lies among them."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.drawn import Draw, Room, flip
from tests.wire.test_hum import CELLS, LETTER, ROOM

from wallflower.errors import Refused
from wallflower.wire import cells
from wallflower.wire.cells import by_record, read_name, share_of, share_of_hum
from wallflower.wire.hello import Kind
from wallflower.wire.sizes import CELL, HUM_CELLS, POSITIONS

HEAD = 14
Told = tuple[dict[int, dict[bytes, dict[int, int]]], int]


def page(many: Sequence[bytes]) -> bytes:
    """Cells behind heads of a pull."""
    return b"".join(b"h" * HEAD + cell for cell in many)


def one_by_one(many: Sequence[bytes]) -> Told:
    found: dict[int, dict[bytes, dict[int, int]]] = {}
    refused = 0
    for number, cell in enumerate(many):
        try:
            record, counter, name = read_name(cell)
        except Refused:
            refused += 1
            continue
        at = HEAD + number * (HEAD + CELL)
        found.setdefault(record, {}).setdefault(name, {}).setdefault(counter, at)
    return found, refused


def told(many: Sequence[bytes]) -> Told:
    """Of each record its hums, with all of their cells; which of them are whole is asked too."""
    found, refused = by_record(page(many), HEAD, HEAD + CELL)
    hums = {record: its.of(set(its.names)) for record, its in found.items()}
    for record, its in found.items():
        first = {name: [at.get(n) for n in range(POSITIONS)] for name, at in hums[record].items()}
        assert its.whole() == {n: tuple(four) for n, four in first.items() if None not in four}
    return hums, refused


PLACE = st.one_of(st.integers(0, 40), st.integers(0, CELL - 1))
DAMAGE = st.lists(st.tuples(st.integers(0, HUM_CELLS - 1), PLACE), max_size=12)


@given(DAMAGE, st.randoms(use_true_random=False))
def test_many_cells_are_told_by_hum_as_each_is_alone(
    damage: list[tuple[int, int]], chance: random.Random
) -> None:
    many = [*CELLS, *(flip(CELLS[counter], at) for counter, at in damage), *CELLS[:5]]
    chance.shuffle(many)
    assert told(many) == one_by_one(many)


def test_nothing_is_told_of_nothing() -> None:
    assert told([]) == ({}, 0)


def test_well_formed_cells_of_one_record_are_told_without_looking_at_each(
    monkeypatch: pytest.MonkeyPatch, draw: Draw
) -> None:
    """The control of the above: this way is gone, and no cell is read for itself."""
    other = ROOM.make(Kind.LETTER, LETTER, draw)
    many = [cell for pair in zip(CELLS, other, strict=True) for cell in pair]
    said = one_by_one(many)
    monkeypatch.delattr(cells, "_one_by_one")
    assert told(many) == said
    assert {len(places) for places in said[0][ROOM.record.number].values()} == {HUM_CELLS}


def test_two_seals_that_begin_alike_are_two_hums() -> None:
    behind = flip(CELLS[4], 900)
    found, refused = told([CELLS[0], behind, CELLS[8]])
    hums = found[ROOM.record.number]
    assert sorted(map(sorted, hums.values())) == [[0, 8], [4]]
    assert refused == 0


def test_a_forged_hello_that_comes_first_and_begins_alike_hides_nobody() -> None:
    forged = [flip(CELLS[counter], 900) for counter in (0, 4, 8)]
    found, _ = told([*forged, *CELLS])
    hums = found[ROOM.record.number]
    assert set(hums[read_name(CELLS[0])[2]]) == set(range(HUM_CELLS))
    assert len(hums) == 2


def test_a_body_that_names_itself_like_a_hello_is_no_part_of_one() -> None:
    """Eight zero bytes and the beginning of a seal, where a body has its id."""
    posing = CELLS[1][:4] + CELLS[0][4:20] + CELLS[1][20:]
    many = [posing, *CELLS]
    assert told(many) == one_by_one(many)
    assert len(told(many)[0][ROOM.record.number]) == 2


def test_cells_of_two_records_in_one_page_are_told_apart(draw: Draw) -> None:
    yesterday = Room("yesterday").make(Kind.LETTER, LETTER, draw)
    many = [*CELLS, *yesterday]
    assert told(many) == one_by_one(many)
    assert len(told(many)[0]) == 2


@pytest.mark.parametrize("shares", [1, 2, 3, 64])
def test_all_cells_of_a_hum_fall_into_one_share_and_what_is_no_cell_into_the_first(
    draw: Draw, shares: int
) -> None:
    for hum in (CELLS, ROOM.make(Kind.COVER, ROOM.filler(), draw)):
        (share,) = {share_of(cell, shares) for cell in hum}
        assert share == share_of_hum(read_name(hum[0])[2], shares) < shares
    assert share_of(b"short", shares) == share_of(b"\xff" * CELL, shares) == 0


def test_hums_fall_into_all_shares_alike() -> None:
    many = [share_of_hum(n.to_bytes(16), 4) for n in range(400)]
    assert [many.count(share) for share in range(4)] == [100] * 4
