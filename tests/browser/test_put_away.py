"""What is left of a closed page: in the store, and in what the browser keeps for Back."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Playwright
from tests.browser.browsing import (
    Visitor,
    look_up,
    make_words,
    open_panel,
    wait_for,
    wait_for_hum,
    write,
)
from tests.browser.opening import open_cells
from tests.browser.stage import Stage

from wallflower.wire.hello import Kind
from wallflower.wire.sizes import POSITIONS

pytestmark = [pytest.mark.browser]

# The hum ends in the middle between two turns of the store's own clock.
PACE_HUMS = 30
LEAVE = "dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))"
# At once, by the page itself: to who looks from outside, the next thing may be said already.
LEAVE_ON_HEARING = f"""text => new Promise((done) => {{
  const status = document.getElementById('letter-status');
  new MutationObserver((_, watcher) => {{
    if (!status.textContent.includes(text)) return;
    watcher.disconnect();
    done({LEAVE});
  }}).observe(status, {{childList: true, subtree: true}});
  document.getElementById('finish').click();
}})"""


def _kind(stage: Stage) -> Kind:
    cells = [c.body for c in stage.ingress.requests if c.body[1] < POSITIONS]
    return open_cells(cells, stage.keys, stage.records)[0]


def test_letter_that_left_is_put_away_before_the_page_says_that_it_may_be_closed(
    playwright: Playwright, chromium: str, built: Path, tmp_path: Path
) -> None:
    stage = Stage(tmp_path / "site", built, pace_hums=PACE_HUMS)
    stage.next_day()
    stage.release([], [])
    visitor = Visitor(playwright, chromium, tmp_path / "profile", stage)
    page = visitor.visit()
    make_words(page)
    write(page, "Once.")
    kinds = []
    for _ in range(2):
        stage.next_day()
        stage.forget_requests()
        wait_for_hum(visitor.visit())
        visitor.leave()
        kinds.append(_kind(stage))
    stage.stop()
    assert kinds == [Kind.LETTER, Kind.COVER]


def test_page_that_was_left_holds_nothing_for_whoever_presses_back(
    stage: Stage, visitor: Visitor
) -> None:
    page = visitor.visit()
    words = make_words(page)
    page.locator("#letter").fill("Not for the next one.")
    look_up(page, " ".join(words))
    page.locator("#bring-field").evaluate("field => field.textContent = 'wallflower1.1.1.x'")
    open_panel(page, "device")
    page.locator("#forget").click()
    # Playwright's Chromium keeps no page for Back; this is what tells one that it will be kept.
    page.evaluate(LEAVE)
    assert page.locator("details[open], #forget-panel:not([hidden])").count() == 0
    left = "shown-words shown-digits own-field letter read-field read-status answers bring-field"
    assert {page.locator(f"#{name}").text_content() for name in left.split()} == {""}


@pytest.mark.parametrize("when", ["while it is sealed", "before it is put away"])
def test_page_that_was_left_says_nothing_later_of_the_letter(
    stage: Stage, visitor: Visitor, when: str
) -> None:
    page = visitor.visit()
    make_words(page)
    wait_for_hum(page)
    page.locator("#letter").fill("Not for the next one.")
    if when == "while it is sealed":
        page.evaluate(f"document.getElementById('finish').click(); {LEAVE}")
    else:
        page.evaluate(LEAVE_ON_HEARING, "moment longer")
    # What is asked now is answered after the store was written: with it, what was asked before.
    page.locator("#finish:enabled").wait_for(state="attached")  # in a panel that is closed
    open_panel(page, "device")
    page.locator("#hum-choice").uncheck()
    wait_for(page, "hum-choice-status", "next visit")
    told = [page.locator(f"#letter-{name}").text_content() for name in ("status", "tools", "fault")]
    assert told == ["", "", ""]
