"""Many hums side by side, with a letter that leaves and without one, in an order drawn beforehand.

A seat is a browser context of its own in front of a world of its own. Its two pasts, one that only
watched and one that also wrote, are kept as copies of the page's store, put back before each hum:
so every hum begins at the same point, and the letter leaves again each time.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, pstdev

from playwright.sync_api import Browser, Page, Playwright, ViewportSize
from tests.browser.browsing import (
    FLAGS,
    PATIENCE_MS,
    WAKEFUL,
    make_words,
    wait_for_board,
    wait_for_hum,
    write,
)
from tests.browser.opening import open_cells
from tests.browser.stage import PACE_HUMS, Stage
from tests.browser.trace import Trace, trace, untimed

from wallflower.wire.hello import Kind
from wallflower.wire.sizes import HUM_CELLS, LATE_MS, SLOT_MS

# A browser keeps a renderer ready for the context that asked last, and ends it when another asks:
# with a context a seat, that is a process for most page loads in which no page is ever shown. The
# others are those that Playwright turns off: of this flag the last list counts.
UNWANTED = (
    "SpareRendererForSitePerProcess",
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding",
    "ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints",
    "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch",
)  # fmt: skip
TRY_MS, TRIES = 50, 600
SEED = 20261121
PASTS = ("plain", "letter")
AT_ONCE = 7  # seats that make their pasts at the same time
BLANK = "/blank.html"
SMALL: ViewportSize = {"width": 320, "height": 240}
_KEEP = """async (past) => {
  localStorage.removeItem('copy');
  const root = await navigator.storage.getDirectory();
  for await (const [name, file] of root.entries()) {
    if (name.startsWith('copy-')) continue;
    const copy = await (await root.getFileHandle(`copy-${past}-${name}`, {create: true}))
      .createWritable();
    await copy.write(await (await file.getFile()).arrayBuffer());
    await copy.close();
  }
  return Object.fromEntries(Object.entries(localStorage));
}"""
_PUT_BACK = """async ([past, kept]) => {
  for (const [name, value] of Object.entries(kept)) localStorage.setItem(name, value);
  const root = await navigator.storage.getDirectory();
  const start = `copy-${past}-`;
  for await (const [name, copy] of root.entries()) {
    if (!name.startsWith(start)) continue;
    const file = await (await root.getFileHandle(name.slice(start.length), {create: true}))
      .createWritable();
    await file.write(await (await copy.getFile()).arrayBuffer());
    await file.close();
  }
}"""


@dataclass(frozen=True, slots=True)
class Hum:
    """One hum as an observer saw it: when the page was asked for, and when each cell came, by its
    counter, in seconds of one clock.
    """

    letter: bool
    trace: Trace
    asked: float
    times: Mapping[int, float]
    connections: int

    @property
    def whole(self) -> bool:
        """Whether no cell was skipped: a page that a busy machine holds up skips, whoever it is."""
        return len(self.times) == HUM_CELLS

    def features(self, pace: int) -> list[float]:
        """In ms: how long until the hum began, and how late each cell is, both by its middle; how
        far the lateness spreads; last, the number of connections. A skipped cell is as late as one
        may be.
        """
        due = {n: at * 1000 - n * SLOT_MS / pace for n, at in self.times.items()}
        middle = median(due.values())
        late = [due.get(n, middle + LATE_MS) - middle for n in range(HUM_CELLS)]
        return [middle - self.asked * 1000, *late, pstdev(late), self.connections]


@dataclass(slots=True)
class Seat:
    """One context and its world."""

    stage: Stage
    page: Page
    kept: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def prepare(cls, browser: Browser, stage: Stage) -> Seat:
        """A context and a world with a first day; fast for now."""
        stage.files["blank.html"] = b"<!doctype html><title>blank</title>"
        stage.next_day()
        stage.release([], [])
        # Small, since drawing costs a tenth of a page load on a machine that has no screen.
        page = browser.new_context(locale="en-US", viewport=SMALL).new_page()
        page.set_default_timeout(4 * PATIENCE_MS)
        return cls(stage, page)

    def turn(self, pace: int) -> None:
        """The next day, in a pace of its own: a hum in real time takes 90 seconds."""
        self.page.set_default_timeout(4 * PATIENCE_MS + 2 * HUM_CELLS * SLOT_MS / pace)
        self.stage.pace_hums = pace
        self.stage.next_day()

    def open(self) -> None:
        """Open the page, to make a past."""
        self.page.goto(self.stage.site.url + "/")

    def keep(self, past: str) -> None:
        """Live through this past, and keep what it leaves."""
        wait_for_board(self.page)
        if past == "letter":
            make_words(self.page)
            write(self.page, "A letter.")
        wait_for_hum(self.page)
        self.page.goto(self.stage.site.url + BLANK)
        self.kept[past] = self.page.evaluate(_KEEP, past)

    def begin(self, letter: bool) -> None:
        """Put the past back and open the page."""
        past = PASTS[letter]
        self.page.evaluate(_PUT_BACK, [past, self.kept[past]])
        self.stage.forget_requests()
        self.page.goto(self.stage.site.url + "/", wait_until="commit")

    def until_it_hums(self) -> None:
        """Wait for the first cell."""
        for _ in range(TRIES):
            if self.stage.ingress.requests:
                return
            self.page.wait_for_timeout(TRY_MS)
        raise AssertionError("No cell came")

    def end(self) -> Hum:
        """Wait until the hum is over; what was seen."""
        wait_for_hum(self.page)
        wait_for_board(self.page)
        cells = sorted(self.stage.ingress.requests, key=lambda cell: cell.at)
        opened = cells[:HUM_CELLS]
        kind, _ = open_cells([c.body for c in opened], self.stage.keys, self.stage.records)
        asked = next(r.at for r in self.stage.site.requests if r.line == "GET /")
        times = {c.body[1]: c.at for c in opened}
        connections = len({c.connection for c in cells})
        # By what it was: a page that waits too long for its store on a busy machine sends cover.
        seen = Hum(kind is Kind.LETTER, untimed(trace(self.stage)), asked, times, connections)
        self.page.goto(self.stage.site.url + BLANK)
        return seen


def classes(pairs: int, seats: int) -> list[list[bool]]:
    """For each seat as many hums with a letter as without, in an order that the seed fixes."""
    chance = random.Random(SEED)
    each = [[False, True] * math.ceil(pairs / seats) for _ in range(seats)]
    for order in each:
        chance.shuffle(order)
    return each


def hums(
    driver: Playwright, chromium: str, stages: Sequence[Stage], orders: Sequence[Sequence[bool]]
) -> Iterator[tuple[int, Hum]]:
    """All hums of one browser with the numbers of their seats: a seat a stage, all at once."""
    browser = driver.chromium.launch(
        executable_path=chromium,
        args=[*FLAGS, f"--disable-features={','.join(UNWANTED)}"],
        ignore_default_args=WAKEFUL,
    )
    row = _prepared(browser, stages)
    for letters in zip(*orders, strict=True):
        yield from enumerate(_round(row, letters))
    for seat in row:
        seat.stage.stop()
    browser.close()


def _prepared(browser: Browser, stages: Sequence[Stage]) -> list[Seat]:
    """Both pasts of every seat, made by the page itself in fast time; then a day in its own."""
    paces = [stage.pace_hums for stage in stages]
    for stage in stages:
        stage.pace_hums = PACE_HUMS
    row: list[Seat] = []
    for at in range(0, len(stages), AT_ONCE):
        few = [Seat.prepare(browser, stage) for stage in stages[at : at + AT_ONCE]]
        for past in PASTS:
            for seat in few:
                seat.open()
            for seat in few:
                seat.keep(past)
        row += few
    for seat, pace in zip(row, paces, strict=True):
        seat.turn(pace)
    return row


def _round(row: Sequence[Seat], letters: Sequence[bool]) -> list[Hum]:
    for seat, letter in zip(row, letters, strict=True):
        seat.begin(letter)
        if seat.stage.pace_hums == 1:
            # In real time there is time: page loads do not hold up each other.
            seat.until_it_hums()
    return [seat.end() for seat in row]
