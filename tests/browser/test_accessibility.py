"""Keyboard and screen reader: every state in every language, and axe finds nothing."""

from __future__ import annotations

import os
from difflib import unified_diff
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.browser.browsing import Guest, Look, wait_for_board, wait_for_hum
from tests.browser.stage import Stage
from tests.browser.states import (
    AXE,
    SECRET,
    answered,
    roles,
    show,
    states,
    tab_to,
    tree,
    violations,
)

from wallflower.wire.words import to_words

pytestmark = pytest.mark.browser

needs_axe = pytest.mark.skipif(
    not AXE.is_file(), reason="axe-core is not installed: cd page && npm ci --ignore-scripts"
)
# One language of each kind; all five: test_campaign.py, at night.
WALKED = ("zh-Hans", "fa", "en")
OPERABLE = ("button", "textbox", "checkbox", "link")
TREES = Path(__file__).parent / "trees"
ORDER = ["en", "go-write", "go-read", "write", "new-words", "own-words", "letter", "finish", "read",
         "read-field", "look", "read-close"]  # fmt: skip


Walk = dict[tuple[str, str], tuple[list[str], list[str]]]


@pytest.fixture(scope="module")
def walk(browser: Browser, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """By state and language: what axe finds, and the tree of a screen reader."""
    stage = Stage(tmp_path_factory.mktemp("walk") / "site", built)
    stage.next_day()
    answered(stage)
    guest = Guest(browser, stage)
    page = guest.visit()
    seen: Walk = {}
    for state in states(page):
        for language in WALKED:
            show(page, language)
            found = violations(page) if AXE.is_file() else []
            seen[state, language] = found, tree(page)
        page.emulate_media(color_scheme="dark")
        seen[state, "en, dark"] = violations(page) if AXE.is_file() else [], tree(page)
        page.emulate_media(color_scheme="light")
    guest.leave()
    stage.stop()
    assert not guest.errors
    return seen


@needs_axe
def test_axe_finds_nothing_in_any_state_of_any_language(
    walk: Walk, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        total = sum(len(found) for found, _ in walk.values())
        print(f"\n\naxe: {len(walk)} states, {total} violations")
    assert {name: found for name, (found, _) in walk.items() if found} == {}


def test_screen_reader_finds_the_same_order_in_every_language(walk: Walk) -> None:
    unlike = [
        f"{state}, {language}: {line}"
        for (state, language), (_, lines) in walk.items()
        for line in _odd(tuple(roles(walk[state, "en"][1])), tuple(roles(lines)))
    ]
    assert unlike == []


def test_everything_that_can_be_operated_has_a_name(walk: Walk) -> None:
    nameless = [
        f"{state}, {language}: {line}"
        for (state, language), (_, lines) in walk.items()
        for line in lines
        if line.strip().lstrip("- '").startswith(OPERABLE) and '"' not in line
    ]
    assert nameless == []


@pytest.mark.parametrize("state", ["empty", "error", "reading"])
def test_tree_of_a_screen_reader_is_the_one_that_was_read(walk: Walk, state: str) -> None:
    """After a change on purpose, read the difference and write the new tree: REWRITE_TREES=1."""
    kept = TREES / f"{state}.txt"
    lines = "\n".join(walk[state, "en"][1]) + "\n"
    if os.environ.get("REWRITE_TREES"):
        kept.write_text(lines, encoding="utf-8")
    assert lines == kept.read_text(encoding="utf-8")


def _odd(one: tuple[str, ...], other: tuple[str, ...]) -> list[str]:
    return [line for line in unified_diff(one, other, lineterm="", n=0) if line[:1] in "+-"]


@needs_axe
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_without_script(stage: Stage, guest: Guest, dark: bool) -> None:
    # An empty script leaves what a browser without script shows; axe itself has to run.
    stage.altered["app.js"] = lambda _: b""
    page = guest.visit(Look(dark=dark))
    assert page.locator("html[data-language]").count() == 0
    assert violations(page) == []


@needs_axe
def test_axe_finds_nothing_in_any_state_of_a_carried_copy(stage: Stage, guest: Guest) -> None:
    answered(stage)
    page = guest.visit(shape="carried")
    found = {}
    for state in states(page):
        for language in WALKED:
            show(page, language)
            found[state, language] = violations(page)
    assert len(found) == 7 * len(WALKED)
    assert {name: told for name, told in found.items() if told} == {}
    assert not guest.errors


@needs_axe
def test_axe_finds_nothing_in_a_carried_copy_without_script(stage: Stage, guest: Guest) -> None:
    text = stage.carried.read_text(encoding="utf-8")
    start, end = text.index("<script"), text.index("</script>") + len("</script>")
    stage.carried.write_text(text[:start] + text[end:], encoding="utf-8")
    page = guest.visit(shape="file")
    assert page.locator("html[data-language]").count() == 0
    assert violations(page) == []


@needs_axe
def test_planted_image_without_a_name_is_found_by_axe(stage: Stage, guest: Guest) -> None:
    del stage
    page = guest.visit()
    page.evaluate("() => document.querySelector('main').append(new Image(9, 9))")
    assert any("image-alt" in told for told in violations(page))


@pytest.mark.parametrize("language", ["en", "fa"])
def test_tab_goes_through_the_page_in_reading_order(
    stage: Stage, guest: Guest, language: str
) -> None:
    del stage
    page = guest.visit()
    wait_for_board(page)
    show(page, language)
    page.locator("#go-read").click()
    page.locator("#go-write").click()
    page.evaluate("() => document.activeElement.blur()")
    page.evaluate("() => window.getSelection().removeAllRanges()")
    page.locator("h1").click()
    passed = tab_to(page, lambda at: at == ORDER[-1])
    places = [passed.index(name) for name in ORDER]
    assert places == sorted(places), passed
    assert len(set(passed)) > len(ORDER) - 1


def test_letter_is_written_and_an_answer_read_by_keyboard_alone(stage: Stage, guest: Guest) -> None:
    answered(stage)
    page = guest.visit()
    wait_for_hum(page)
    wait_for_board(page)

    def go(name: str, key: str) -> None:
        tab_to(page, lambda at: at == name)
        page.keyboard.press(key)

    go("go-write", "Enter")
    go("new-words", "Enter")
    go("noted", "Space")
    tab_to(page, lambda at: at == "letter")
    page.keyboard.type("A letter by keyboard.")
    go("finish", "Enter")
    page.locator("#letter-status", has_text="put away").wait_for()
    tab_to(page, lambda at: at == "read")
    page.keyboard.press("Enter")
    tab_to(page, lambda at: at == "read-field")
    page.keyboard.type(" ".join(to_words(SECRET, "en")))
    go("look", "Enter")
    page.locator("#answers .reply", has_text="We have read it.").wait_for()
