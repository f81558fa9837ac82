"""The live view: one terminal page that says what each role knows at this moment, and what not.

It fits 80 by 24. Where there is more room it also shows the letter, and who can read it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date, timedelta

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from wallflower.lab.demo.pace import HUMS, PARAMETERS
from wallflower.lab.demo.town import Town
from wallflower.lab.demo.walk import ANSWER, LETTER, Step, crowd_counts, today

_EVERY_S = 0.5
TALL = 38  # lines from which the letter is shown too
_NOTED_SHORT, _NOTED_TALL = 4, 9
# What letter and answer say, for a visitor who does not read Chinese: a line of 76 columns each.
IN_ENGLISH = (
    "In English: the reservoir's money was split in three; I have photographs.",
    "In English: thank you. Leave the photos there, tell nobody, look again here.",
)
YOUR_TURN = "Now it is your turn: write in the page, answer at the desk."
# The letter's way, and the step from which it is at that place.
WAY = (
    ("source", Step.WATCHED), ("waits", Step.WRITTEN), ("in a hum", Step.LEAVES),
    ("A or B", Step.MIXED), ("desk", Step.ARRIVED), ("board", Step.ON_BOARD),
    ("source", Step.RETURNED),
)  # fmt: skip
_ORDER = list(Step)
Counts = dict[str, int]


@dataclass(slots=True)
class Said:
    """How far the letter came, and whether people may take over."""

    steps: list[Step] = field(default_factory=list)
    your_turn: bool = False

    def say(self, step: Step) -> None:
        """The letter came this far."""
        self.steps.append(step)

    def place(self) -> int:
        """Where on its way the letter is; -1 before there is one."""
        if not self.steps:
            return -1
        at = _ORDER.index(self.steps[-1])
        return max(n for n, (_, since) in enumerate(WAY) if _ORDER.index(since) <= at)


def _n(counts: Counts, name: str) -> str:
    return f"{counts[name]:,}" if name in counts else "…"


def rows(found: dict[str, Counts]) -> list[tuple[str, str, str]]:
    """(who, what it sees now, what it never sees) of every party."""
    i, a, b, d, c, o = (
        found.get(n, {}) for n in ("ingress", "mix-a", "mix-b", "desk", "crowd", "organisation")
    )
    return [
        ("observer", f"{_n(c, 'watched')} people, {_n(c, 'hums')} hums, all alike",
         "who wrote, or whether"),
        ("mirror", "addresses; the same files go to each", "letters, while honest"),
        ("ingress", f"addresses; {_n(i, 'cells')} sealed cells", "which of them is real"),
        ("mix A", f"{_n(a, 'hums')} hums, {_n(a, 'pool')} of them in its pool",
         "which holds a letter"),
        ("mix B", f"covers {_n(b, 'covers')}, letters {_n(b, 'letters')}, held "
                  f"{_n(b, 'pool')}", "an address; a text"),
        ("desk server", f"{_n(o, 'segments')} pieces of board, always full",
         "which slots are real"),
        ("handler", f"letters, their text and day: {_n(d, 'letters')}", "who, where, what hour"),
    ]  # fmt: skip


def date_of(day: int) -> str:
    """A UTC day since 1970-01-01 as people write it; nothing while there is no record."""
    return str(date(1970, 1, 1) + timedelta(days=day)) if day else "…"


def _table(found: dict[str, Counts]) -> Table:
    table = Table(expand=True, box=None, padding=(0, 1), header_style="bold")
    table.add_column("who", style="bold", no_wrap=True)
    table.add_column("sees now", ratio=5)
    table.add_column("never sees", ratio=3, style="green")
    for row in rows(found):
        table.add_row(*row)
    return table


def _way(said: Said) -> Text:
    """The letter's way; where it is stands out."""
    line, at = Text().append("letter  ", style="bold"), said.place()
    for n, (name, _) in enumerate(WAY):
        line.append(" → " if n else "", style="dim")
        line.append(f" {name} ", style="black on yellow" if n == at else "" if n < at else "dim")
    return line


