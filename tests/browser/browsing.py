"""What a person does with the page, in a real Chromium."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    ProxySettings,
    TimeoutError,
)  # fmt: skip
from tests.browser.stage import Shape, Stage

from wallflower.lab.demo.chromium import FLAGS

# Playwright keeps hidden tabs awake; people's browsers do not.
WAKEFUL = [
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
]
PATIENCE_MS = 30_000
FINISHES = 2
FILM_THERE = re.compile("The film is ready|no film in this copy")
PUT_AWAY = re.compile("put away. It leaves|已密封并存好")
_LISTEN = """elements => {
  window.heard = [];
  for (const said of elements.map((id) => document.getElementById(id))) new MutationObserver(() => {
    const live = said.ariaLive ?? (['alert', 'status'].includes(said.role) ? 'polite' : 'off');
    if (live !== 'off' && said.textContent) window.heard.push(said.id);
  }).observe(said, {childList: true});
}"""
LOCALES = {"en": "en-US", "zh-Hans": "zh-CN", "fa": "fa-IR", "ru": "ru-RU", "es": "es-ES"}


@dataclass(frozen=True, slots=True)
class Look:
    """How the browser is set up. `still`: for somebody who asked for less motion, for whom the page
    jumps where it glides for others. A glide takes 0.9 s of each click and 0.2 s of a core.
    """

    language: str = "en"
    width: int = 1280
    height: int = 900
    dark: bool = False
    script: bool = True
    still: bool = True

    def shown(self) -> dict[str, Any]:
        """The same for Playwright."""
        return {
            "locale": LOCALES[self.language],
            "viewport": {"width": self.width, "height": self.height},
            "color_scheme": "dark" if self.dark else "light",
            "java_script_enabled": self.script,
            "reduced_motion": "reduce" if self.still else "no-preference",
        }


ANYTHING = re.compile(r"\S")
DEFAULT = Look()
# For who hums, as most people do it; small, since most of what a film costs a machine without a
# screen is drawing it large.
PHONE = Look(width=360, height=640, still=False)


class Person:
    """Opens the page, writes, reads, leaves."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._context: BrowserContext | None = None
        self.errors: list[str] = []

    def _opened(self, look: Look) -> BrowserContext:
        raise NotImplementedError

    def visit(self, look: Look = DEFAULT, shape: Shape = "served") -> Page:
        """Start the browser anew and open the page."""
        page = self.start(look)
        page.goto(self._stage.address(shape))
        return page

    def start(self, look: Look = DEFAULT) -> Page:
        """Start the browser anew, with an empty page."""
        self.leave()
        self._context = self._opened(look)
        page = self._context.pages[0]
        self._watch(page)
        return page

    def another_tab(self) -> Page:
        """An empty page in a tab of its own."""
        assert self._context is not None
        page = self._context.new_page()
        self._watch(page)
        return page

    def _watch(self, page: Page) -> None:
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console",
            lambda message: self.errors.append(message.text) if message.type == "error" else None,
        )

    def leave(self) -> None:
        """Close the browser."""
        if self._context is not None:
            self._context.close()
            self._context = None


class Visitor(Person):
    """Somebody with a browser of their own: what it keeps is there when they come back."""

    def __init__(self, playwright: Playwright, chromium: str, profile: Path, stage: Stage) -> None:
        super().__init__(stage)
        self._playwright = playwright
        self._chromium = chromium
        self._profile = profile

    def _opened(self, look: Look) -> BrowserContext:
        return self._playwright.chromium.launch_persistent_context(
            self._profile, executable_path=self._chromium, headless=True,
            args=[*FLAGS, f"--proxy-server={self._stage.elsewhere.url}"],
            ignore_default_args=WAKEFUL, **look.shown(),
        )  # fmt: skip


class Guest(Person):
    """Somebody in a window of a browser that others use too, with a store and a cache of their own,
    gone when they leave. Who only looks at the page needs no more, and a start costs 0.5 s.
    """

    def __init__(self, browser: Browser, stage: Stage) -> None:
        super().__init__(stage)
        self._browser = browser

    def _opened(self, look: Look) -> BrowserContext:
        # Without `bypass` Playwright sends what is on this machine to the proxy, too.
        proxy = ProxySettings(server=self._stage.elsewhere.url, bypass="127.0.0.1")
        context = self._browser.new_context(proxy=proxy, **look.shown())
        context.new_page()
        return context


def said(page: Page, element: str) -> str:
    """What an element says in the language that is shown."""
    return page.locator(f"#{element}").inner_text()


def listen(page: Page, *elements: str) -> None:
    """Note from now on when one of these changes in a way that a screen reader says by itself."""
    page.evaluate(_LISTEN, list(elements))


def heard(page: Page) -> list[str]:
    """Which of them a screen reader said, in order, since this was asked last."""
    said: list[str] = page.evaluate("heard.splice(0)")
    return said


def wait_for(page: Page, element: str, text: str | re.Pattern[str]) -> None:
    """Wait until an element says this."""
    try:
        page.locator(f"#{element}").filter(has_text=text).wait_for(state="attached")
    except TimeoutError:
        said = page.locator(f"#{element}").text_content()
        raise AssertionError(f"{element} never said {text!r}, but {said!r}") from None


def wait_for_hum(page: Page) -> None:
    """Until the hum has ended and all of it went out."""
    wait_for(page, "hum-status", "Thank you.")


def wait_for_board(page: Page) -> None:
    """Until the whole board is there."""
    wait_for(page, "board-status", "complete")


def wait_for_film(page: Page) -> None:
    """Until all of the film is there, where this copy has one."""
    wait_for(page, "film-status", FILM_THERE)


def open_panel(page: Page, panel: str) -> None:
    """Open a panel unless it is open."""
    if page.locator(f"#{panel}").get_attribute("open") is None:
        page.locator(f"#{panel} > summary").click()


def make_words(page: Page) -> list[str]:
    """Open the panel and make new words; they are written down."""
    open_panel(page, "write")
    page.locator("#new-words").click()
    page.locator("#noted").check()
    shown = page.locator("#shown-words ol").evaluate_all(
        "lists => lists.filter(list => list.offsetParent)"
        ".flatMap(list => [...list.children].map(word => word.textContent))"
    )
    return [str(word) for word in shown]


def write(page: Page, text: str) -> None:
    """Write a letter, finish it, and wait until it is put away."""
    page.locator("#letter").fill(text)
    finish(page)


def finish(page: Page) -> None:
    """Finish the letter, and wait until it is put away; as a person would, once more when the page
    says that its keys were not there yet.
    """
    for _ in range(FINISHES):
        page.locator("#finish").click()
        try:
            page.locator("#letter-status").filter(has_text=PUT_AWAY).wait_for()
        except TimeoutError:
            if said(page, "letter-fault"):
                continue
            break
        return
    raise AssertionError({name: said(page, name) for name in ("letter-fault", "letter-status")})


def look_up(page: Page, words: str) -> None:
    """Enter words in the panel for reading."""
    open_panel(page, "read")
    page.locator("#read-field").fill(words)
    page.locator("#look").click()


def forget_all(page: Page) -> None:
    """Forget everything on this device, and wait until it says so."""
    open_panel(page, "device")
    page.locator("#forget").click()
    page.locator("#forget-sure").click()
    page.locator("#forget-status").filter(has_text=ANYTHING).wait_for()
