"""A lane of visits that can be compared: the same world, and every visitor with the same past.

The past is a visit on the day before. What the page stored in it is put back before each visit that
is recorded, and all are made in one browser, which stays open as people's do: so nobody's cache or
store differs, unless the comparison is about just that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, Playwright
from tests.browser.behaviours import Scene
from tests.browser.browsing import (
    PHONE,
    Visitor,
    make_words,
    wait_for_board,
    wait_for_film,
    wait_for_hum,
    write,
)
from tests.browser.opening import open_cells
from tests.browser.pasts import BLANK, KEEP, PUT_BACK, with_blank
from tests.browser.shim import seeded
from tests.browser.stage import Alter, Shape, Stage
from tests.browser.trace import Trace, trace

from wallflower.crypto.derive import epoch_secret
from wallflower.wire.hello import Kind
from wallflower.wire.reply import seal_part
from wallflower.wire.sizes import POSITIONS
from wallflower.wire.words import from_person

# A slot is 250 ms: a late cell does not fall into another slot on a busy machine.
PACE_HUMS = 30
QUIET_MS = 1000
PASTS = {"plain": Kind.COVER, "letter": Kind.LETTER}


@dataclass(slots=True)
class Lane:
    """One world, one browser, and two pasts: `plain` only watched, `letter` also wrote. `cached`:
    whether the browser keeps scripts and film from one visit to the next.
    """

    driver: Playwright
    chromium: str
    folder: Path
    built: Path
    shape: Shape = "served"
    cached: bool = True
    stage: Stage = field(init=False)
    words: str = field(init=False)
    visitor: Visitor = field(init=False)
    empty: Page = field(init=False)
    kept: dict[str, dict[str, str]] = field(default_factory=dict)

    def prepare(self) -> Lane:
        """Yesterday's visit; then a new day, and an answer on the board."""
        self.stage = with_blank(Stage(self.folder / "site", self.built, pace_hums=PACE_HUMS))
        self.stage.altered["hum.js"] = seeded
        week = self.stage.next_day().week
        self.stage.release([], [])
        self.visitor = Visitor(self.driver, self.chromium, self.folder / "profile", self.stage)
        page = self.empty = self.visitor.start(PHONE)
        page.goto(self.stage.address(self.shape))
        wait_for_hum(page)
        wait_for_board(page)
        self.kept["plain"] = page.evaluate(KEEP, "plain")
        self.words = " ".join(make_words(page))
        write(page, "A letter.")
        page.goto(self.stage.site.url + BLANK)
        self.kept["letter"] = page.evaluate(KEEP, "letter")
        assert not self.visitor.errors
        e = epoch_secret(from_person(self.words), week)
        self.stage.release([seal_part(e, 0, bytes(16), 1, 1, b"An answer.")], [])
        self.stage.next_day()
        return self

    def visit(
        self, act: Callable[[Scene], None], *, past: str = "plain",
        altered: Mapping[str, Alter] | None = None, tabs: int = 1,
    ) -> Trace:  # fmt: skip
        """One recorded visit with this past, with something done during it. What is altered reaches
        only a browser that keeps nothing.
        """
        assert not (altered and self.cached)
        self.empty.evaluate(PUT_BACK, [past, self.kept[past]])
        before = dict(self.stage.altered)
        self.stage.altered |= altered or {}
        pages = [self.visitor.another_tab() for _ in range(tabs)]
        if not self.cached:
            pages[0].context.new_cdp_session(pages[0]).send("Network.clearBrowserCache")
        self.stage.forget_requests()
        for page in pages:
            page.goto(self.stage.address(self.shape))
        act(Scene(self.visitor, pages[0], self.words))
        for page in pages:
            wait_for_hum(page)
            wait_for_board(page)
            wait_for_film(page)
        pages[0].wait_for_timeout(QUIET_MS)
        if tabs == 1:
            assert self._kind() is PASTS[past]
        seen = trace(self.stage, tabs)
        for page in pages:
            page.close()
        self.stage.altered = before
        return seen

    def leave(self) -> None:
        """Close the browser, and end the world."""
        self.visitor.leave()
        self.stage.stop()

    def _kind(self) -> Kind:
        """What the hum that was just recorded carried, by its first copies."""
        cells = [c.body for c in self.stage.ingress.requests if c.body[1] < POSITIONS]
        return open_cells(cells, self.stage.keys, self.stage.records)[0]
