"""What a person is told of letters that wait, left, are lost or were forgotten elsewhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page
from tests.browser.browsing import (
    Visitor,
    forget_all,
    look_up,
    make_words,
    open_panel,
    said,
    wait_for,
    wait_for_board,
    wait_for_hum,
    write,
)
from tests.browser.stage import Stage

from wallflower.wire.sizes import ANCESTORS

pytestmark = pytest.mark.browser

OVERDUE_DAYS = 8
# As a tab does that takes long over its turn. The page's own turn may be under way.
HOLD = """async () => {
  const file = await (await navigator.storage.getDirectory()).getFileHandle('image');
  while (!window.held) window.held = await file.createWritable().catch(() => null);
}"""
FOCUS = "[document.activeElement.closest('details')?.id, document.activeElement.tagName]"
LET_GO = "window.held.abort().then(() => (window.held = null))"


def test_letter_that_left_meanwhile_is_not_taken_along(stage: Stage, visitor: Visitor) -> None:
    """Taken along it would leave once more; and one that left cannot be in a hurry any more."""
    page = visitor.visit()
    wait_for_hum(page)
    make_words(page)
    write(page, "A letter.")
    stage.next_day()
    other = visitor.another_tab()
    other.goto(stage.address("served"))
    wait_for_hum(other)
    # Pressed until it has heard what the other tab wrote last; as that one loaded, it still waited.
    page.wait_for_function(
        """() => {
            const tools = document.querySelector("#letter-tools");
            tools.querySelector("button.carry")?.click();
            return tools.textContent.includes("has left this browser");
        }""",
        polling=500,
    )
    assert page.locator("#carry").is_hidden()


def test_who_sends_no_padding_is_told_beside_a_finished_letter_that_nothing_is_sent(
    stage: Stage, visitor: Visitor
) -> None:
    """Chosen months ago, perhaps by somebody else: "nothing else is needed" is not so then."""
    page = visitor.visit()
    open_panel(page, "device")
    page.locator("#hum-choice").uncheck()
    wait_for(page, "hum-choice-status", "no padding")
    page = visitor.visit()
    wait_for(page, "hum-status", "no padding")
    words = " ".join(make_words(page))
    write(page, "A letter.")
    assert "no padding, so nothing is sent" in said(page, "letter-status")
    look_up(page, words)
    assert "no padding, so nothing is sent" in said(page, "answers")
    open_panel(page, "device")
    for sends in (True, False):
        page.locator("#hum-choice").set_checked(sends)
        for status in ("letter-status", "answers"):
            assert ("nothing is sent" in said(page, status)) is not sends, status


def test_who_writes_two_letters_is_told_that_each_takes_a_visit_of_its_own(
    stage: Stage, visitor: Visitor
) -> None:
    """A letter that is too long is to be written as two; and the hurried one goes second here."""
    page = visitor.visit()
    wait_for_hum(page)
    words = " ".join(make_words(page))
    write(page, "The first half.")
    page.locator("#own-words").click()
    page.locator("#own-field").fill(words)
    write(page, "The rest.")
    told = [said(page, "letter-status")]
    page.locator("#letter-tools button.hurry").click()
    told.append(said(page, "hurry"))
    page.locator("#hurry-sure").click()
    page.locator("#letter-tools p.done").filter(has_text="when this page is next opened").wait_for()
    told.append(said(page, "letter-tools"))
    stage.next_day()
    page = visitor.visit()
    wait_for_hum(page)
    look_up(page, words)
    states = page.locator("#answers .state").all_inner_texts()
    assert ["has left" in state for state in states] in ([True, False], [False, True])
    told += [state for state in states if "waits in this browser" in state]
    assert ["one leaves with each visit" in each for each in told] == [True] * 4


def written_long_ago(stage: Stage, visitor: Visitor, days: int) -> tuple[Page, str]:
    """The page of somebody who wrote so many days ago and comes back now for the first time, after
    its hum; and their words.
    """
    page = visitor.visit()
    wait_for_hum(page)
    words = " ".join(make_words(page))
    write(page, "A letter.")
    for _ in range(days):
        stage.next_day()
    page = visitor.visit()
    wait_for_hum(page)
    return page, words


def test_letter_that_left_late_is_not_said_to_have_left_long_ago(
    stage: Stage, visitor: Visitor
) -> None:
    """Who comes seldom would write again on the very day on which it left."""
    page, words = written_long_ago(stage, visitor, OVERDUE_DAYS + 1)
    wait_for_board(page)
    look_up(page, words)
    told = page.locator("#answers .state").inner_text()
    assert "sealed more than a week ago" in told
    assert "left this browser more than a week ago" not in told
    assert "If it left only in the last days, wait" in told


def test_who_wrote_a_letter_again_that_waited_too_long_is_not_asked_to_once_more(
    stage: Stage, visitor: Visitor
) -> None:
    """It keeps its place, also that somebody whose next letter is another one hears of it."""
    page, words = written_long_ago(stage, visitor, ANCESTORS + 1)
    open_panel(page, "write")
    page.locator("#own-words").click()
    page.locator("#own-field").fill(words)
    write(page, "Once more.")
    look_up(page, words)
    states = page.locator("#answers .state").all_inner_texts()
    assert "waits in this browser" in states[0]
    assert "can no longer leave" in states[1]
    assert "if you have not done so since" in states[1]


def test_letter_is_called_lost_only_while_it_is_kept_nowhere(
    stage: Stage, visitor: Visitor
) -> None:
    """Who hears that it is lost writes it again, and it leaves twice."""
    page = visitor.visit()
    wait_for_hum(page)
    make_words(page)
    page.evaluate(HOLD)
    page.locator("#letter").fill("A letter.")
    page.locator("#finish").click()
    wait_for(page, "letter-status", "lost when the page closes")
    page.evaluate(LET_GO)
    wait_for(page, "letter-status", "Sealed and put away")
    page.evaluate(HOLD)
    page.locator("#letter-tools button.hurry").click()
    page.locator("#hurry-sure").click()
    wait_for(page, "letter-tools", "If the letter was put away before, it still waits here")
    page.evaluate(LET_GO)
    wait_for(page, "letter-tools", "The letter leaves when this page is next opened")


def test_what_another_tab_forgot_this_one_shows_no_longer_and_does_not_bring_back(
    stage: Stage, visitor: Visitor
) -> None:
    """Whoever sits down at that tab would see who wrote, and could take the letter along."""
    page = visitor.visit()
    wait_for_hum(page)
    words = " ".join(make_words(page))
    write(page, "A letter.")
    make_words(page)
    page.locator("#letter").fill("The next one.")
    open_panel(page, "device")
    page.locator("#hum-choice").uncheck()
    wait_for(page, "hum-choice-status", "no padding")
    look_up(page, words)
    page.locator("#answers button.carry").click()
    other = visitor.another_tab()
    other.goto(stage.address())
    wait_for(other, "hum-status", "You have chosen")
    forget_all(other)
    wait_for(other, "forget-status", "Forgotten")
    for status in ("letter-status", "read-status", "forget-status"):
        wait_for(page, status, "forgotten in another tab")
    assert page.locator("#hum-choice").is_checked()
    assert page.locator("#carry").is_hidden()
    gone = "shown-words letter letter-tools read-field answers carry-text hum-choice-status"
    assert {page.locator(f"#{name}").text_content() for name in gone.split()} == {""}
    assert page.evaluate(FOCUS) == ["read", "SUMMARY"], "not at the top of the page"
    page = visitor.visit()
    wait_for(page, "board-status", "complete")
    look_up(page, words)
    wait_for(page, "read-status", "Nothing for these words")


def test_who_only_watched_is_not_told_that_another_tab_forgot(
    stage: Stage, visitor: Visitor
) -> None:
    page = visitor.visit()
    wait_for_hum(page)
    other = visitor.another_tab()
    other.goto(stage.address())
    wait_for_hum(other)
    open_panel(other, "device")
    other.locator("#hum-choice").uncheck()
    wait_for(other, "hum-choice-status", "no padding")
    page.locator("#hum-choice:not(:checked)").wait_for(state="attached")
    forget_all(other)
    wait_for(other, "forget-status", "Forgotten")
    page.locator("#hum-choice:checked").wait_for(state="attached")
    told = ("letter-status", "read-status", "forget-status")
    assert {page.locator(f"#{status}").text_content() for status in told} == {""}
