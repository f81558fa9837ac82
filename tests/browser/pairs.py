"""Many hums side by side, with a letter that leaves and without one, in an order drawn beforehand.

A seat is a browser context of its own in front of a world of its own. Its two pasts, one that only
watched and one that also wrote, are kept as copies of the page's store, put back before each hum:
so every hum begins at the same point, and the letter leaves again each time.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, pstdev

from tests.browser.bare import Tab
from tests.browser.browsing import PATIENCE_MS
from tests.browser.opening import open_cells
from tests.browser.pasts import BLANK, KEEP, PUT_BACK, with_blank
from tests.browser.remote import Remote, devtools, running, until
from tests.browser.stage import PACE_HUMS, Stage
from tests.browser.trace import Trace, trace, untimed

from wallflower.lab.demo.chromium import FLAGS
from wallflower.wire.hello import Kind
from wallflower.wire.sizes import HUM_CELLS, LATE_MS, SLOT_MS

# The page that was left is not kept as it is, ready to be gone back to; nor are pages of the
# browser's own. By FLAGS no renderer is kept ready for the context that asked last, and ended when
# another asks: with a context a seat, a process for most page loads in which no page is ever shown.
STARTED = [
    "--headless=new", *FLAGS, "--disable-back-forward-cache", "--disable-extensions",
    "--disable-component-extensions-with-background-pages",
    "--disable-default-apps", "--disable-field-trial-config", "--metrics-recording-only",
    "--password-store=basic", "--mute-audio", "--hide-scrollbars", "--disable-dev-shm-usage",
]  # fmt: skip
SEED = 20261121
PASTS = ("plain", "letter")
AT_ONCE = 7  # seats that make their pasts at the same time
SMALL = (320, 240)


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
    tab: Tab
    kept: dict[str, dict[str, str]] = field(default_factory=dict)
    patience_s: float = 4 * PATIENCE_MS / 1000

    @classmethod
    async def prepare(cls, remote: Remote, stage: Stage) -> Seat:
        """A context and a world with a first day; fast for now."""
        with_blank(stage).next_day()
        stage.release([], [])
        # Small, since drawing costs a tenth of a page load on a machine that has no screen.
        return cls(stage, await Tab.apart(remote, *SMALL))

    def turn(self, pace: int) -> None:
        """The next day, in a pace of its own: a hum in real time takes 90 seconds."""
        self.patience_s += 2 * HUM_CELLS * SLOT_MS / pace / 1000
        self.stage.pace_hums = pace
        self.stage.next_day()

    async def open(self) -> None:
        """Open the page."""
        await self.tab.go(self.stage.site.url + "/")

    async def _until_all_came(self) -> None:
        """Until the hum has ended and all of it went out, and the whole board is there."""
        await self.tab.says("hum-status", "Thank you.", self.patience_s)
        await self.tab.says("board-status", "complete", self.patience_s)

    async def live(self) -> None:
        """Live through the pasts, in one visit, and keep what each leaves."""
        await self._until_all_came()
        await self._keep("plain")
        await self._write()
        await self.tab.go(self.stage.site.url + BLANK)
        await self._keep("letter")

    async def _keep(self, past: str) -> None:
        self.kept[past] = await self.tab.ask(f"({KEEP})({json.dumps(past)})")

    async def _write(self) -> None:
        for element in ("#write > summary", "#new-words", "#noted"):
            await self.tab.click(element)
        await self.tab.type("letter", "A letter.")
        await self.tab.click("#finish")
        await self.tab.says("letter-status", "put away. It leaves", self.patience_s)

    async def begin(self, letter: bool) -> None:
        """Put the past back and open the page."""
        past = PASTS[letter]
        await self.tab.ask(f"({PUT_BACK})({json.dumps([past, self.kept[past]])})")
        self.stage.forget_requests()
        await self.open()

    async def until_it_hums(self) -> None:
        """Wait for the first cell."""

        async def began() -> bool:
            return bool(self.stage.ingress.requests)

        await until(began, "the first cell came")

    async def end(self) -> Hum:
        """Wait until the hum is over; what was seen."""
        await self._until_all_came()
        assert await self.tab.ask("document.visibilityState") == "visible"
        cells = sorted(self.stage.ingress.requests, key=lambda cell: cell.at)
        opened = cells[:HUM_CELLS]
        kind, _ = open_cells([c.body for c in opened], self.stage.keys, self.stage.records)
        asked = next(r.at for r in self.stage.site.requests if r.line == "GET /")
        times = {c.body[1]: c.at for c in opened}
        connections = len({c.connection for c in cells})
        # By what it was: a page that waits too long for its store on a busy machine sends cover.
        seen = Hum(kind is Kind.LETTER, untimed(trace(self.stage)), asked, times, connections)
        await self.tab.go(self.stage.site.url + BLANK)
        return seen


def classes(pairs: int, seats: int) -> list[list[bool]]:
    """For each seat as many hums with a letter as without, in an order that the seed fixes."""
    chance = random.Random(SEED)
    each = [[False, True] * math.ceil(pairs / seats) for _ in range(seats)]
    for order in each:
        chance.shuffle(order)
    return each


async def hums(
    chromium: str, profile: Path, stages: Sequence[Stage], orders: Sequence[Sequence[bool]],
    loading: asyncio.Lock,
) -> list[tuple[int, Hum]]:  # fmt: skip
    """All hums of one browser with the numbers of their seats: a seat a stage, all at once. Pages
    load with `loading` held.
    """
    own = ["--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]
    command = [chromium, *STARTED, *own]
    english = os.environ | {"LANGUAGE": "en_US"}
    seen: list[tuple[int, Hum]] = []
    async with running(command, lambda: devtools(profile), english) as remote:
        row = await _prepared(remote, stages)
        for letters in zip(*orders, strict=True):
            seen += enumerate(await _round(row, letters, loading))
    for stage in stages:
        stage.stop()
    return seen


async def _prepared(remote: Remote, stages: Sequence[Stage]) -> list[Seat]:
    """Both pasts of every seat, made by the page itself in fast time; then a day in its own."""
    paces = [stage.pace_hums for stage in stages]
    for stage in stages:
        stage.pace_hums = PACE_HUMS
    row: list[Seat] = []
    for at in range(0, len(stages), AT_ONCE):
        few = [await Seat.prepare(remote, stage) for stage in stages[at : at + AT_ONCE]]
        for seat in few:
            await seat.open()
        for seat in few:
            await seat.live()
        row += few
    for seat, pace in zip(row, paces, strict=True):
        seat.turn(pace)
    return row


async def _round(row: Sequence[Seat], letters: Sequence[bool], loading: asyncio.Lock) -> list[Hum]:
    # One page at a time: two that load side by side hold up each other, for a tenth more work, and
    # what else runs on this machine takes what one leaves.
    async with loading:
        for seat, letter in zip(row, letters, strict=True):
            await seat.begin(letter)
            await seat.until_it_hums()
    return [await seat.end() for seat in row]
