"""Reading the board with the words alone: replies and receipts, and nothing for strangers."""

from __future__ import annotations

from dataclasses import replace

from tests.source.stage import SECRET
from tests.trust.made import board, body, record

from wallflower.crypto.derive import epoch_secret
from wallflower.lab.host import SeededEntropy
from wallflower.source.reading import Found, read_board
from wallflower.wire.receipt import receipt
from wallflower.wire.reply import cut_reply, seal_part
from wallflower.wire.segment import SignedSegment
from wallflower.wire.sizes import REPLY_SALT, REPLY_WEEKS

TODAY = record(body())
WEEK = TODAY.body.week
DRAW = SeededEntropy(b"reading").draw


def slots(text: str, week: int, index: int = 0) -> list[bytes]:
    e, parts = epoch_secret(SECRET, week), cut_reply(text, index)
    return [
        seal_part(e, index + n, DRAW(REPLY_SALT), n + 1, len(parts), part)
        for n, part in enumerate(parts)
    ]


def shown(replies: list[bytes], receipts: list[bytes]) -> list[SignedSegment]:
    """Segments of a board that hold these among their noise."""
    segments = board(TODAY, 4).segments
    spread = [
        replace(segments[n % 4], replies=(*segments[n % 4].replies, slot))
        for n, slot in enumerate(replies)
    ]
    return [*segments, *spread, replace(segments[0], receipts=tuple(receipts))]


def test_replies_and_receipts_of_these_words_are_found_among_noise() -> None:
    e = epoch_secret(SECRET, WEEK)
    text = "很长的回答。" * 100
    found = read_board(SECRET, shown(slots(text, WEEK), [receipt(e, 7)]), WEEK)
    assert [reply.text for reply in found.replies] == [text]
    assert found.receipts == {(WEEK, 7)}


def test_other_words_find_nothing() -> None:
    segments = shown(slots("for somebody", WEEK), [receipt(epoch_secret(SECRET, WEEK), 7)])
    assert read_board(b"another secret!!", segments, WEEK) == Found([], set())


def test_a_slot_that_does_not_open_and_half_a_reply_are_passed_over() -> None:
    broken = bytearray(slots("broken", WEEK)[0])
    broken[-1] ^= 1
    half = slots("x" * 1500, WEEK, index=5)[:2]
    found = read_board(
        SECRET, shown([bytes(broken), *half, *slots("whole", WEEK, index=20)], []), WEEK
    )
    assert [reply.text for reply in found.replies] == ["whole"]


def test_a_reply_that_is_no_text_hides_no_other() -> None:
    e = epoch_secret(SECRET, WEEK)
    bad = [seal_part(e, index, DRAW(REPLY_SALT), 1, 1, b"\xff\xfe") for index in (0, 3)]
    others = [*slots("before", WEEK, index=1), *slots("after " * 200, WEEK, index=4)]
    found = read_board(SECRET, shown([*bad, *others], [receipt(e, 7)]), WEEK)
    assert [reply.text for reply in found.replies] == ["before", "after " * 200]
    assert found.receipts == {(WEEK, 7)}


def test_two_replies_of_one_number_that_begin_alike_are_both_read() -> None:
    """As where a desk's store was put back from a copy, and its answer was written again."""
    begun = "the same first half, " * 40
    first, again = slots(begun + "and an end", WEEK), slots(begun + "and another end", WEEK)
    found = read_board(SECRET, shown([*first, *again, *first], []), WEEK)
    assert [reply.text for reply in found.replies] == [
        begun + "and an end",
        begun + "and another end",
    ]


def test_replies_are_looked_for_in_the_last_weeks_and_no_longer() -> None:
    oldest = WEEK - REPLY_WEEKS + 1
    for week, texts in ((oldest, ["old"]), (oldest - 1, []), (WEEK + 1, [])):
        found = read_board(SECRET, shown(slots("old", week), []), WEEK)
        assert [reply.text for reply in found.replies] == texts
