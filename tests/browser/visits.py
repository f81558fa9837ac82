"""A lane of visits that can be compared: the same world, and every visitor with the same past.

The past is one visit on the day before. Its profile is copied for each visit that is recorded, so
nobody's cache or store differs, unless the comparison is about just that: a letter that waits.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Playwright
from tests.browser.behaviours import Scene
from tests.browser.browsing import (
    PHONE,
    Visitor,
    make_words,
    wait_for,
    wait_for_board,
    wait_for_hum,
    write,
)
from tests.browser.opening import open_cells
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
    """One world, and two profiles with a past: `plain` only watched, `letter` also wrote."""

    driver: Playwright
    chromium: str
    folder: Path
    built: Path
    shape: Shape = "served"
    stage: Stage = field(init=False)
    words: str = field(init=False)
    visits: int = 0

    def prepare(self) -> Lane:
        """Yesterday's visits; then a new day, and an answer on the board."""
        self.stage = Stage(self.folder / "site", self.built, pace_hums=PACE_HUMS)
        self.stage.altered["hum.js"] = seeded
        week = self.stage.next_day().week
        self.stage.release([], [])
        for past in PASTS:
            visitor = self._visitor(past)
            page = visitor.visit(PHONE, self.shape)
            if past == "letter":
                self.words = " ".join(make_words(page))
                write(page, "A letter.")
            wait_for_hum(page)
            wait_for_board(page)
            visitor.leave()
            assert not visitor.errors
        e = epoch_secret(from_person(self.words), week)
        self.stage.release([seal_part(e, 0, bytes(16), 1, 1, b"An answer.")], [])
        self.stage.next_day()
        return self

    def _visitor(self, name: str) -> Visitor:
        return Visitor(self.driver, self.chromium, self.folder / name, self.stage)

    def visit(
        self, act: Callable[[Scene], None], *, past: str = "plain",
        altered: Mapping[str, Alter] | None = None, tabs: int = 1, cached: bool = True,
    ) -> Trace:  # fmt: skip
        """One recorded visit by a copy of a profile, with something done during it. What is altered
        reaches only a browser that did not keep the script of the day before.
        """
        assert not (altered and cached)
        kept = None if cached else shutil.ignore_patterns("Cache", "Code Cache")
        profile = self.fresh_profile()
        shutil.copytree(self.folder / past, profile, ignore=kept)
        before = dict(self.stage.altered)
        self.stage.altered |= altered or {}
        self.stage.forget_requests()
        visitor = self._visitor(profile.name)
        page = visitor.visit(PHONE, self.shape)
        pages = [page, *(visitor.another_tab() for _ in range(tabs - 1))]
        act(Scene(visitor, page, self.words))
        for one in pages:
            wait_for_hum(one)
            wait_for_board(one)
            wait_for(one, "film-status", "")
        page.wait_for_timeout(QUIET_MS)
        if tabs == 1:
            assert self._kind() is PASTS[past]
        seen = trace(self.stage, tabs)
        visitor.leave()
        self.stage.altered = before
        # Only to spare the disk; what is left of the browser may still write for a moment.
        shutil.rmtree(profile, ignore_errors=True)
        return seen

    def fresh_profile(self) -> Path:
        """Where the next visit's profile goes; nothing is there yet."""
        self.visits += 1
        return self.folder / f"visit-{self.visits}"

    def _kind(self) -> Kind:
        """What the hum that was just recorded carried, by its first copies."""
        cells = [c.body for c in self.stage.ingress.requests if c.body[1] < POSITIONS]
        return open_cells(cells, self.stage.keys, self.stage.records)[0]
