"""What a person reads and is told: replies, receipts, states, and what to do about a fault."""

from __future__ import annotations

import re

import pytest
from tests.browser.browsing import (
    Guest,
    Visitor,
    forget_all,
    heard,
    listen,
    look_up,
    make_words,
    open_panel,
    said,
    wait_for,
    wait_for_board,
    wait_for_hum,
    write,
)
from tests.browser.opening import open_cells
from tests.browser.stage import Stage

from wallflower.crypto.derive import epoch_secret
from wallflower.wire.receipt import receipt
from wallflower.wire.reply import cut_reply, seal_part
from wallflower.wire.sizes import LETTER_TEXT
from wallflower.wire.words import to_digits, to_words

pytestmark = pytest.mark.browser

SECRET = bytes(range(16))


def test_states_of_a_letter_are_told_to_who_has_the_words(stage: Stage, visitor: Visitor) -> None:
    page = visitor.visit()
    words = " ".join(make_words(page))
    wait_for_hum(page)
    write(page, "A letter.")
    look_up(page, words)
    wait_for(page, "answers", "waits in this browser")
    look_up(page, " ".join(to_words(SECRET, "en")))
    assert said(page, "answers") == ""
    stage.next_day()
    stage.forget_requests()
    wait_for_hum(visitor.visit())
    cells = [c.body for c in stage.ingress.requests]
    _, letter = open_cells(cells, stage.keys, stage.records)
    assert letter is not None
    stage.release([], [receipt(letter.e, letter.mark)])
    page = visitor.visit()
    wait_for_board(page)
    look_up(page, words)
    assert said(page, "answers").endswith("The desk has your letter.")


def test_answer_is_not_said_to_be_gone_when_the_page_is_closed(stage: Stage, guest: Guest) -> None:
    """Who fears for it would copy it, and the copy lies about."""
    e = epoch_secret(SECRET, stage.record.week)
    stage.release([seal_part(e, 0, bytes(16), 1, 1, b"An answer.")], [])
    page = guest.visit()
    told = []
    for _ in range(2):
        wait_for_board(page)
        look_up(page, " ".join(to_words(SECRET, "en")))
        assert page.locator("#answers .reply").all_inner_texts() == ["An answer."]
        told.append(said(page, "read-status"))
        page = guest.visit()
    assert ["Your words show it again" in each for each in told] == [True, True]
    assert not any("gone" in each for each in told)


def test_who_forgets_is_told_that_visits_send_padding_then_and_that_all_is_forgotten_while_it_is(
    stage: Stage, visitor: Visitor
) -> None:
    page = visitor.visit()
    wait_for_hum(page)
    open_panel(page, "device")
    page.locator("#hum-choice").uncheck()
    wait_for(page, "hum-choice-status", "no padding")
    assert "your visits send padding" in page.locator("[data-say='forget.about']").inner_text()
    forget_all(page)
    wait_for(page, "forget-status", "Forgotten")
    make_words(page)
    write(page, "A letter after it.")
    page.locator("#forget-status", has_not_text="Forgotten").wait_for(state="attached")
    wait_for_hum(visitor.visit())


def test_words_alone_show_replies_and_receipts(stage: Stage, guest: Guest) -> None:
    week = stage.record.week
    e, e_before = epoch_secret(SECRET, week), epoch_secret(SECRET, week - 1)
    long = "我们已经看过报告。请告诉我们：柜子有锁吗？" * 20
    parts = cut_reply(long, 0)
    assert len(parts) == 2
    slots = [seal_part(e, i, bytes(16), i + 1, len(parts), part) for i, part in enumerate(parts)]
    stage.release(slots, [receipt(e, 7)])
    markup = "<b>Thank you</b> <img src=x onerror=alert(1)>"
    stage.release(
        [seal_part(e_before, 3, bytes(16), 1, 1, markup.encode())], [receipt(e_before, 1)]
    )
    page = guest.visit()
    wait_for_board(page)
    asked = len(stage.site.requests) + len(stage.second.requests)
    for form in ("en", "zh-Hans", "digits"):
        typed = to_digits(SECRET) if form == "digits" else " ".join(to_words(SECRET, form))
        look_up(page, typed)
        assert page.locator("#answers .reply").all_inner_texts() == [long, markup]
        states = page.locator("#answers .state").all_inner_texts()
        assert ["has answered" in s for s in states] == [True, True]
    look_up(page, " ".join(to_words(bytes(16), "en")))
    assert "Nothing for these words yet" in said(page, "read-status")
    assert page.locator("#answers").inner_text() == ""
    film = [r for r in stage.site.requests if r.line.startswith("GET /film/")]
    late = len(stage.site.requests) + len(stage.second.requests) - asked
    assert late <= len(film)
    assert not guest.errors


