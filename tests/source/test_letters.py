"""Which letter may ride in which hum: on a later day, under a descendant, the oldest first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.source.stage import SECRET, days
from tests.trust.made import PINS, body, changed, private, record

from wallflower.crypto import hpke
from wallflower.crypto.derive import conversation_id
from wallflower.errors import Refused
from wallflower.lab.host import SeededEntropy
from wallflower.source.letters import (
    Kept,
    Place,
    choose_for_hum,
    filler,
    is_stale,
    may_leave,
    seal_filler,
    write_letter,
)
from wallflower.trust.record import EpochRecord
from wallflower.wire.hello import Kind
from wallflower.wire.letter import FILLER
from wallflower.wire.sizes import (
    ANCESTORS,
    HASH,
    LETTER,
    LETTER_TEXT,
    MARKS,
    TOKEN,
    TOKEN_WEEKS,
    TOKENS,
    week_of_day,
)
from wallflower.wire.token import index_of, token, token_key

DAYS = days(ANCESTORS + 3)
FIRST, SECOND, THIRD = DAYS[:3]
DRAW = SeededEntropy(b"letters").draw


def write(under: EpochRecord, text: str = "text", kept: tuple[Kept, ...] = ()) -> Kept:
    return write_letter(SECRET, text, 1, under, PINS.desk, kept, DRAW)


WAITING = write(FIRST)
FORKED = record(changed(FIRST.body, hop_a=private("fork").public))
TABLE = {
    "the same day": (WAITING, FIRST, False),
    "the next day": (WAITING, SECOND, True),
    "sixteen days later": (WAITING, DAYS[ANCESTORS], True),
    "when its record is no ancestor any more": (WAITING, DAYS[ANCESTORS + 1], False),
    "an earlier day": (write(SECOND), FIRST, False),
    "a forked record": (write(FORKED), SECOND, False),
    "another number of the same day": (
        WAITING,
        record(replace(body(2, FIRST.body.day, FIRST.body), not_before=FIRST.body.not_before + 1)),
        False,
    ),
    "a filler": (replace(WAITING, place=Place.FILLER), SECOND, False),
    "no record at all": (replace(WAITING, record_hash=bytes(HASH)), SECOND, False),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_letter_may_leave_only_on_a_later_day_under_a_descendant(name: str) -> None:
    kept, today, expected = TABLE[name]
    assert may_leave(kept, today) is expected


def test_a_letter_under_yesterdays_record_waits_for_the_day_after_its_writing() -> None:
    written = write_letter(SECRET, "x", 1, FIRST, PINS.desk, (), DRAW, SECOND.body.day)
    assert written.day == SECOND.body.day
    assert not may_leave(written, SECOND)
    assert may_leave(written, THIRD)
    week = FIRST.body.week + 1
    monday = next(day for day in range(FIRST.body.day, 2**16) if week_of_day(day) == week)
    late = write_letter(SECRET, "x", 1, FIRST, PINS.desk, (), DRAW, monday)
    key = token_key(conversation_id(SECRET))
    assert late.tokens[:TOKEN] == token(key, week, index_of(late.mark))


@pytest.mark.parametrize(
    ("kept", "today", "stale"),
    [
        (WAITING, FIRST, False), (WAITING, DAYS[ANCESTORS], False),
        (WAITING, DAYS[ANCESTORS + 1], True), (write(FORKED), SECOND, True),
        (replace(WAITING, place=Place.FILLER), DAYS[ANCESTORS + 1], False),
    ],
)  # fmt: skip
def test_a_letter_is_stale_when_it_waits_and_can_leave_in_no_hum_any_more(
    kept: Kept, today: EpochRecord, stale: bool
) -> None:
    assert is_stale(kept, today) is stale


def test_the_oldest_letter_leaves_first() -> None:
    old, new = write(FIRST, "old"), write(SECOND, "new")
    empty = filler(FIRST, PINS.desk, DRAW)
    choice = choose_for_hum([empty, new, old], THIRD, PINS.desk)
    assert (choice.kind, choice.sealed, choice.place) == (Kind.LETTER, old.sealed, 2)
    choice = choose_for_hum([empty, new, empty], THIRD, PINS.desk)
    assert (choice.kind, choice.sealed, choice.place) == (Kind.LETTER, new.sealed, 1)


def test_when_nothing_may_leave_a_fresh_filler_rides() -> None:
    kept = [filler(FIRST, PINS.desk, DRAW), WAITING]
    choice = choose_for_hum(kept, FIRST, PINS.desk)
    assert (choice.kind, choice.place, choice.token) == (Kind.COVER, None, None)
    assert len(choice.sealed) == LETTER
    assert choice.sealed not in {k.sealed for k in kept}


def test_a_filler_goes_through_the_same_door_as_a_letter() -> None:
    entry = FIRST.desk(PINS.desk)
    info = hpke.info("desk", FIRST.body.desk_entry_hash(entry))
    opened = hpke.open_sealed(private("desk"), info, seal_filler(FIRST, PINS.desk))
    assert opened == FILLER
    assert len(WAITING.sealed) == len(seal_filler(FIRST, PINS.desk)) == LETTER


@pytest.mark.parametrize("text", ["", "x" * (LETTER_TEXT + 1), "水" * (LETTER_TEXT // 3) + "x"])
def test_a_text_that_does_not_fit_is_refused_with_the_limit(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        write(FIRST, text)
    assert refusal.value.rule == "letter 3.8"
    assert str(LETTER_TEXT) in str(refusal.value) or not text


def test_no_mark_is_used_twice_in_a_week_and_the_last_one_can_be_had() -> None:
    kept: list[Kept] = []
    for _ in range(MARKS):
        kept.append(write(FIRST, "x", tuple(kept)))
    assert sorted(k.mark for k in kept) == list(range(MARKS))
    with pytest.raises(Refused) as refusal:
        write(FIRST, "x", tuple(kept))
    assert refusal.value.rule == "letter 3.9"
    assert [k.mark for k in kept] != sorted(k.mark for k in kept), "drawn, not counted"


def test_a_mark_that_the_board_has_a_receipt_for_is_used_already() -> None:
    week = FIRST.body.week
    taken = {(week, mark) for mark in range(MARKS) if mark != 7} | {(week - TOKEN_WEEKS, 7)}
    entry = write_letter(SECRET, "x", 1, FIRST, PINS.desk, (), DRAW, taken=taken)
    assert entry.mark == 7


def test_a_letter_leaves_with_the_token_of_the_record_it_leaves_under() -> None:
    """Sealed on a Saturday, it may leave in four different weeks."""
    conversation, letter = conversation_id(SECRET), write(FIRST)
    weeks = []
    for today in DAYS[1 : ANCESTORS + 1]:
        key = token_key(conversation)
        wanted = token(key, today.body.week, index_of(letter.mark))
        assert choose_for_hum([letter], today, PINS.desk).token == wanted
        weeks.append(today.body.week - FIRST.body.week)
    assert sorted(set(weeks)) == [0, 1, 2, 3]
    late = replace(letter, day=letter.day - 15)
    assert choose_for_hum([late], DAYS[ANCESTORS], PINS.desk).token is None


def test_letters_of_one_conversation_take_tokens_of_their_own_while_there_are_any() -> None:
    kept: list[Kept] = []
    for n in range(TOKENS):
        kept.append(write(DAYS[n % 4], "x", tuple(kept)))  # over the change of a week
    assert sorted(index_of(k.mark) for k in kept) == list(range(TOKENS))
    kept.append(write(FIRST, "x", tuple(kept)))
    pieces = [k.tokens[at : at + TOKEN] for k in kept[:-1] for at in range(0, 4 * TOKEN, TOKEN)]
    assert len(set(pieces)) == len(pieces), "no two places show that they belong together"


@pytest.mark.parametrize(("weeks_ago", "free"), [(TOKEN_WEEKS - 1, 1), (TOKEN_WEEKS, TOKENS)])
def test_tokens_of_letters_are_taken_until_none_of_them_could_still_leave(
    weeks_ago: int, free: int
) -> None:
    letter = write(FIRST)
    kept = [replace(letter, week=letter.week - weeks_ago, mark=mark) for mark in range(1, TOKENS)]
    assert {index_of(k.mark) for k in kept} == set(range(1, TOKENS))
    for _ in range(free):
        kept.append(write(FIRST, "x", tuple(kept)))
    new = [index_of(k.mark) for k in kept[TOKENS - 1 :]]
    assert sorted(new) == ([0] if free == 1 else list(range(TOKENS)))


def test_the_tokens_of_a_place_say_nothing_of_its_conversation() -> None:
    letter = write(FIRST)
    assert conversation_id(SECRET) not in letter.tokens
    assert token_key(conversation_id(SECRET))[:TOKEN] not in letter.tokens
    assert len(letter.tokens) == len(filler(FIRST, PINS.desk, DRAW).tokens)


def test_a_letter_to_a_desk_that_the_record_does_not_name_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        write_letter(SECRET, "x", 1, FIRST, "Elsewhere", (), DRAW)
    assert refusal.value.rule == "record 2.5"
