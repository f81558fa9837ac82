"""The source in Chromium: the real page in two profiles, one of which knows only the words."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wallflower.errors import Fault
from wallflower.lab.demo.town import Town
from wallflower.lab.demo.walk import made_again

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page, Playwright

CHROMIUM = Path("/usr/bin/chromium")
# Of several such flags the last one counts: so what Playwright 1.65 switches off is named again.
_OFF = (
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding",
    "ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect",
    "TcpPortRandomizationWin", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled",
    "PreconnectToSearch",
    # Nor what nobody sees: a process kept ready for the next site, and the address bar's own pages,
    # two for each window, which are two thirds of what it takes Chromium to start.
    "SpareRendererForSitePerProcess", "WebUIOmniboxPopup", "WebUIOmniboxAimPopup",
)  # fmt: skip
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-features=" + ",".join(_OFF),
)  # fmt: skip
_PATIENCE_MS = 20_000
_BOARD_MS = 5_000

# By the page's languages: the browser's own, and what the page says when a hum is done, the board
# whole, and a letter put away.
SAYS = {
    "zh-Hans": ("zh-CN", "谢谢", "已经完整", "已密封并存好"),
    "en": ("en-US", "Thank you", "is complete", "Sealed and put away"),
    "fa": ("fa-IR", "سپاس", "کامل است", "مهروموم و کنار گذاشته شد"),
    "ru": ("ru-RU", "Спасибо", "получена целиком", "Запечатано и сохранено"),
    "es": ("es-ES", "Gracias", "está completo", "Sellada y guardada"),
}


@dataclass(slots=True)
class ChromiumSource:
    """A person with a browser here and another elsewhere, who reads one of the campaign's
    `languages`: Chinese, where it has that."""

    town: Town
    languages: tuple[str, ...] = tuple(SAYS)
    words: str = ""
    taken: int = 0
    _playwright: Playwright | None = field(default=None)
    _open: dict[str, BrowserContext] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not CHROMIUM.exists():
            raise Fault("Chromium is not installed", "Type: apt-get install chromium")
        if not set(self.languages) & SAYS.keys():
            raise Fault("The demo's reader knows no language of that campaign", "Use a terminal.")

    @property
    def _own(self) -> tuple[str, str, str, str]:
        return next(said for language, said in SAYS.items() if language in self.languages)

    async def _page(self, profile: str) -> Page:
        """Open the page in this profile, as one visit: the browser is started anew."""
        from playwright.async_api import async_playwright

        if self._playwright is None:
            self._playwright = await async_playwright().start()
        if profile in self._open:
            await self._open.pop(profile).close()
        self._open[profile] = await self._playwright.chromium.launch_persistent_context(
            self.town.folder / profile, executable_path=CHROMIUM, headless=True,
            args=list(FLAGS), locale=self._own[0],
        )  # fmt: skip
        page = self._open[profile].pages[0]
        page.set_default_timeout(_PATIENCE_MS)
        await page.goto(self.town.url("mirror") + "/")
        return page

    async def _watch(self, profile: str) -> Page:
        """A visit until the hum has ended."""
        page = await self._page(profile)
        await _said(page, "hum-status", self._own[1], _PATIENCE_MS)
        return page

    async def _whole_board(self, profile: str) -> Page:
        """A visit that also brought the whole board."""
        page = await self._watch(profile)
        await _said(page, "board-status", self._own[2], _BOARD_MS)
        return page

    async def visit(self) -> None:
        """Watch once."""
        await made_again(lambda: self._watch("profile"))

    async def write(self, text: str) -> None:
        """In the page that is open: make words, note them, seal a letter. Nothing is sent."""
        page = self._open["profile"].pages[0]
        await page.locator("#write > summary").click()
        await page.locator("#new-words").click()
        await page.locator("#noted").check()
        shown = page.locator("#shown-digits")
        self.words = await shown.inner_text()
        await page.locator("#letter").fill(text)
        await page.locator("#finish").click()
        await _said(page, "letter-status", self._own[3], _PATIENCE_MS)

    async def come_back(self) -> list[str]:
        """In a fresh profile, with the words alone: the replies that the page shows."""
        page = await made_again(lambda: self._whole_board("elsewhere"))
        await page.locator("#read > summary").click()
        await page.locator("#read-field").fill(self.words)
        await page.locator("#look").click()
        self.taken = await page.locator("#answers .taken, #answers .answered").count()
        return await page.locator("#answers blockquote").all_inner_texts()

    async def receipts(self) -> int:
        """How many letters the page said were taken by the desk."""
        return self.taken

    async def close(self) -> None:
        """Close the browsers."""
        for context in self._open.values():
            await context.close()
        if self._playwright is not None:
            await self._playwright.stop()


async def _said(page: Page, element: str, text: str, patience_ms: float) -> None:
    """Wait until an element says this, or raise a Fault that names what is missing."""
    from playwright.async_api import TimeoutError as TooLong

    saying = page.locator(f"#{element}").filter(has_text=text)
    try:
        await saying.wait_for(state="attached", timeout=patience_ms)
    except TooLong:
        raise Fault(f"The page never said '{text}' in its {element}", "Open it yourself.") from None
