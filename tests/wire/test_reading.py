"""The reader of fixed fields: nothing too short, nothing left over."""

from __future__ import annotations

import pytest

from wallflower.errors import Refused
from wallflower.wire.reading import Reader


def test_fields_come_in_order_and_the_end_is_the_end() -> None:
    reader = Reader(b"\x01\x02\x03abc", "record 2.1")
    assert (reader.number(1), reader.number(2), reader.take(3)) == (1, 0x0203, b"abc")
    reader.end()


@pytest.mark.parametrize("size", [4, 5, 1216])
def test_a_field_that_is_not_all_there_is_refused_at_once(size: int) -> None:
    reader = Reader(b"abc", "record 2.1")
    with pytest.raises(Refused) as refused:
        reader.take(size)
    assert refused.value.rule == "record 2.1"
    assert reader.take(3) == b"abc"


def test_bytes_left_over_are_refused() -> None:
    reader = Reader(b"abc", "record 5.1")
    reader.take(2)
    with pytest.raises(Refused) as refused:
        reader.end()
    assert refused.value.rule == "record 5.1"
