"""The cell: CELL bytes whoever writes. Spec: cell.md."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.drawn import Draw, flip

from wallflower.crypto.aead import Opener
from wallflower.errors import Refused
from wallflower.wire.cell import open_body, parse_cell, seal_body
from wallflower.wire.sizes import BODY_HEADER, BODY_PIECE, CELL, HUM_CELLS, HUM_ID, POSITIONS

_BODY = st.sampled_from([c for c in range(HUM_CELLS) if c % POSITIONS])


@given(_BODY, st.integers(0, 65535), st.binary(min_size=32, max_size=32))
def test_a_body_cell_comes_back_as_it_was_sealed(counter: int, record: int, key: bytes) -> None:
    piece, name = Draw("piece")(BODY_PIECE), key[:HUM_ID]
    data = seal_body(key, counter, record, name, piece).encode()
    found = parse_cell(data)
    assert len(data) == CELL
    assert (found.counter, found.record, found.raw[4:BODY_HEADER]) == (counter, record, name)
    assert found.encode() == data
    assert _opened(key, data) == piece


def test_a_cell_under_another_key_does_not_open(draw: Draw) -> None:
    data = seal_body(draw(32), 1, 7, draw(HUM_ID), draw(BODY_PIECE)).encode()
    with pytest.raises(Refused) as refused:
        _opened(draw(32), data)
    assert refused.value.rule == "cell 2.5"


def _opened(key: bytes, data: bytes) -> bytes:
    return open_body(Opener(key), parse_cell(data).counter, data)


@pytest.mark.parametrize("at", [1, 2, 3, 4, 19, 20, 1200, 2383, 2384, 2399])
def test_a_flipped_bit_of_a_body_cell_never_opens(at: int, draw: Draw) -> None:
    key = draw(32)
    data = seal_body(key, 1, 7, draw(HUM_ID), draw(BODY_PIECE)).encode()
    with pytest.raises(Refused) as refused:
        _opened(key, flip(data, at, 1))
    assert refused.value.rule == "cell 2.5"


@pytest.mark.parametrize("counter", [0, 4, 8])
def test_a_body_is_never_sealed_in_the_place_of_a_hello(counter: int, draw: Draw) -> None:
    with pytest.raises(ValueError, match="body position"):
        seal_body(draw(32), counter, 7, draw(HUM_ID), draw(BODY_PIECE))


def test_a_piece_of_another_size_is_never_sealed(draw: Draw) -> None:
    with pytest.raises(ValueError, match="whole piece"):
        seal_body(draw(32), 1, 7, draw(HUM_ID), draw(BODY_PIECE - 1))
