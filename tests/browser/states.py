"""The states that the page can be in, one after another, and what a screen reader finds in them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from tests.browser.browsing import (
    forget_all,
    look_up,
    make_words,
    wait_for_board,
    wait_for_film,
    wait_for_hum,
    write,
)
from tests.browser.stage import Stage

from wallflower.crypto.derive import epoch_secret
from wallflower.wire.receipt import receipt
from wallflower.wire.reply import seal_part
from wallflower.wire.sizes import LETTER_TEXT
from wallflower.wire.words import to_words

SECRET = bytes(range(16))
PLACES = 4
_PAGE = Path(__file__).parents[2] / "page"
AXE = Path(os.environ.get("AXE_CORE", _PAGE / "node_modules" / "axe-core")) / "axe.min.js"
# What stands above an answer depends on the day of the test.
WEEK = re.compile(r"(?<=Week of )[A-Z][a-z]+ \d{1,2}, \d{4}")
# Roles that a person moves by; plain text is the catalogue's affair.
LANDMARKS = re.compile(
    r"^\s*- '?(banner|navigation|main|contentinfo|region|group|heading|link|button|textbox|checkbox"
    r"|status|alert|list|article)\b"
)


def answered(stage: Stage) -> None:
    """An answer for SECRET on the board."""
    e = epoch_secret(SECRET, stage.record.week)
    stage.release([seal_part(e, 0, bytes(16), 1, 1, b"We have read it.")], [receipt(e, 5)])


def states(page: Page) -> Iterator[str]:
    """Bring an open page into one state after another; the name of each, while it lasts."""
    wait_for_hum(page)  # what it says changes when it ends
    wait_for_board(page)
    wait_for_film(page)
    yield "empty"
    make_words(page)
    page.locator("#letter").fill("A letter.")
    yield "words made"
    page.locator("#letter").fill("x" * (LETTER_TEXT + 1))
    page.locator("#finish").click()
    look_up(page, "one two three four five six seven eight nine ten eleven twelve")
    yield "error"
    for number in range(PLACES):
        make_words(page)
        write(page, f"Letter {number}.")
    make_words(page)
    page.locator("#letter").fill("One too many.")
    page.locator("#finish").click()
    page.locator("#letter-fault").filter(has_text=re.compile(r"\S")).wait_for()
    yield "full store"
    look_up(page, " ".join(to_words(SECRET, "en")))
    page.locator("#answers .reply").first.wait_for()
    yield "reading"
    if page.locator("#forget").count():
        page.locator("#go-device").click()
        page.locator("#forget").click()
        yield "asked whether to forget"
        page.locator("#forget-not").click()
        forget_all(page)
        yield "forgotten"


def languages(page: Page) -> list[str]:
    """The languages that the page can show."""
    codes = page.locator("button[data-language]").evaluate_all(
        "buttons => buttons.map(button => button.dataset.language)"
    )
    return [str(code) for code in codes]


def show(page: Page, language: str) -> None:
    """Switch without moving the focus: what has it is part of the state."""
    page.locator(f'button[data-language="{language}"]').click()


def violations(page: Page) -> list[str]:
    """What axe finds. By CDP, since the page's policy lets no other script in."""
    session = page.context.new_cdp_session(page)

    def ask(expression: str) -> Any:
        asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        return session.send("Runtime.evaluate", asked)["result"].get("value")

    if ask("typeof axe") == "undefined":
        ask(f"{AXE.read_text(encoding='utf-8')};0")
    # It fetches media only to see whether what plays by itself is loud: nothing here may play so.
    assert ask("document.querySelectorAll('[autoplay]').length") == 0
    run = "axe.run(document, {resultTypes: ['violations'], preload: false})"
    short = ".map(({id, nodes}) => [id, nodes.map(({target}) => String(target))])"
    found = ask(f"{run}.then(({{violations}}) => violations{short})")
    session.detach()
    return [f"{name}: {target}" for name, targets in found for target in targets]


def tree(page: Page) -> list[str]:
    """The landmarks, headings and controls of the accessibility tree, with their names."""
    lines = page.locator("body").aria_snapshot().splitlines()
    return [WEEK.sub("DAY", line.rstrip(":")) for line in lines if LANDMARKS.match(line)]


def roles(lines: list[str]) -> list[str]:
    """A tree without its names: the same in every language but for the list of words and its title,
    since not every language has a list.
    """
    told = []
    for line in lines:
        role = line.strip().lstrip("- '").split(" ")[0].rstrip(":")
        level = re.search(r"\[level=\d\]", line)
        if role != "list" and not (level and level[0] == "[level=3]"):
            told.append(role + (level[0] if level else ""))
    return told


def tab_to(page: Page, met: Callable[[str], bool], limit: int = 120) -> list[str]:
    """Press Tab until it stands where it should; everything that had the focus on the way."""
    passed: list[str] = []
    for _ in range(limit):
        page.keyboard.press("Tab")
        at = str(
            page.evaluate(
                "(() => { const at = document.activeElement; return at.id || at.dataset.language"
                " || (at.closest('details') || at).id || at.tagName; })()"
            )
        )
        passed.append(at)
        if met(at):
            return passed
    raise AssertionError(f"Tab never came there: {passed}")
