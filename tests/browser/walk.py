"""Takes the README's pictures: one letter's walk through a real demo, in a real Chromium.

python -m tests.browser.walk FOLDER
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import BrowserContext, Page, Playwright, async_playwright

from wallflower.cli.demo import prepare
from wallflower.cli.new import make
from wallflower.lab.demo.chromium import CHROMIUM, FLAGS
from wallflower.lab.demo.handler import Handler
from wallflower.lab.demo.pace import DemoPace
from wallflower.lab.demo.town import Town, make_town
from wallflower.lab.demo.walk import open_town, start_crowd, today, until

LETTER = (
    "The inspection report for the third hall was replaced twice.\n"
    "The originals lie in the grey cabinet on the second floor. What should I do with them?"
)
ANSWER = (
    "We have read it. Thank you. Leave the papers where they are, and tell nobody that you wrote. "
    "Who else has a key to that cabinet? There is no hurry; next week is soon enough."
)
THANKS = re.compile("Thank")
PHONE, DESK = (390, 780), (900, 780)
_DAY_S, _PATIENCE_S, _PATIENCE_MS = 20.0, 120.0, 30_000


@dataclass
class Camera:
    """Browsers of the people in the walk, and where the pictures go."""

    playwright: Playwright
    scratch: Path
    out: Path

    @asynccontextmanager
    async def person(self, profile: str, size: tuple[int, int]) -> AsyncIterator[Page]:
        """A browser with a profile of its own, closed at the end."""
        context: BrowserContext = await self.playwright.chromium.launch_persistent_context(
            self.scratch / profile, executable_path=CHROMIUM, headless=True, args=list(FLAGS),
            locale="en", device_scale_factor=1.5, viewport={"width": size[0], "height": size[1]},
        )  # fmt: skip
        page = context.pages[0]
        page.set_default_timeout(_PATIENCE_MS)
        try:
            yield page
        finally:
            await context.close()

    async def take(self, page: Page, name: str) -> None:
        """A picture of what is in view."""
        await page.screenshot(path=self.out / f"{name}.png")


async def watch(page: Page, town: Town) -> None:
    """A visit until the hum has ended; again when a busy machine broke it."""
    for _ in range(5):
        await page.goto(town.url("mirror") + "/")
        status = page.locator("#hum-status")
        try:
            await status.filter(has_text=THANKS).wait_for(state="attached", timeout=15_000)
            return
        except Exception as late:  # any reason is one to visit again
            print("visit again:", type(late).__name__, file=sys.stderr)
    raise SystemExit("no hum came through whole: the machine is too busy")


async def show(page: Page, element: str) -> None:
    """Bring an element to the upper part of the view."""
    await page.evaluate(
        "id => scrollTo({behavior: 'instant', top: scrollY - 60"
        " + document.getElementById(id).getBoundingClientRect().top})",
        element,
    )
    await page.wait_for_timeout(200)


async def write(camera: Camera, town: Town, page: Page) -> str:
    """Watch, make words, write, seal: four pictures. Returns the words as digits."""
    await watch(page, town)
    await page.evaluate(
        "() => new Promise(done => { const film = document.getElementById('film');"
        " film.addEventListener('seeked', () => requestAnimationFrame(done), {once: true});"
        " film.currentTime = 18; })"
    )
    await page.wait_for_timeout(300)
    await camera.take(page, "1-film")
    await page.locator("#write > summary").click()
    await page.locator("#new-words").click()
    await show(page, "own-words")
    await camera.take(page, "2-words")
    digits = " ".join((await page.locator("#shown-digits p").first.inner_text()).split())
    await page.locator("#noted").check()
    await page.locator("#letter").fill(LETTER)
    await show(page, "letter")
    await camera.take(page, "3-letter")
    await page.locator("#finish").click()
    await page.locator("#letter-tools button").first.wait_for()
    await page.locator("#letter-status").filter(has_text=re.compile(r"\d")).wait_for()
    await show(page, "finish")
    await camera.take(page, "4-sealed")
    return digits


async def answer(camera: Camera, town: Town, handler: Handler) -> None:
    """The handler reads the letter and answers it: one picture."""
    async with camera.person("handler", DESK) as page:
        await page.goto(town.desk_door)
        await page.locator("a.name").first.click()
        await page.locator("#text").fill(ANSWER)
        await camera.take(page, "5-desk")
        await page.locator("button[value=send]").click()
        await page.locator("li.reply").wait_for()
    await until("the answer on the board", handler.answer_is_on_board, _PATIENCE_S)


async def read(camera: Camera, town: Town, page: Page, digits: str) -> None:
    """In a browser that knows nothing, with the words alone: one picture."""
    for _ in range(5):
        await watch(page, town)
        await page.locator("#read > summary").click()
        await page.locator("#read-field").fill(digits)
        await page.locator("#look").click()
        await page.wait_for_timeout(2_000)
        if await page.locator("#answers blockquote").count():
            break
    await show(page, "read-field")
    await camera.take(page, "6-answer")


async def walk(camera: Camera, town: Town) -> None:
    """The whole walk."""
    handler = Handler(town)
    try:
        await open_town(town, handler)
        crowd = await start_crowd(town, 200, 1.0)
        async with camera.person("source", PHONE) as page:
            digits = await write(camera, town, page)
            written = await today(town)

            async def later() -> bool:
                return await today(town) > written

            await until("the next day", later, _PATIENCE_S)
            await watch(page, town)
        await until("the letter at the desk", lambda: handler.has_letter(LETTER), _PATIENCE_S)
        await answer(camera, town, handler)
        async with camera.person("elsewhere", PHONE) as page:
            await read(camera, town, page, digits)
        crowd.cancel()
    finally:
        await handler.close()


async def main(out: Path) -> None:
    """All pictures into `out`."""
    with tempfile.TemporaryDirectory() as scratch:
        pace = DemoPace(_DAY_S, int(time.time() * 1000))
        town = make_town(Path(scratch) / "town", pace, make, prepare)
        try:
            await town.start_roles()
            async with async_playwright() as playwright:
                await walk(Camera(playwright, Path(scratch), out), town)
        finally:
            await town.stop()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.browser.walk FOLDER   (needs Chromium)")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(folder))
