"""The letter: one size whatever is in it, and refusals that say what to do. Spec: letter.md."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.drawn import Draw, Room
from vectors.in_python import private

from wallflower.errors import Refused
from wallflower.wire.letter import (
    FILLER,
    Letter,
    LetterKind,
    check_text,
    open_letter,
    parse_letter,
    seal_letter,
)
from wallflower.wire.sizes import LETTER, LETTER_PLAIN, LETTER_TEXT, MARKS

ROOM = Room()
DESK = ROOM.record.desks[0]
ENTRY = ROOM.record.desk_entry_hash(DESK)
KEYS = [(DESK.week, private("desk"), ENTRY)]


def _letter(text: str, mark: int = 0, part: int = 1, of: int = 1) -> Letter:
    draw = Draw("letter")
    return Letter(
        LetterKind.LETTER, 2, draw(16), draw(32), draw(32), DESK.week, mark, text, part, of
    )


def _sent(letter: Letter) -> Letter | None:
    sealed = seal_letter(DESK.key, ENTRY, letter.encode())
    assert len(sealed) == LETTER
    return open_letter(KEYS, sealed)


@pytest.mark.parametrize(
    "text",
    ["a", "花", "墙花静立" * 75, "x" * LETTER_TEXT, "花" * (LETTER_TEXT // 3), "\u200c", "a\0b"],
    ids=["one character", "one Chinese character", "300 Chinese characters", "exactly the limit",
         "exactly the limit in Chinese", "only an invisible character", "a zero byte inside"],
)  # fmt: skip
def test_a_letter_arrives_as_it_was_written(text: str) -> None:
    letter = _letter(text)
    assert _sent(letter) == letter


@pytest.mark.parametrize("text", ["x" * (LETTER_TEXT + 1), "花" * (LETTER_TEXT // 3) + "a"])
def test_one_byte_too_many_is_refused_and_the_limit_is_shown(text: str) -> None:
    with pytest.raises(Refused) as refused:
        _letter(text).encode()
    assert refused.value.rule == "letter 3.8"
    assert str(LETTER_TEXT) in str(refused.value)
    assert str(LETTER_TEXT + 1) in str(refused.value)
    assert text[:20] not in str(refused.value)


def test_an_empty_letter_is_refused_when_writing() -> None:
    with pytest.raises(Refused) as refused:
        check_text("")
    assert refused.value.rule == "letter 3.8"


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1400),
    st.integers(0, MARKS - 1), st.integers(1, 255), st.integers(1, 255),
)  # fmt: skip
def test_any_letter_comes_back(text: str, mark: int, one: int, other: int) -> None:
    part, of = sorted((one, other))
    letter = _letter(text, mark, part, of)
    assert parse_letter(letter.encode(), DESK.week) == letter


def test_a_filler_opens_to_nothing_and_has_the_size_of_a_letter() -> None:
    sealed = ROOM.filler()
    assert len(sealed) == LETTER
    assert open_letter(KEYS, sealed) is None


@given(st.integers(1, LETTER_PLAIN - 1), st.integers(1, 255))
def test_a_filler_with_any_byte_set_is_refused(at: int, value: int) -> None:
    with pytest.raises(Refused) as refused:
        parse_letter(FILLER[:at] + bytes([value]) + FILLER[at + 1 :], DESK.week)
    assert refused.value.rule == "letter 3.4"


def test_every_living_key_is_tried() -> None:
    strange = (DESK.week + 1, private("stranger"), ENTRY)
    letter = _letter("a")
    sealed = seal_letter(DESK.key, ENTRY, letter.encode())
    assert open_letter([strange, *KEYS], sealed) == letter
    for keys in ([], [strange]):
        with pytest.raises(Refused) as refused:
            open_letter(keys, sealed)
        assert refused.value.rule == "letter 3.2"


def test_a_sealed_letter_holds_nothing_of_its_text_and_opens_with_its_desks_key_alone() -> None:
    text = "Nobody noticed the letter."
    sealed = seal_letter(DESK.key, ENTRY, _letter(text).encode())
    assert text.encode()[:8] not in sealed
    with pytest.raises(Refused) as refused:
        open_letter([(DESK.week, private("stranger"), ENTRY)], sealed)
    assert refused.value.rule == "letter 3.2"


def test_a_letter_bound_to_another_desk_entry_does_not_open() -> None:
    other = ROOM.record.desk_entry_hash(ROOM.record.desks[1])
    with pytest.raises(Refused) as refused:
        open_letter(KEYS, seal_letter(DESK.key, other, _letter("a").encode()))
    assert refused.value.rule == "letter 3.2"


def test_a_letter_does_not_open_under_the_record_hash_of_its_day() -> None:
    """Letters are sealed days before they leave, so they hang on the entry, not on the record."""
    sealed = seal_letter(DESK.key, ENTRY, _letter("a").encode())
    assert open_letter(KEYS, sealed) is not None
    assert Room("tomorrow").record.desk_entry_hash(Room("tomorrow").record.desks[0]) == ENTRY
    with pytest.raises(Refused) as refused:
        open_letter([(DESK.week, private("desk"), ROOM.record.hash())], sealed)
    assert refused.value.rule == "letter 3.2"


def test_only_a_whole_plaintext_is_sealed() -> None:
    with pytest.raises(ValueError, match="fixed length"):
        seal_letter(DESK.key, ENTRY, bytes(LETTER_PLAIN - 1))


def test_a_lone_surrogate_is_refused_and_does_not_crash() -> None:
    with pytest.raises(Refused) as refusal:
        check_text("a\ud800")
    assert refusal.value.rule == "letter 3.8"
