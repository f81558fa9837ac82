"""A storyboard is read as it stands, or refused with the card to correct."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallflower.campaign.film.storyboard import (
    LONGEST_ADDRESS,
    MAX_BYTES,
    Caption,
    is_rtl,
    parse_ending,
    parse_storyboard,
)
from wallflower.errors import Fault

GOOD = """
language = "fa"
footnote = "نمونه"
[colours]
accent = "#00ff7f"
[[card]]
title = "عنوان"
picture = "pictures/wall.png"
captions = ["یک", "دو"]
[[card]]
clip = "talk.mp4"
captions = [{ text = "سه", start = 0, end = 1.5 }]
[closing]
title = "پایان"
seconds = 6
"""
WORDS = tuple(["able", "about", "above", "absent", "absorb", "abstract", "absurd", "abuse"])


def test_a_storyboard_is_read_as_it_stands() -> None:
    board = parse_storyboard(GOOD.encode())
    assert is_rtl(board.language)
    assert board.files == ("pictures/wall.png", "talk.mp4")
    assert board.cards[0].captions == (Caption("یک"), Caption("دو"))
    assert board.cards[1].captions == (Caption("سه", 0.0, 1.5),)
    assert board.colours.accent == (0, 255, 127)
    assert board.closing.seconds == 6
    assert not is_rtl("zh-Hans")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('language = "fa"', "", "no good 'language'"),
        ('language = "fa"', 'language = "Farsi!"', "'language' out of its bounds"),
        ('language = "fa"', 'language = "fa"\nname = "x"', "The storyboard has a key that means"),
        ('footnote = "نمونه"', "footnote = 3", "no good 'footnote'"),
        ('"#00ff7f"', '"green"', "'accent' out of its bounds"),
        ('title = "عنوان"', "title = 3", "Card 1 has no good 'title'"),
        ('title = "عنوان"', f'title = "{"a" * 601}"', "Card 1 has a 'title' out of its bounds"),
        ('title = "عنوان"', 'title = "a\\u202eb"', "Card 1 has no good 'title'"),
        ('title = "عنوان"', 'title = "a\\u0000b"', "Card 1 has no good 'title'"),
        ('"pictures/wall.png"', '"../wall.png"', "Card 1 has a 'picture' out"),
        ('"pictures/wall.png"', '"/etc/passwd"', "Card 1 has a 'picture' out"),
        ('"pictures/wall.png"', '"a\\\\b.png"', "Card 1 has a 'picture' out"),
        ('captions = ["یک", "دو"]', 'captions = "یک"', "'captions' that is not a list"),
        ('captions = ["یک", "دو"]', 'captions = ["یک", 2]', "Card 1, caption 1, is not a table"),
        ('captions = ["یک", "دو"]', 'captions = ["  "]', "caption 1, has a 'text' out"),
        ("start = 0", "start = -1", "Card 2, caption 1, has a 'start' that is not 0 to 600"),
        ("end = 1.5", "end = true", "Card 2, caption 1, has no number 'end'"),
        ("end = 1.5", "end = nan", "'end' that is not 0 to 600"),
        ('clip = "talk.mp4"', "seconds = 5", "Card 2 shows nothing"),
        ('clip = "talk.mp4"', 'clip = "talk.mp4"\ntext = "x"', "Card 2 has a clip and more"),
        ("seconds = 6", "seconds = 1e9", "The closing card has a 'seconds' that is not 1 to 120"),
        ("seconds = 6", 'seconds = 6\npicture = "x.png"', "The closing card has a key that"),
        ("[closing]", "[[closing]]", "'closing' that is not a table"),
        ("[closing]", "[closing", "not TOML"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(old: str, new: str, said: str) -> None:
    assert GOOD.count(old) >= 1
    with pytest.raises(Fault, match=said):
        parse_storyboard(GOOD.replace(old, new).encode())


def test_no_card_and_too_many_cards_and_too_many_bytes_are_refused() -> None:
    card = '[[card]]\ntext = "x"\n'
    for count in (0, 61):
        with pytest.raises(Fault, match="1 to 60 cards"):
            parse_storyboard(('language = "en"\n' + card * count).encode())
    assert len(parse_storyboard(('language = "en"\n' + card * 60).encode()).cards) == 60
    with pytest.raises(Fault, match="256 KiB"):
        parse_storyboard(b" " * (MAX_BYTES + 1))


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_storyboard_or_a_fault(data: bytes) -> None:
    try:
        parse_storyboard(data)
    except Fault as fault:
        assert fault.next_step  # either way is right


@given(st.data())
def test_a_good_storyboard_with_any_change_is_a_storyboard_or_a_fault(data: st.DataObject) -> None:
    raw = bytearray(GOOD.encode())
    for place in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=4)):
        raw[place] = data.draw(st.integers(0, 255))
    try:
        parse_storyboard(bytes(raw))
    except Fault as fault:
        assert fault.next_step


def test_a_copy_ends_with_a_web_address_and_eight_words() -> None:
    assert parse_ending("https://a.example/", WORDS).words == WORDS
    for address in ("", "a.example", "ftp://a/", "https://ä.example/", "https://a/ b", "https://"):
        with pytest.raises(Fault, match="address"):
            parse_ending(address, WORDS)
    with pytest.raises(Fault, match="address"):
        parse_ending("https://" + "a" * LONGEST_ADDRESS, WORDS)
    with pytest.raises(Fault, match="'abus' is in no list of words"):
        parse_ending("https://a.example/", (*WORDS[:7], "abus"))
    for words in (WORDS[:7], (*WORDS, "x"), (*WORDS[:7], "a b"), (*WORDS[:7], "")):
        with pytest.raises(Fault, match="eight"):
            parse_ending("https://a.example/", words)
