"""The hello: the keys for A and B. Spec: hello.md."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.drawn import Draw, Room

from wallflower.crypto import hpke
from wallflower.crypto.aead import Opener
from wallflower.errors import Refused
from wallflower.wire.cell import Cell, parse_cell
from wallflower.wire.hello import (
    HUM_KEY,
    SILENT,
    BRecord,
    Kind,
    all_but_silent,
    hello_cell,
    hum_id,
    open_inner,
    open_seal_a,
    open_seal_b,
    parse_b_record,
    parse_plain_b,
    seal_a_of,
    seal_for_a,
    seal_for_b,
)
from wallflower.wire.sizes import (
    B_RECORD,
    CELL,
    HELLO_HEADER,
    HUM_ID,
    SEAL_A,
    SEAL_B,
    SEAL_OVERHEAD,
)

ROOM = Room()


def _hello(draw: Draw, counter: int = 0) -> tuple[bytes, Cell]:
    key_a, today = draw(32), ROOM.record
    for_b = seal_for_b(today.hop_b, today.hash(), draw(32), BRecord(Kind.LETTER, draw(16)))
    for_a = seal_for_a(today.hop_a, today.hash(), key_a)
    return key_a, hello_cell(for_a, key_a, counter, today.number, for_b)


def test_the_three_hellos_differ_only_in_counter_and_inner(draw: Draw) -> None:
    cells = ROOM.make(Kind.COVER, ROOM.filler(), draw)
    hellos = [parse_cell(cells[counter]) for counter in (0, 4, 8)]
    assert len({seal_a_of(h.raw) for h in hellos}) == 1
    assert len({h.raw[HELLO_HEADER + SEAL_A :] for h in hellos}) == 3
    key_a = open_seal_a(ROOM.hop_a, ROOM.record.hash(), seal_a_of(hellos[0].raw))
    assert len({open_inner(Opener(key_a), h.counter, h.raw) for h in hellos}) == 1


def test_the_hum_id_is_derived_and_stands_nowhere_in_the_hello(draw: Draw) -> None:
    _, cell = _hello(draw)
    name = hum_id(seal_a_of(cell.raw))
    assert len(name) == HUM_ID
    assert name not in cell.encode()
    assert len(cell.encode()) == CELL


@given(st.sampled_from(Kind), st.binary(min_size=16, max_size=16))
def test_b_s_record_comes_back(kind: Kind, token: bytes) -> None:
    record = BRecord(kind, token)
    assert len(record.encode()) == B_RECORD
    assert parse_b_record(record.encode()) == record


def _is_silent_cover(plain: bytes | None) -> bool:
    """As each is told alone."""
    try:
        _, found = parse_plain_b(plain or b"")
    except Refused:
        return False
    return (found.kind, found.report) == (Kind.COVER, SILENT)


def _with_byte(plain: bytes, change: tuple[int, int]) -> bytes:
    """One byte of B's record is another."""
    at, byte = HUM_KEY + change[0], change[1]
    return plain[:at] + bytes([byte]) + plain[at + 1 :]


_QUIET = st.builds(
    lambda key, token, stamp: key + bytes(4) + token + stamp + bytes(8),
    *(st.binary(min_size=n, max_size=n) for n in (HUM_KEY, 16, 8)),
)
_BYTE = st.tuples(st.integers(0, B_RECORD - 1), st.one_of(st.integers(0, 4), st.integers(0, 255)))
_CHANGED = st.builds(_with_byte, _QUIET, _BYTE)
_PLAIN = st.one_of(
    _QUIET, _CHANGED, st.builds(_with_byte, _CHANGED, _BYTE), st.none(),
    st.binary(max_size=HUM_KEY + B_RECORD + 1), st.builds(lambda p: p + b"\0", _QUIET),
)  # fmt: skip


@given(st.lists(_PLAIN, max_size=12))
def test_covers_that_report_nothing_are_told_together_as_each_is_alone(
    plains: list[bytes | None],
) -> None:
    alone = [n for n, plain in enumerate(plains) if not _is_silent_cover(plain)]
    assert all_but_silent(plains) == alone


@given(st.binary(max_size=B_RECORD + 2))
def test_any_bytes_are_a_b_record_or_refused_under_2_4(data: bytes) -> None:
    try:
        assert parse_b_record(data).encode() == data
    except Refused as refused:
        assert refused.rule == "hello 2.4"


def test_a_hello_for_another_record_opens_at_neither_mix(draw: Draw) -> None:
    key_a, cell = _hello(draw)
    other = Room("tomorrow").record.hash()
    with pytest.raises(Refused) as at_a:
        open_seal_a(ROOM.hop_a, other, seal_a_of(cell.raw))
    with pytest.raises(Refused) as at_b:
        open_seal_b(ROOM.hop_b, other, open_inner(Opener(key_a), cell.counter, cell.raw))
    assert (at_a.value.rule, at_b.value.rule) == ("hello 2.1", "hello 2.3")


def test_seal_a_does_not_open_with_b_s_role_nor_the_other_way(draw: Draw) -> None:
    """Each is sealed to the right key, at the right length, under the other's role."""
    today = ROOM.record
    as_a = seal_for_a(today.hop_b, today.hash(), draw(SEAL_B - SEAL_OVERHEAD))
    with pytest.raises(Refused) as at_b:
        open_seal_b(ROOM.hop_b, today.hash(), as_a)
    as_b = hpke.seal(today.hop_a, hpke.info("hop-b", today.hash()), draw(SEAL_A - SEAL_OVERHEAD))
    with pytest.raises(Refused) as at_a:
        open_seal_a(ROOM.hop_a, today.hash(), as_b)
    assert (at_b.value.rule, at_a.value.rule) == ("hello 2.3", "hello 2.1")


@pytest.mark.parametrize("size", [0, SEAL_B - 1, SEAL_B + 1])
def test_a_seal_b_of_another_length_is_refused_unopened(size: int) -> None:
    with pytest.raises(Refused) as refused:
        open_seal_b(ROOM.hop_b, ROOM.record.hash(), bytes(size))
    assert refused.value.rule == "hello 2.3"


def test_a_seal_b_that_opens_but_is_longer_is_refused_by_its_length(draw: Draw) -> None:
    today = ROOM.record
    info = hpke.info("hop-b", today.hash())
    sealed = hpke.seal(
        today.hop_b, info, draw(32) + BRecord(Kind.LETTER, draw(16)).encode() + b"\0"
    )
    with pytest.raises(Refused) as refused:
        open_seal_b(ROOM.hop_b, today.hash(), sealed)
    assert refused.value.rule == "hello 2.3"
