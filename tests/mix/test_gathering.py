"""A's judgement of the cells of one hum. Spec: hum.md 2."""

from __future__ import annotations

import itertools

import pytest
from tests.trust.made import body, private

from wallflower.crypto.derive import sha256
from wallflower.lab.host import SeededEntropy
from wallflower.mix.gathering import Outcome, judge_gathering
from wallflower.wire.cell import Cell, parse_cell, seal_body
from wallflower.wire.cells import read_name
from wallflower.wire.hello import Kind
from wallflower.wire.hum import Gathering, make_hum
from wallflower.wire.letter import FILLER, seal_letter
from wallflower.wire.sizes import BODY_PIECE, CELL, HUM_CELLS, PARCEL

TODAY = body()
ENTRY = TODAY.desks[0]
CELLS = make_hum(
    TODAY, Kind.COVER, seal_letter(ENTRY.key, TODAY.desk_entry_hash(ENTRY), FILLER),
    SeededEntropy(b"gathering").draw,
)  # fmt: skip
WAIT = Outcome(None, junk=False, broken=[])


def judge(*cells: bytes | Cell) -> Outcome:
    gathering = Gathering()
    for cell in cells:
        gathering.add(cell if isinstance(cell, Cell) else parse_cell(cell))
    return judge_gathering(gathering, private("a"), TODAY.hash())


def broken(counter: int, at: int = CELL - 1) -> bytes:
    raw = bytearray(CELLS[counter])
    raw[at] ^= 1
    return bytes(raw)


def test_any_one_copy_of_each_position_is_a_whole_hum() -> None:
    whole = judge(*CELLS).parcel
    assert whole is not None
    assert len(whole.encode()) == PARCEL
    for copies in itertools.product(range(3), repeat=4):
        picked = [CELLS[position + 4 * copy] for position, copy in enumerate(copies)]
        assert judge(*reversed(picked)).parcel == whole


@pytest.mark.parametrize("missing", range(4))
def test_without_one_position_nothing_is_opened(missing: int) -> None:
    cells = [c for n, c in enumerate(CELLS) if n % 4 != missing]
    assert judge(*cells) == WAIT
    assert judge() == WAIT


def test_a_hello_that_opens_under_no_key_is_junk() -> None:
    raw = bytearray(CELLS[0])
    raw[100] ^= 1  # in A's KEM ciphertext: another hum id, one that opens nowhere
    junk_id = read_name(bytes(raw))[2]
    bodies = [seal_body(bytes(32), n, TODAY.number, junk_id, bytes(BODY_PIECE)) for n in (1, 2, 3)]
    assert judge(bytes(raw), *bodies) == Outcome(None, junk=True, broken=[])


def test_a_record_for_one_visitor_only_makes_hums_that_open_nowhere() -> None:
    gathering = Gathering()
    for cell in CELLS:
        gathering.add(parse_cell(cell))
    other = sha256(b"a record that was not co-signed")
    assert judge_gathering(gathering, private("a"), other).junk
    assert judge_gathering(gathering, private("another"), TODAY.hash()).junk


@pytest.mark.parametrize("position", [1, 2, 3])
def test_a_broken_copy_is_dropped_and_another_copy_makes_the_hum_whole(position: int) -> None:
    others = [CELLS[n] for n in range(4) if n != position]
    first = judge(broken(position), *others)
    assert first == Outcome(None, junk=False, broken=[position])
    assert judge(CELLS[position + 4], *others).parcel is not None
    both = judge(broken(position), CELLS[position + 8], *others)
    assert both.parcel is not None


def test_a_hello_that_is_damaged_behind_its_key_is_dropped_and_its_copy_taken() -> None:
    outcome = judge(broken(0), *CELLS[1:4])
    assert outcome == Outcome(None, junk=False, broken=[0])
    assert judge(broken(0), CELLS[4], *CELLS[1:4]).parcel is not None


def test_a_hello_that_is_damaged_within_its_seal_is_another_hum_and_harms_none() -> None:
    name = read_name(CELLS[0])[2]
    for at in (12, 12 + 1119, 12 + 1120, 12 + 1167):
        assert read_name(broken(0, at))[2] != name
    assert read_name(broken(0, 12 + 1168))[2] == name, "the control: behind its seal"


def test_a_body_forged_under_the_same_id_with_a_lower_counter_does_not_block_the_hum() -> None:
    name = read_name(CELLS[0])[2]
    forged = [seal_body(b"f" * 32, n, TODAY.number, name, bytes(BODY_PIECE)) for n in (1, 2, 3)]
    outcome = judge(CELLS[0], *forged, *(CELLS[n] for n in (5, 6, 7)))
    assert outcome.parcel is not None
    assert outcome.parcel == judge(*CELLS).parcel


def test_the_first_cell_of_each_counter_stays() -> None:
    assert judge(*CELLS, *(broken(n) for n in range(HUM_CELLS))).parcel == judge(*CELLS).parcel


def test_every_copy_broken_forwards_nothing() -> None:
    outcome = judge(*(broken(n) for n in range(HUM_CELLS)))
    assert outcome == Outcome(None, junk=False, broken=list(range(HUM_CELLS)))
