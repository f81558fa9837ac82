"""What people do during a visit. None of it may change what leaves the browser.

Each is done while the hum runs; a visit that it is compared with only watches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page
from tests.browser.browsing import (
    Visitor,
    forget_all,
    look_up,
    make_words,
    open_panel,
    wait_for_board,
    wait_for_hum,
    write,
)

from wallflower.wire.sizes import LETTER_TEXT
from wallflower.wire.words import to_digits, to_words

MEGABYTE = 1_000_000
# Words that have no letter and no answer here.
OTHER_SECRET = bytes(range(1, 17))


@dataclass(frozen=True, slots=True)
class Scene:
    """One visit of one person, whose words are known."""

    visitor: Visitor
    page: Page
    words: str


def watch(scene: Scene) -> None:
    """Do nothing."""
    del scene


def write_short(scene: Scene) -> None:
    """Make words, type by hand, finish."""
    make_words(scene.page)
    scene.page.locator("#letter").press_sequentially("A letter by hand. 中文 فارسی", delay=5)
    write(scene.page, "A letter.")


def write_at_the_limit(scene: Scene) -> None:
    """A letter of exactly as many bytes as fit."""
    make_words(scene.page)
    write(scene.page, "中" * (LETTER_TEXT // 3))


def paste_a_megabyte(scene: Scene) -> None:
    """Far too much, by the clipboard's way in; it is refused and stays in the field."""
    make_words(scene.page)
    scene.page.locator("#letter").focus()
    scene.page.keyboard.insert_text("x" * MEGABYTE)
    scene.page.locator("#finish").click()
    scene.page.locator("#letter-fault").filter(has_text="The limit is").wait_for()


def run_into_errors(scene: Scene) -> None:
    """Finish without words, then with words that were not noted."""
    page = scene.page
    page.locator("#go-write").click()
    page.locator("#letter").fill("A letter.")
    page.locator("#finish").click()
    page.locator("#words-fault").filter(has_text="words").wait_for()
    make_words(page)
    page.locator("#noted").uncheck()
    page.locator("#finish").click()
    page.locator("#words-fault").filter(has_text="tick the box").wait_for()


def come_back_and_read(scene: Scene) -> None:
    """Read an answer when the board is there."""
    wait_for_board(scene.page)
    look_up(scene.page, scene.words)
    scene.page.locator("#answers .reply").first.wait_for()
    scene.page.locator("#read-close").click()


def wrong_words(scene: Scene) -> None:
    """Words that are none, words of somebody else, digits."""
    look_up(scene.page, "wrong words")
    look_up(scene.page, " ".join(to_words(OTHER_SECRET, "zh-Hans")))
    look_up(scene.page, to_digits(OTHER_SECRET))
    scene.page.locator("#read-status").filter(has_text="Nothing").wait_for()


def forget(scene: Scene) -> None:
    """Write, then forget everything on this device."""
    write_short(scene)
    forget_all(scene.page)


def ask_not_to_hum(scene: Scene) -> None:
    """The choice counts from the next visit: the one that runs is not touched."""
    open_panel(scene.page, "device")
    scene.page.locator("#hum-choice").uncheck()


def change_language(scene: Scene) -> None:
    """Every language that the page has, and back, with both panels open."""
    page = scene.page
    page.locator("#go-read").click()
    page.locator("#go-write").click()
    buttons = page.locator("button[data-language]")
    for number in [*range(buttons.count()), 0]:
        buttons.nth(number).click()


def use_the_film(scene: Scene) -> None:
    """Play, pause, seek, mute, play to the end."""
    page = scene.page
    page.locator("#film-status").filter(has_text="ready").wait_for(state="attached")
    film = "document.getElementById('film')"
    page.evaluate(f"{film}.muted = true; {film}.play()")
    page.evaluate(f"{film}.currentTime = 20; {film}.pause(); {film}.currentTime = 1")
    page.evaluate(f"{film}.playbackRate = 2; {film}.play()")
    page.evaluate(f"{film}.currentTime = {film}.duration - 0.2; {film}.play()")


def be_offline_in_between(scene: Scene) -> None:
    """After the hum the line is gone; a letter is written, the line comes back."""
    wait_for_hum(scene.page)
    scene.page.locator("#film-status").filter(has_text="ready").wait_for(state="attached")
    wait_for_board(scene.page)
    scene.page.context.set_offline(True)
    write_short(scene)
    scene.page.context.set_offline(False)


def print_the_page(scene: Scene) -> None:
    """Print, with the panels open."""
    page = scene.page
    page.locator("#go-write").click()
    page.emulate_media(media="print")
    page.pdf()
    page.emulate_media(media="screen")


def zoom(scene: Scene) -> None:
    """Zoom with two fingers, and by the layout that twice the zoom gives."""
    session = scene.page.context.new_cdp_session(scene.page)
    session.send("Emulation.setPageScaleFactor", {"pageScaleFactor": 2})
    scene.page.set_viewport_size({"width": 640, "height": 450})
    metrics = {"width": 640, "height": 450, "deviceScaleFactor": 2, "mobile": False}
    session.send("Emulation.setDeviceMetricsOverride", metrics)


def go_dark(scene: Scene) -> None:
    """The system turns dark, and asks for less movement."""
    scene.page.emulate_media(color_scheme="dark", reduced_motion="reduce", forced_colors="active")


def resize(scene: Scene) -> None:
    """A phone, then a very wide window."""
    scene.page.set_viewport_size({"width": 360, "height": 740})
    scene.page.set_viewport_size({"width": 2500, "height": 1200})


BEHAVIOURS: dict[str, Callable[[Scene], None]] = {
    "watch once more": watch,
    "write short": write_short,
    "write at the limit": write_at_the_limit,
    "paste 1 MB": paste_a_megabyte,
    "error": run_into_errors,
    "come back and read": come_back_and_read,
    "wrong words": wrong_words,
    "forget": forget,
    "ask not to hum": ask_not_to_hum,
    "change language": change_language,
    "film": use_the_film,
    "offline in between": be_offline_in_between,
    "print": print_the_page,
    "zoom": zoom,
    "dark mode": go_dark,
    "resize": resize,
}
