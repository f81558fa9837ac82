"""The reply: found by who knows the words, noise for all others. Spec: reply.md."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.drawn import Draw, flip

from wallflower.crypto.derive import epoch_secret
from wallflower.errors import Refused
from wallflower.wire.reply import (
    Part,
    Reply,
    cut_reply,
    joined,
    open_part,
    reply_table,
    seal_part,
    whole_runs,
)
from wallflower.wire.sizes import (
    REPLY_INDEXES,
    REPLY_SLOT,
    REPLY_TAG,
    REPLY_TEXT,
    REPLY_WEEKS,
)

WEEK = 125
E = epoch_secret(bytes(16), WEEK)


def _slots(text: str, first: int = 0) -> list[bytes]:
    parts = cut_reply(text, first)
    draw = Draw("salts")
    return [
        seal_part(E, first + n, draw(16), n + 1, len(parts), part) for n, part in enumerate(parts)
    ]


def _read(slots: list[bytes]) -> list[Reply]:
    table = reply_table({WEEK: E})
    found = []
    for slot in slots:
        place = table.get(slot[:REPLY_TAG])
        if place:
            found.append(open_part(E, *place, slot))
    return [joined(run) for run in whole_runs(found)]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1500), st.data())
def test_any_reply_comes_back_in_any_order(text: str, data: st.DataObject) -> None:
    slots = _slots(text, 3)
    assert {len(s) for s in slots} == {REPLY_SLOT}
    assert _read(data.draw(st.permutations(slots))) == [Reply(WEEK, 3, text)]


def test_a_reply_of_three_slots_may_be_cut_within_a_character() -> None:
    text = "墙花" * 300
    parts = cut_reply(text, 0)
    assert [len(p) for p in parts] == [REPLY_TEXT, REPLY_TEXT, 1800 - 2 * REPLY_TEXT]
    for part in parts[:2]:
        with pytest.raises(UnicodeDecodeError):
            part.decode("utf-8")
    assert _read(_slots(text)) == [Reply(WEEK, 0, text)]


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_reply_with_a_missing_part_waits(missing: int) -> None:
    slots = _slots("墙花" * 300)
    del slots[missing]
    assert _read(slots) == []


@pytest.mark.parametrize(("part", "of"), [(1, 1), (2, 3), (1, 2)])
def test_a_part_of_another_reply_does_not_fill_a_gap(part: int, of: int) -> None:
    begun, other = Part(WEEK, 0, 1, 2, b"a"), Part(WEEK, 1, part, of, b"b")
    whole = [Reply(WEEK, 1, "b")] if (part, of) == (1, 1) else []
    assert [joined(run) for run in whole_runs([begun, other])] == whole


def test_two_replies_stand_beside_each_other() -> None:
    first, second = _slots("a" * 800), _slots("b", 2)
    assert [r.text for r in _read([*second, *first])] == ["a" * 800, "b"]


def test_replies_that_were_given_one_index_hide_none_of_each_other() -> None:
    """As by a desk whose store was put back from a copy."""
    one, other, longer, newer = (_slots(text) for text in ("a", "b", "c" * 800, "d" * 800))
    slots = [*newer, *other, *one, *longer]
    assert [r.text for r in _read(slots)] == ["b", "a", "d" * 800, "c" * 800]
    # The second half belongs to one of two first halves, and nobody can tell to which.
    assert [r.text for r in _read([newer[0], *one, *longer])] == ["a"]


def test_a_reply_that_begins_where_another_one_ends_is_read_once() -> None:
    first, second = _slots("a" * 800), _slots("b" * 800, 1)
    assert [r.text for r in _read([*first, *second])] == ["a" * 800, "b" * 800]


def test_a_filler_slot_has_the_same_size_and_nobody_finds_it(draw: Draw) -> None:
    filler = seal_part(draw(32), 0, draw(16), 1, 1, b"")
    assert len(filler) == REPLY_SLOT
    assert _read([filler]) == []


def test_one_index_used_twice_costs_nothing(draw: Draw) -> None:
    one, other = (seal_part(E, 5, draw(16), 1, 1, b"same") for _ in range(2))
    assert one[:REPLY_TAG] == other[:REPLY_TAG]
    assert one[REPLY_TAG:] != other[REPLY_TAG:]
    assert open_part(E, WEEK, 5, one).text == open_part(E, WEEK, 5, other).text


@pytest.mark.parametrize("at", [0, 15, 16, 31, 32, 400, 751, 752, 767])
def test_a_flipped_bit_anywhere_in_a_slot_closes_it(at: int) -> None:
    with pytest.raises(Refused) as refused:
        open_part(E, WEEK, 0, flip(_slots("a")[0], at))
    assert refused.value.rule == "reply 3.2"


def test_a_slot_opens_neither_under_another_week_nor_another_index() -> None:
    (slot,) = _slots("a")
    for e, index in ((epoch_secret(bytes(16), WEEK + 1), 0), (E, 1)):
        with pytest.raises(Refused) as refused:
            open_part(e, WEEK, index, slot)
        assert refused.value.rule == "reply 3.2"


def test_a_reply_without_room_says_how_many_slots_it_needs_and_how_many_are_left() -> None:
    with pytest.raises(Refused) as refused:
        cut_reply("a" * (2 * REPLY_TEXT + 1), REPLY_INDEXES - 2)
    assert refused.value.rule == "reply 3.5"
    assert "needs 3 slots; 2 are left" in str(refused.value)
    assert len(cut_reply("a" * 2 * REPLY_TEXT, REPLY_INDEXES - 2)) == 2


def test_a_part_that_does_not_fit_is_never_sealed() -> None:
    for index, salt, text in (
        (0, bytes(16), bytes(REPLY_TEXT + 1)), (REPLY_INDEXES, bytes(16), b""), (0, b"", b""),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="does not fit"):
            seal_part(E, index, salt, 1, 1, text)


def test_a_table_of_all_weeks_has_every_tag_once() -> None:
    table = reply_table({week: epoch_secret(bytes(16), week) for week in range(REPLY_WEEKS)})
    assert len(table) == REPLY_WEEKS * REPLY_INDEXES


@given(st.lists(st.builds(Part, st.integers(0, 2), st.integers(0, 5), st.integers(1, 3),
                          st.integers(1, 3), st.binary(max_size=4)), max_size=8))  # fmt: skip
def test_joining_any_parts_gives_replies_or_3_4(parts: list[Part]) -> None:
    for run in whole_runs(parts):
        try:
            joined(run)
        except Refused as refused:
            assert refused.rule == "reply 3.4"


def test_a_lone_surrogate_in_an_answer_is_refused_and_does_not_crash() -> None:
    with pytest.raises(Refused) as refusal:
        cut_reply("a\ud800", 0)
    assert refusal.value.rule == "reply 3.5"
