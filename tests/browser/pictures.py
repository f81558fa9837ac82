"""Takes the pictures of the page that the docs hold: sizes, languages, light and dark, panels open.

python -m tests.browser.pictures FOLDER
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from tests.browser.browsing import Look, Visitor, look_up
from tests.browser.stage import Stage

from wallflower.campaign.edge.build import packaged_page
from wallflower.crypto.derive import epoch_secret
from wallflower.wire.receipt import receipt
from wallflower.wire.reply import seal_part
from wallflower.wire.words import to_digits, to_words

# Fixed words, so that the same pictures come out; nobody may use them.
SECRET = bytes(range(16))
LETTERS = {
    "en": "The inspection report for the third hall was replaced twice.\nThe originals lie in the "
    "grey cabinet on the second floor.",
    "zh-Hans": "三号车间的检验报告被换过两次。\n原件在二楼的灰色柜子里。",
    "fa": "گزارش بازرسی سالن سه دو بار عوض شد.\nاصل آن در کمد خاکستری طبقهٔ دوم است.",
}
REPLY = "我们已经看过。谢谢您。请告诉我们：柜子上锁了吗？不急，下周再来也可以。"
THANKS = re.compile("Thank|谢谢|سپاس|ممنون|متشکر")
SHAPES = {"phone": (360, 740), "desktop": (1280, 900)}


def _settle(page: Page) -> None:
    page.locator("#hum-status").filter(has_text=THANKS).wait_for(state="attached")
    page.wait_for_function("() => document.getElementById('film').readyState > 0")
    # A moment of the film, so that the picture is not a black field.
    page.evaluate(
        "() => new Promise(done => { const film = document.getElementById('film');"
        " film.addEventListener('seeked', () => requestAnimationFrame(done), {once: true});"
        " film.currentTime = 18; })"
    )
    page.wait_for_timeout(300)


def _panels(page: Page, language: str) -> None:
    page.locator("#write > summary").click()
    page.locator("#new-words").click()
    page.locator("#noted").check()
    page.locator("#letter").fill(LETTERS[language])
    look_up(page, to_digits(SECRET) if language == "fa" else " ".join(to_words(SECRET, language)))


def _fault(page: Page) -> None:
    page.locator("#letter").fill("字" * 1951)
    page.locator("#finish").click()
    look_up(page, "one two three four five six seven eight nine ten eleven twelve")


def _more(page: Page) -> None:
    """A letter put away, what can be taken along, and the question before forgetting."""
    page.locator("#read-close").click()
    page.locator("#letter").fill("…")
    page.locator("#finish").click()
    page.locator("#letter-tools button").first.wait_for()
    page.locator("#device > summary").click()
    page.locator("#forget").click()


def take(folder: Path, chromium: str) -> None:
    """All pictures into `folder`, named by what they show."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        stage = Stage(Path(scratch) / "site", packaged_page())
        week = stage.next_day().week
        e = epoch_secret(SECRET, week)
        stage.release([seal_part(e, 0, bytes(16), 1, 1, REPLY.encode())], [receipt(e, 5)])
        for shape, (width, height) in SHAPES.items():
            for language in LETTERS:
                profile = Path(scratch) / f"{shape}-{language}"
                visitor = Visitor(playwright, chromium, profile, stage)
                for dark in (False, True):
                    look = Look(language, width, height, dark)
                    name = f"{shape}-{language}-{'dark' if dark else 'light'}"
                    page = visitor.visit(look)
                    _settle(page)
                    page.screenshot(path=folder / f"{name}.png", full_page=shape == "phone")
                    _panels(page, language)
                    page.screenshot(path=folder / f"{name}-panels.png", full_page=True)
                    if not dark:
                        _fault(page)
                        page.screenshot(path=folder / f"{name}-faults.png", full_page=True)
                        _more(page)
                        page.screenshot(path=folder / f"{name}-more.png", full_page=True)
                visitor.leave()
            visitor = Visitor(playwright, chromium, Path(scratch) / shape, stage)
            page = visitor.visit(Look("en", width, height, script=False))
            page.screenshot(path=folder / f"{shape}-without-script.png", full_page=True)
            visitor.leave()
        stage.stop()


if __name__ == "__main__":
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if len(sys.argv) != 2 or found is None:
        sys.exit("usage: python -m tests.browser.pictures FOLDER   (needs Chromium)")
    take(Path(sys.argv[1]), found)
