"""The live view: one terminal page that says what each role knows at this moment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from wallflower.lab.demo.pace import HUMS, PARAMETERS
from wallflower.lab.demo.town import Town
from wallflower.lab.demo.walk import crowd_counts, today

_EVERY_S = 0.5
Counts = dict[str, int]


@dataclass(slots=True)
class Said:
    """The newest lines of the story."""

    lines: list[str]

    def say(self, line: str) -> None:
        """Add a line."""
        self.lines.append(line)
        del self.lines[:-6]


def _n(counts: Counts, name: str) -> str:
    return f"{counts[name]:,}" if name in counts else "…"


def rows(found: dict[str, Counts]) -> list[tuple[str, str, str]]:
    """(who, what it knows now, what it never learns) of every party."""
    i, a, b, d, c, o = (
        found.get(n, {}) for n in ("ingress", "mix-a", "mix-b", "desk", "crowd", "organisation")
    )
    return [
        ("observer", f"{_n(c, 'watched')} people watched; {_n(c, 'hums')} hums, all alike",
         "who wrote, and whether anybody did"),
        ("ingress", f"{_n(i, 'cells')} cells came, {_n(i, 'waiting')} wait for A",
         "which are real; it cannot open one"),
        ("mix A", f"{_n(a, 'hums')} whole hums; holds {_n(a, 'pool')} "
                  f"(most {_n(a, 'pool_high_water')}); {_n(a, 'loops')} loops of its own came back",
         "which hum holds a letter"),
        ("mix B", f"{_n(b, 'covers')} covers dropped, {_n(b, 'letters')} letters, "
                  f"{_n(b, 'known')} of known conversations, {_n(b, 'loops')} loops; "
                  f"holds {_n(b, 'pool')}; {_n(b, 'seen_since_release')} seen, "
                  f"floor {PARAMETERS['floor']}",
         "anybody's address or time"),
        ("desk server", f"{_n(o, 'segments')} pieces of board; records {_n(o, 'days_ahead')} "
                        "days ahead", "which slots are real; it opens nothing"),
        ("desk", f"{_n(d, 'drops')} drops read, {_n(d, 'letters')} letters, "
                 f"{_n(d, 'replies_board')} answers on the board",
         "who wrote, from where, or when"),
    ]  # fmt: skip


def picture(town: Town, found: dict[str, Counts], day: int, said: Said) -> Group:
    """The page."""
    table = Table(expand=True, title_justify="left")
    for head in ("who", "knows now", "never learns"):
        table.add_column(head, ratio=1 if head == "who" else 3)
    for row in rows(found):
        table.add_row(*row)
    clock = (
        f"day {day}   days run {town.pace.days:,}x (a day is {town.pace.day_s:g} s), "
        f"hums {HUMS}x (90 s are 1.5 s)"
    )
    story = Panel(Text("\n".join(said.lines)), title="what a source does", title_align="left")
    where = Text(f"page: {town.url('mirror')}/   desk: {town.desk_door}   (Ctrl-C ends the demo)")
    return Group(Text(clock), table, story, where)


async def gather_counts(town: Town) -> dict[str, Counts]:
    """The status of every role."""
    roles = ("ingress", "mix-a", "mix-b", "desk", "organisation")
    answers = await asyncio.gather(*(town.status(role) for role in roles))
    return {**dict(zip(roles, answers, strict=True)), "crowd": crowd_counts(town)}


async def watch(town: Town, said: Said, console: Console) -> None:
    """Redraw until cancelled."""
    with Live(console=console, auto_refresh=False, screen=False) as live:
        while True:
            found = await gather_counts(town)
            live.update(picture(town, found, await today(town), said), refresh=True)
            await asyncio.sleep(_EVERY_S)
