"""The drop: constant in size, one KEM for the file. Spec: drop.md."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.drawn import Draw, Room, flip
from vectors.in_python import key, private, record_of

from wallflower.crypto import sign
from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.wire.drop import (
    DropHeader,
    SignedDrop,
    drop_size,
    make_drop,
    open_file_key,
    open_slot,
    parse_drop,
)
from wallflower.wire.sizes import DROP, DROP_HEADER, DROP_SEAL, DROP_SLOTS, LETTER

SMALL = record_of("small")
SEED = key("signers", "drop")


def _drop(letters: list[bytes], name: str = "drop") -> bytes:
    header = DropHeader(SMALL.number, 1, 99, len(letters), bytes(32))
    return make_drop(header, SMALL.drop_key, SMALL.hash(), Draw(name)(32), letters, SEED)


def _opened(found: SignedDrop) -> bytes:
    return open_file_key(private("drop"), SMALL.hash(), found)


@given(
    st.integers(0, 65535), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1),
    st.binary(min_size=32, max_size=32), st.integers(1, 3),
)  # fmt: skip
def test_any_drop_comes_back(
    record: int, number: int, tick: int, previous: bytes, slots: int
) -> None:
    draw = Draw("letters")
    header, letters = DropHeader(record, number, tick, slots, previous), [
        draw(LETTER) for _ in range(slots)
    ]  # fmt: skip
    data = make_drop(header, SMALL.drop_key, SMALL.hash(), draw(32), letters, SEED)
    found = parse_drop(data)
    assert (found.header, found.hash, len(data)) == (header, sha256(data), drop_size(slots))
    assert [open_slot(_opened(found), found, n) for n in range(slots)] == letters


def test_a_full_drop_has_the_size_of_the_table() -> None:
    assert drop_size(DROP_SLOTS) == DROP


def test_a_drop_of_letters_and_one_of_fillers_have_one_size(draw: Draw) -> None:
    filler = Room("small").filler()
    assert len(_drop([filler] * 3)) == len(_drop([draw(LETTER)] * 3))


def test_a_drop_is_always_full() -> None:
    with pytest.raises(ValueError, match="always full"):
        make_drop(
            DropHeader(9, 1, 1, 3, bytes(32)), SMALL.drop_key, SMALL.hash(), bytes(32), [], SEED
        )


def test_a_broken_slot_is_refused_and_the_others_are_read(draw: Draw) -> None:
    letters = [draw(LETTER) for _ in range(3)]
    at = DROP_HEADER + DROP_SEAL + (LETTER + 16) + 7
    found = parse_drop(flip(_drop(letters), at))
    file_key = _opened(found)
    assert [open_slot(file_key, found, n) for n in (0, 2)] == [letters[0], letters[2]]
    with pytest.raises(Refused) as refused:
        open_slot(file_key, found, 1)
    assert refused.value.rule == "drop 2.6"


def test_slots_do_not_open_in_another_place(draw: Draw) -> None:
    found = parse_drop(_drop([draw(LETTER) for _ in range(2)]))
    moved = SignedDrop(
        found.header, found.head, found.seal, found.slots[::-1], found.signature, found.signed,
        found.hash,
    )  # fmt: skip
    with pytest.raises(Refused) as refused:
        open_slot(_opened(found), moved, 0)
    assert refused.value.rule == "drop 2.6"


def test_a_drop_of_another_record_or_key_does_not_open(draw: Draw) -> None:
    found = parse_drop(_drop([draw(LETTER)]))
    for secret, name in (("drop", "today"), ("desk", "small")):
        with pytest.raises(Refused) as refused:
            open_file_key(private(secret), record_of(name).hash(), found)
        assert refused.value.rule == "drop 2.5"


@pytest.mark.parametrize("at", [0, 2, 16, DROP_HEADER, DROP_HEADER + DROP_SEAL, -65])
def test_the_signature_covers_everything_before_it(at: int, draw: Draw) -> None:
    data = _drop([draw(LETTER)])
    with pytest.raises((Refused, sign.BadSignature)):
        found = parse_drop(flip(data, at % len(data)))
        sign.verify(key("verify", "drop"), "drop", found.signed, found.signature)