def _crowd(found: dict[str, Counts], said: Said, width: int) -> Text:
    """The hums that came, each the same mark. One holds the letter; nobody here knows which. While
    it is at the mixes, also what B waits for.
    """
    crowd, b = found.get("crowd", {}), found.get("mix-b", {})
    hums, room = crowd.get("hums", 0), width - len("hums     ")
    line = Text().append("hums     ", style="bold")
    line.append("▪" * min(hums, room) + "\n", style="cyan")
    places = [since for _, since in WAY]
    leaves, mixed = places.index(Step.LEAVES), places.index(Step.MIXED)
    of = f"one of {hums:,}" if said.place() >= leaves else "none"
    line.append(f"         {of} holds the letter. ")
    if leaves <= said.place() <= mixed:
        line.append(f"B lets go after {PARAMETERS['floor']} hums; ")
        line.append(f"{_n(b, 'seen_since_release')} came")
    else:
        line.append("Each is a visit's twelve sealed cells.")
    return line


def _story(said: Said, most: int) -> RenderableType:
    lines = [step.value for step in said.steps] + ([YOUR_TURN] if said.your_turn else [])
    shown = lines[-most:]
    text = Text()
    for n, line in enumerate(shown):
        last = n == len(shown) - 1
        text.append(
            ("▸ " if last else "  ") + line + ("" if last else "\n"), style="" if last else "dim"
        )
    return Panel(text, title="what happens", title_align="left", height=most + 2)


def _letter(said: Said) -> RenderableType:
    """What only two can read: the source and the handler."""
    place, names = said.place(), [since for _, since in WAY]
    written, answered = place >= names.index(Step.WRITTEN), place >= names.index(Step.ON_BOARD)
    text = Text()
    if not written:
        text.append("nothing is written yet", style="dim")
    for one, english in zip((LETTER, ANSWER)[: written + answered], IN_ENGLISH, strict=False):
        text.append(f"{one}\n", style="green" if one == ANSWER else "")
        text.append(f"{english}\n", style="dim")
    text.rstrip()
    return Panel(
        text, title="what the source and the handler can read, and nobody else",
        title_align="left", height=7,
    )  # fmt: skip


def picture(
    town: Town, found: dict[str, Counts], day: int, said: Said, size: tuple[int, int]
) -> Group:
    """The page, for a terminal of `size` columns and lines."""
    width, height = size
    tall = height >= TALL
    gap: list[RenderableType] = [Text("")] if tall else []
    clock = Text("Wallflower: one letter in a crowd   ", style="bold")
    clock.append(f"{date_of(day)}   a day is {town.pace.day_s:g} s, a hum {90 / HUMS:g} s")
    where = Text(f"page {town.url('mirror')}/   Ctrl-C ends the demo   the desk, opens once:\n")
    where.append(town.desk_door)
    return Group(
        clock, Text("─" * width, style="dim"), *gap,
        _way(said), _crowd(found, said, width), *gap,
        Text("─" * width, style="dim"), _table(found), *gap,
        *([_letter(said)] if tall else []),
        _story(said, _NOTED_TALL if tall else _NOTED_SHORT), where,
    )  # fmt: skip


async def gather_counts(town: Town) -> dict[str, Counts]:
    """The status of every role."""
    roles = ("ingress", "mix-a", "mix-b", "desk", "organisation")
    answers = await asyncio.gather(*(town.status(role) for role in roles))
    return {**dict(zip(roles, answers, strict=True)), "crowd": crowd_counts(town)}


async def watch(town: Town, said: Said, console: Console) -> None:
    """Redraw until cancelled."""
    with Live(console=console, auto_refresh=False, screen=console.is_terminal) as live:
        while True:
            found = await gather_counts(town)
            page = picture(town, found, await today(town), said, console.size)
            live.update(page, refresh=True)
            await asyncio.sleep(_EVERY_S)
