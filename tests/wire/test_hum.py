"""The hum: twelve cells, any one copy of each position, all or nothing. Spec: hum.md."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.wire.drawn import Draw, Room, flip
from vectors.in_python.reading import gather

from wallflower.errors import Refused
from wallflower.wire.hello import Kind
from wallflower.wire.hum import Gathering, offsets_ms, open_hum
from wallflower.wire.sizes import CELL, DITHER_MS, HUM_CELLS, POSITIONS, SLOT_MS

ROOM = Room()
LETTER = ROOM.filler()
CELLS = ROOM.make(Kind.LETTER, LETTER, Draw("hum"))
(PARCEL,) = ROOM.at_a(CELLS).values()

# (position, first byte of the region, what it is): every part of a hum's four cells.
REGIONS = [
    (0, 0, "version"), (0, 1, "counter"), (0, 2, "record number, high byte"),
    (0, 3, "record number"), (0, 4, "reserved"), (0, 11, "last reserved byte"),
    (0, 12, "first byte of seal A's ML-KEM part"), (0, 600, "seal A's ML-KEM part, u"),
    (0, 1050, "seal A's ML-KEM part, v"), (0, 1100, "seal A's X25519 part"),
    (0, 1131, "last byte of seal A's X25519 part"), (0, 1132, "hum key A, sealed"),
    (0, 1179, "seal A's tag"), (0, 1180, "inner: seal B's ML-KEM part"),
    (0, 2290, "inner: seal B's X25519 part"), (0, 2320, "inner: hum key B"),
    (0, 2360, "inner: B's record"), (0, 2380, "inner: seal B's tag"), (0, 2399, "inner's tag"),
    *((place, at, f"body {place}: {what}") for place in (1, 2, 3) for at, what in (
        (0, "version"), (1, "counter"), (2, "record number, high byte"), (3, "record number"),
        (4, "hum id"), (19, "last byte of the hum id"), (20, "piece"), (1500, "piece, middle"),
        (2383, "last byte of the piece"), (2384, "tag"), (2399, "last byte of the tag"))),
]  # fmt: skip
_IDS = [what for _, _, what in REGIONS]


def _damaged(counters: set[int], at: int, bit: int) -> list[bytes]:
    return [flip(c, at, bit) if n in counters else c for n, c in enumerate(CELLS)]


def test_a_hum_is_twelve_cells_of_one_size_that_carry_the_letter() -> None:
    assert [len(c) for c in CELLS] == [CELL] * HUM_CELLS
    record, letter = ROOM.at_b(PARCEL)
    assert record.kind is Kind.LETTER
    assert letter == LETTER


@pytest.mark.parametrize("bit", [0, 7])
@pytest.mark.parametrize(("place", "at", "what"), REGIONS, ids=_IDS)
def test_a_bit_flipped_in_all_copies_of_a_position_gives_no_parcel(
    place: int, at: int, what: str, bit: int
) -> None:
    counters = {c for c in range(HUM_CELLS) if c % POSITIONS == place}
    assert ROOM.at_a(_damaged(counters, at, bit)) == {}, what


@pytest.mark.parametrize("copy", [0, 1, 2])
@pytest.mark.parametrize(("place", "at", "what"), REGIONS, ids=_IDS)
def test_with_one_copy_flipped_the_other_copies_still_deliver(
    place: int, at: int, what: str, copy: int
) -> None:
    found = ROOM.at_a(_damaged({copy * POSITIONS + place}, at, 0))
    assert list(found.values()) == [PARCEL], what


@pytest.mark.parametrize("copies", list(itertools.product(range(3), repeat=POSITIONS))[::7])
def test_any_one_copy_of_each_position_is_enough(copies: tuple[int, ...]) -> None:
    chosen = [CELLS[copy * POSITIONS + place] for place, copy in enumerate(copies)]
    assert list(ROOM.at_a(chosen).values()) == [PARCEL]
    assert list(ROOM.at_a(chosen[::-1]).values()) == [PARCEL]


@pytest.mark.parametrize("missing", range(POSITIONS))
def test_three_of_four_positions_forward_nothing_however_many_copies(missing: int) -> None:
    rest = [c for n, c in enumerate(CELLS) if n % POSITIONS != missing]
    assert ROOM.at_a(rest) == {}
    gathering = gather(b"".join(rest))
    assert not gathering.complete()
    with pytest.raises(Refused) as refused:
        open_hum(gathering, ROOM.hop_a, ROOM.record.hash())
    assert refused.value.rule == "hum 3.3"


@pytest.mark.parametrize("broken", range(POSITIONS))
def test_a_position_whose_copies_are_all_broken_forwards_nothing_and_names_them(
    broken: int,
) -> None:
    counters = {c for c in range(HUM_CELLS) if c % POSITIONS == broken}
    gathering = gather(b"".join(_damaged(counters, 2399, 0)))
    found, counted = open_hum(gathering, ROOM.hop_a, ROOM.record.hash())
    assert found is None
    assert set(counted) == counters


def test_an_empty_gathering_is_refused_not_crashed() -> None:
    with pytest.raises(Refused) as refused:
        open_hum(Gathering(), ROOM.hop_a, ROOM.record.hash())
    assert refused.value.rule == "hum 3.3"


@pytest.mark.parametrize("other", ["yesterday", "tomorrow", "small"])
def test_a_hum_made_from_another_record_opens_nowhere(other: str, draw: Draw) -> None:
    cells = Room(other).make(Kind.LETTER, LETTER, draw)
    gathering = gather(b"".join(cells))
    with pytest.raises(Refused) as at_a:
        open_hum(gathering, ROOM.hop_a, ROOM.record.hash())
    assert at_a.value.rule == "hello 2.1"
    found, _ = open_hum(gathering, ROOM.hop_a, Room(other).record.hash())
    assert found is not None
    with pytest.raises(Refused) as at_b:
        ROOM.at_b(found)
    assert at_b.value.rule == "hello 2.3"


def test_a_second_cell_with_the_same_counter_is_dropped() -> None:
    twice = gather(CELLS[0] + flip(CELLS[0], 2399) + b"".join(CELLS[1:4]))
    assert open_hum(twice, ROOM.hop_a, ROOM.record.hash()) == (PARCEL, [])


def test_cells_of_two_hums_never_mix(draw: Draw) -> None:
    other = ROOM.make(Kind.COVER, ROOM.filler(), draw)
    assert ROOM.at_a(CELLS[:3] + other[3:4]) == {}
    assert len(ROOM.at_a(CELLS + other)) == 2


@settings(max_examples=120)
@given(st.integers(0, HUM_CELLS - 1), st.integers(0, CELL - 1), st.integers(0, 7))
def test_one_flipped_bit_anywhere_neither_crashes_nor_loses_the_hum(
    counter: int, at: int, bit: int
) -> None:
    assert list(ROOM.at_a(_damaged({counter}, at, bit)).values()) == [PARCEL]


@settings(max_examples=80)
@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from(CELLS)), max_size=8), st.data())
def test_any_cells_give_the_parcel_or_nothing(cells: list[bytes], data: st.DataObject) -> None:
    size = data.draw(st.integers(0, 64))
    noise = Draw(f"noise {size}")(CELL)
    found = ROOM.at_a([*cells, CELLS[0][:12] + noise[12:], CELLS[1][:20] + noise[20:]])
    assert set(found.values()) <= {PARCEL}


def test_offsets_stay_within_their_slots_and_shrink_with_the_pace() -> None:
    assert offsets_ms(1, lambda: 0.0) == [c * SLOT_MS for c in range(HUM_CELLS)]
    late = offsets_ms(1, lambda: 1 - 2**-53)
    assert all(c * SLOT_MS <= at <= c * SLOT_MS + DITHER_MS for c, at in enumerate(late))
    assert offsets_ms(60, lambda: 0.5) == [(c * SLOT_MS + 500) / 60 for c in range(HUM_CELLS)]


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_draws_the_same_entropy_and_gives_the_same_sizes(kind: Kind) -> None:
    asked: list[int] = []

    class Counting(Draw):
        def __call__(self, size: int) -> bytes:
            asked.append(size)
            return super().__call__(size)

    cells = ROOM.make(kind, LETTER, Counting("entropy"))
    assert asked == [32, 32, 4, 16]
    assert [c[:4] for c in cells] == [c[:4] for c in CELLS]
