"""The parcel: one AEAD over the whole letter, all or nothing. Spec: parcel.md."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.drawn import Draw, Room, flip

from wallflower.errors import Refused
from wallflower.wire.hello import Kind
from wallflower.wire.parcel import open_parcel_body, parse_parcel, pieces, seal_parcel_body
from wallflower.wire.sizes import BODY_PIECE, LETTER, PARCEL, PARCEL_BODY, SEAL_B

ROOM = Room()


@given(st.binary(min_size=32, max_size=32))
def test_a_letter_comes_back_out_of_its_three_pieces(key: bytes) -> None:
    letter = Draw("letter")(LETTER)
    three = pieces(seal_parcel_body(key, letter))
    assert [len(p) for p in three] == [BODY_PIECE] * 3
    assert open_parcel_body(key, b"".join(three)) == letter


@pytest.mark.parametrize("at", [0, BODY_PIECE - 1, BODY_PIECE, 2 * BODY_PIECE, PARCEL_BODY - 1])
def test_a_bit_in_any_piece_closes_the_whole_body(at: int, draw: Draw) -> None:
    key = draw(32)
    body = seal_parcel_body(key, draw(LETTER))
    with pytest.raises(Refused) as refused:
        open_parcel_body(key, flip(body, at))
    assert refused.value.rule == "parcel 3.3"


def test_pieces_in_another_order_do_not_open(draw: Draw) -> None:
    key = draw(32)
    one, two, three = pieces(seal_parcel_body(key, draw(LETTER)))
    with pytest.raises(Refused) as refused:
        open_parcel_body(key, two + one + three)
    assert refused.value.rule == "parcel 3.3"


def test_cover_letter_and_loop_are_parcels_of_one_size(draw: Draw) -> None:
    sealed = ROOM.filler()
    for kind in Kind:
        (found,) = ROOM.at_a(ROOM.make(kind, sealed, draw)).values()
        assert len(found.encode()) == PARCEL
        assert parse_parcel(found.encode()) == found
        assert ROOM.at_b(found)[0].kind is kind


@pytest.mark.parametrize("size", [LETTER - 1, LETTER + 1, 0])
def test_a_parcel_never_carries_something_of_another_size(size: int, draw: Draw) -> None:
    with pytest.raises(ValueError, match="exactly one letter"):
        seal_parcel_body(draw(32), bytes(size))


@pytest.mark.parametrize("at", [0, 1087, 1088, 1119, 1120, 1187, SEAL_B - 1])
def test_a_bit_in_seal_b_is_refused_at_b(at: int, draw: Draw) -> None:
    (found,) = ROOM.at_a(ROOM.make(Kind.LETTER, ROOM.filler(), draw)).values()
    with pytest.raises(Refused) as refused:
        ROOM.at_b(parse_parcel(flip(found.encode(), at)))
    assert refused.value.rule == "hello 2.3"
