"""The receipt: sixteen bytes that only the words find. Spec: receipt.md."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.drawn import Draw

from wallflower.crypto.derive import epoch_secret
from wallflower.errors import Refused
from wallflower.wire.receipt import find_receipts, parse_receipts, receipt
from wallflower.wire.sizes import MARKS, RECEIPT

E = epoch_secret(bytes(16), 125)


@given(st.sets(st.tuples(st.integers(0, 70), st.integers(0, MARKS - 1)), max_size=6))
def test_the_receipts_of_these_words_are_found_among_others(marks: set[tuple[int, int]]) -> None:
    e = {week: epoch_secret(bytes(16), week) for week in range(71)}
    draw = Draw("others")
    board = b"".join([receipt(e[week], mark) for week, mark in marks] + [draw(RECEIPT)] * 3)
    assert find_receipts(e, frozenset(parse_receipts(board))) == marks


def test_a_mark_beyond_the_limit_has_no_receipt() -> None:
    for mark in (-1, MARKS):
        with pytest.raises(ValueError, match="below MARKS"):
            receipt(E, mark)


def test_every_mark_of_a_week_has_a_receipt_of_its_own() -> None:
    assert len({receipt(E, mark) for mark in range(MARKS)}) == MARKS


@given(st.binary(max_size=100))
def test_any_list_is_cut_whole_or_refused_under_4(data: bytes) -> None:
    try:
        assert b"".join(parse_receipts(data)) == data
    except Refused as refused:
        assert refused.rule == "receipt 4"
        assert len(data) % RECEIPT