def test_wrong_word_is_named_by_its_place_and_never_repeated(stage: Stage, guest: Guest) -> None:
    page = guest.visit()
    words = to_words(SECRET, "en")
    words[4] = "wallflower"
    look_up(page, " ".join(words))
    fault = said(page, "read-fault")
    assert "Word number 5 is not in the list" in fault
    assert "wallflower" not in fault
    look_up(page, "one two three")
    assert "neither twelve words nor forty digits" in said(page, "read-fault")
    swapped = to_words(SECRET, "en")
    swapped[0], swapped[1] = swapped[1], swapped[0]
    look_up(page, " ".join(swapped))
    assert "do not belong together" in said(page, "read-fault")


def test_one_byte_over_the_limit_is_heard_once_keeps_the_text_and_seals_nothing(
    stage: Stage, guest: Guest
) -> None:
    page = guest.visit()
    make_words(page)
    wait_for_hum(page)
    fits = "中" * (LETTER_TEXT // 3)
    page.locator("#letter").focus()
    listen(page, "count", "letter-fault")
    told = []
    for over in (2, 3, 0, 0, 1):
        page.locator("#letter").fill(fits + "!" * over)
        assert (f"{over} characters too many" in said(page, "letter-fault")) == (over > 0)
        told.append(heard(page))
    page.locator("#finish").click()
    told.append(heard(page))
    assert told == [["letter-fault"], [], ["count"], [], ["letter-fault"], ["letter-fault"]]
    assert "The limit is 5,850" in said(page, "letter-fault")
    page.locator('button[data-language="zh-Hans"]').click()
    assert "上限是 1,950 字" in said(page, "letter-fault")
    assert said(page, "letter").strip() == fits + "!"
    assert said(page, "letter-status") == ""
    write(page, fits)
    assert said(page, "letter").strip() == ""


def test_how_much_of_a_letter_is_left_is_heard_by_who_comes_to_it_and_near_the_limit(
    stage: Stage, guest: Guest
) -> None:
    """What describes the field, a screen reader may say whenever it changes: at each key."""
    page = guest.visit()
    open_panel(page, "write")
    listen(page, "count", "letter-fault")
    letter = page.locator("#letter")
    letter.focus()
    assert heard(page) == ["count"]
    told = []
    tenth, fiftieth = LETTER_TEXT // 10, LETTER_TEXT // 50
    for left in (LETTER_TEXT - 1, tenth, tenth - 1, fiftieth, 1, 0):
        letter.fill("x" * (LETTER_TEXT - left))
        told.append(heard(page))
        assert said(page, "count").startswith(f"{left:,} of")
    assert told == [[], ["count"], [], ["count"], [], []]
    assert "count" not in str(letter.get_attribute("aria-describedby")).split()


def test_pages_own_keys_go_on_from_what_was_typed_and_take_away_none_of_it(
    stage: Stage, guest: Guest
) -> None:
    page = guest.visit()
    open_panel(page, "read")
    *words, last = to_words(SECRET, "en")
    field, picker = page.locator("#read-field"), page.locator("#read-picker")

    def stands(text: str, count: str) -> None:
        assert (said(page, "read-field").strip(), said(page, "read-picked")) == (text, count)

    field.fill(" ".join(words))
    page.locator("#read-pick").click()
    stands(" ".join(words), "11 of 12 entered")
    picker.get_by_role("button", name="Undo").click()
    stands(" ".join(words[:-1]), "10 of 12 entered")
    picker.get_by_role("button", name="Digits").click()
    stands(" ".join(words[:-1]), "0 of 40 entered")
    field.fill("12")
    picker.locator(".keys").get_by_role("button", name="3").click()
    stands("123", "3 of 40 entered")
    field.fill(f"{last}!")
    picker.locator(".keys").get_by_role("button", name="4").click()
    stands(f"{last}! 4", "1 of 40 entered")
    picker.get_by_role("button", name="Start again").click()
    stands("", "0 of 40 entered")


def test_letter_that_words_are_missing_for_stays_and_is_not_called_sealed_with_another(
    stage: Stage, guest: Guest
) -> None:
    page = guest.visit()
    make_words(page)
    wait_for_hum(page)
    page.locator("#noted").uncheck()
    page.locator("#letter").fill("A letter.")
    page.locator("#finish").click()
    assert "tick the box" in said(page, "words-fault")
    assert said(page, "letter").strip() == "A letter."
    page.locator("#noted").check()
    assert said(page, "words-fault") == ""
    page.locator("#finish").click()
    wait_for(page, "letter-status", "Sealed")
    page.locator("#letter").fill("Another one.")
    page.locator("#finish").click()
    assert "First make new words" in said(page, "words-fault")
    open_panel(page, "device")
    page.locator("#hum-choice").uncheck()
    wait_for(page, "hum-choice-status", "next visit")  # and what was asked before was answered
    assert said(page, "letter").strip() == "Another one."
    assert said(page, "letter-status") == ""


def test_where_clocks_are_ahead_of_utc_the_hour_is_told_from_which_a_letter_leaves(
    stage: Stage, visitor: Visitor
) -> None:
    """In China a UTC day begins at eight: a visit before that, on the date that was told, takes no
    letter along."""
    page = visitor.start()
    zone = {"timezoneId": "Asia/Shanghai"}
    page.context.new_cdp_session(page).send("Emulation.setTimezoneOverride", zone)
    page.goto(stage.address())
    words = " ".join(make_words(page))
    write(page, "A letter.")
    look_up(page, words)
    for where in ("letter-status", "answers"):
        assert re.search(r"at 8:00\sAM or later", said(page, where)), where


def test_who_has_no_keys_is_told_that_the_text_does_not_outlive_the_page(
    stage: Stage, guest: Guest
) -> None:
    """No key comes to a page that has ended loading; and what is typed is kept nowhere. Nothing is
    forgotten under no key either, which is no browser's doing.
    """
    del stage.files["record"]
    page = guest.visit()
    wait_for(page, "hum-status", "No keys for today")
    make_words(page)
    page.locator("#letter").fill("A letter.")
    page.locator("#finish").click()
    wait_for(page, "letter-fault", "the text has to be entered again then")
    page.reload()
    assert page.locator("#letter").text_content() == ""
    forget_all(page)
    wait_for(page, "forget-status", "The store could not be overwritten. Clear this browser's")


def test_two_ways_that_show_different_boards_are_not_believed(stage: Stage, guest: Guest) -> None:
    def other_board(line: str) -> tuple[int, bytes, list[str]]:
        return 200, forged, ["Access-Control-Allow-Origin: *"]

    shown = dict(stage.files)
    stage.board.pop()
    stage.release([], [b"another receipt!"])
    forged = stage.files["board/head"]
    stage.files = shown
    stage.second.answer = other_board
    page = guest.visit()
    wait_for(page, "board-status", "contradicts")


def test_kept_letter_and_board_survive_being_offline(stage: Stage, visitor: Visitor) -> None:
    e = epoch_secret(SECRET, stage.record.week)
    stage.release([seal_part(e, 0, bytes(16), 1, 1, b"An answer.")], [])
    page = visitor.visit()
    wait_for_board(page)
    wait_for_hum(page)
    words = make_words(page)
    write(page, "A letter.")  # it says so when the store was written, with all that came before
    for name in [n for n in stage.files if n.startswith(("record", "board/"))]:
        del stage.files[name]
    page = visitor.visit()
    wait_for(page, "board-status", "could not be fetched whole")
    look_up(page, " ".join(to_words(SECRET, "en")))
    assert page.locator("#answers .reply").all_inner_texts() == ["An answer."]
    look_up(page, " ".join(words))
    assert "waits in this browser" in said(page, "answers")
