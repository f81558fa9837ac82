"""Text breaks where it may, runs the right way, and is never cut."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wallflower.campaign.film.layout import (
    CODE_SIDE,
    HEIGHT,
    LEAST_MODULE,
    QUIET,
    WIDTH,
    Hand,
    caption_sheet,
    card_sheet,
    closing_sheet,
    qr_rows,
    square_sheet,
)
from wallflower.campaign.film.storyboard import LONGEST_ADDRESS, Card, Ending, parse_ending
from wallflower.campaign.film.text import chop, fit, pieces, wrap
from wallflower.errors import Fault

WORDS = tuple(["able", "about", "above", "absent", "absorb", "abstract", "absurd", "abuse"])


def half(text: str, size: float = 1, _bold: bool = False) -> float:
    """Every character half as wide as it is high."""
    return len(text) * size / 2


HANDS = {rtl: Hand(rtl, 1.4, half) for rtl in (False, True)}


def seen(line: str, rtl: bool) -> list[str]:
    return [piece.text for piece in pieces(line, rtl, lambda sign: 0)]


@pytest.mark.parametrize(
    ("line", "rtl", "expected"),
    [
        ("hello", False, ["hello"]),
        ("سلام دنیا", True, ["سلام دنیا"]),
        ("با Tor Browser بنویسید", True, [" بنویسید", "Tor Browser", "با "]),
        ("use کلید now", False, ["use ", "کلید", " now"]),
        ("نسخهٔ 13 است", True, ["نسخهٔ 13 است"]),
        ("Tor (13)", True, ["Tor (13)"]),
        ("(Tor) الف", True, [") الف", "Tor", "("]),
        ("a (ب) c", False, ["a (", "ب", ") c"]),
        ("الف (Tor)", True, [")", "Tor", "الف ("]),
        ("پایان.", True, ["پایان."]),
        ("", True, []),
    ],
)
def test_pieces_come_in_the_order_of_the_eye(line: str, rtl: bool, expected: list[str]) -> None:
    assert seen(line, rtl) == expected


def test_one_direction_is_cut_where_the_font_has_to_change() -> None:
    found = pieces("الف (ب)", True, lambda sign: 1 if sign in "()" else 0)
    assert [(p.text, p.font) for p in found] == [(")", 1), ("ب", 0), ("(", 1), ("الف ", 0)]


LINES = st.text("abc 123().،پچژ清廉é", max_size=30)


@given(LINES, st.booleans())
def test_no_character_is_lost_or_doubled_by_cutting(line: str, rtl: bool) -> None:
    found = pieces(line, rtl, lambda sign: ord(sign) % 3)
    assert sorted("".join(piece.text for piece in found)) == sorted(line)
    if all(piece.rtl for piece in found):
        assert "".join(piece.text for piece in reversed(found)) == line
    if not any(piece.rtl for piece in found):
        assert "".join(piece.text for piece in found) == line


@given(st.text("ab cd清廉，。-", max_size=60), st.integers(4, 30))
@example("aaa ，", 4)
def test_wrapped_lines_fit_and_hold_everything(text: str, width: int) -> None:
    lines = wrap(text, width, lambda part: len(part))
    if lines is None:
        # Closing marks begin no line, even after a space (UAX 14, LB13).
        assert any(len(part.rstrip()) > width for part in re.split(" +(?![，。 ])", text))
        return
    assert all(len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_no_line_begins_with_what_closes_a_chinese_clause() -> None:
    text = "如果你见过公款被侵吞，可以写信告诉我们。不需要姓名（真的）！"
    for width in range(4, 20):
        lines = wrap(text, width, lambda part: len(part))
        assert lines is not None
        assert not any(line[0] in "，。）！" for line in lines)
        assert not any(line[-1] == "（" for line in lines)


@given(st.text("abc/.:", min_size=1, max_size=100), st.integers(3, 20))
def test_an_address_fits_its_width_and_gains_nothing(text: str, width: int) -> None:
    lines = chop(text, width, lambda part: len(part))
    assert "".join(lines) == text
    assert all(len(line) <= width for line in lines)


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (22, ["https://", "clean-hands.example/"]),
        (13, ["https://", "clean-hands", ".example/"]),
        (15, ["https://clean-h", "ands.example/"]),
        (40, ["https://clean-hands.example/"]),
    ],
)
def test_a_word_of_an_address_is_cut_only_where_that_saves_a_line(
    width: int, lines: list[str]
) -> None:
    assert chop("https://clean-hands.example/", width, lambda part: len(part)) == lines


def test_the_largest_size_that_fits_is_taken() -> None:
    sizes = (20.0, 10.0, 5.0)
    found = fit("aaaa bbbb", (50, 30), sizes, 1.0, half)
    assert found is not None and (found.size, found.lines) == (10.0, ("aaaa bbbb",))
    assert fit("a" * 40, (50, 30), sizes, 1.0, half) is None


@pytest.mark.parametrize("rtl", [False, True])
@given(st.text("ab cd清廉", max_size=600), st.text("ab cd", max_size=160), st.booleans())
def test_all_lines_of_a_card_are_on_it_or_it_is_refused(
    rtl: bool, text: str, title: str, picture: bool
) -> None:
    card = Card(title, text, "x.png" if picture else "")
    try:
        sheet = card_sheet(HANDS[rtl], card, "note", "card 7")
    except Fault as fault:
        assert "card 7" in fault.what
        return
    for line in sheet.lines:
        assert 0 < line.y <= HEIGHT - 40
        far = line.x - half(line.text, line.size) if rtl else line.x + half(line.text, line.size)
        assert min(line.x, far) >= 0
        assert max(line.x, far) <= WIDTH


def test_a_caption_of_three_lines_is_refused_by_its_place() -> None:
    assert len(caption_sheet(HANDS[False], "one two", "caption 1").lines) == 1
    with pytest.raises(Fault, match="caption 9"):
        caption_sheet(HANDS[False], "word " * 32, "caption 9")


@pytest.mark.parametrize("length", [20, 70, LONGEST_ADDRESS])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_a_code_has_whole_pixels_and_fits_the_card(length: int, scale: float) -> None:
    address = "https://".ljust(length, "a")
    sheet = closing_sheet(HANDS[False], Card(title="x"), parse_ending(address, WORDS), scale)
    assert sheet.code is not None and sheet.code.module >= LEAST_MODULE
    side = (len(qr_rows(address)) + 2 * QUIET) * sheet.code.module / scale
    assert side <= CODE_SIDE
    assert sheet.code.top >= 0 and sheet.code.top + side <= HEIGHT
    assert sheet.code.left >= 0 and sheet.code.left + side <= WIDTH
    column = [line.x + half(line.text, line.size) for line in sheet.lines]
    assert max(column) <= sheet.code.left


def test_words_too_wide_for_the_card_are_refused() -> None:
    ending = Ending("https://a.example/", ("w" * 24,) * 8)
    with pytest.raises(Fault, match="eight words"):
        closing_sheet(HANDS[False], Card(), ending, 1.0)


def test_a_picture_card_says_the_address_whole() -> None:
    ending = parse_ending("https://a-rather-long-name.example/with/a/path", WORDS)
    sheet = square_sheet(HANDS[True], Card("t", "x"), ending, 4.0, "c")
    assert ending.address in "".join(line.text for line in sheet.lines)
