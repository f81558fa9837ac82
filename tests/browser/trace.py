"""What an observer on the line could write down of one visit, and how two visits differ.

Cells are compared in order, with their slot and connection. Piece by piece of the film, and segment
by segment of the board, the order counts too. Between these streams, and between the files that a
page load asks for at once, the order is the browser's chance: those are compared as a set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from tests.browser.recorder import Request
from tests.browser.stage import Stage

from wallflower.wire.sizes import SLOT_MS

ORDERED = ("GET /film/", "GET /board/")


@dataclass(frozen=True, slots=True)
class Event:
    """One request: for a cell with the slot it came in, and with its connection in order of use."""

    slot: int | None
    line: str
    head: bytes
    length: int
    connection: int | None


@dataclass(frozen=True, slots=True)
class Trace:
    """One visit: the cells of each page load, the ordered streams, everything else."""

    hums: tuple[tuple[Event, ...], ...]
    streams: tuple[tuple[Event, ...], ...]
    rest: tuple[tuple[str, Event], ...]

    def requests(self) -> int:
        """How many requests it holds."""
        return sum(map(len, self.hums)) + sum(map(len, self.streams)) + len(self.rest)


def trace(stage: Stage, hums: int = 1) -> Trace:
    """The visit that the servers have just recorded; `hums` is the number of its page loads.

    Two loads share the browser's connections: which of them a cell takes is chance, and left out.
    """
    names = _names(stage)
    cells = sorted(stage.ingress.requests, key=lambda request: request.at)
    site = sorted(stage.site.requests, key=lambda request: request.at)
    streams = tuple(
        tuple(_event(r, names) for r in load)
        for start in ORDERED
        for load in _of_loads([r for r in site if r.line.startswith(start)], hums)
    )
    rest = [
        (name, _event(r, names))
        for name, server in (("site", stage.site), ("second", stage.second))
        for r in server.requests
        if name != "site" or not r.line.startswith(ORDERED)
    ]
    rest.sort(key=lambda pair: (pair[0], pair[1].line, pair[1].head))
    return Trace(tuple(_hums(cells, hums, stage.pace_hums, names)), streams, tuple(rest))


def _of_loads(stream: Sequence[Request], loads: int) -> list[list[Request]]:
    """A stream by page load: what is asked for the first time is the first load's. How two loads
    lie in between each other follows from when the second tab was opened.
    """
    told: list[list[Request]] = [[] for _ in range(loads)]
    seen: Counter[str] = Counter()
    for request in stream:
        told[min(seen[request.line], loads - 1)].append(request)
        seen[request.line] += 1
    return told


def untimed(seen: Trace) -> Trace:
    """Without slots and connections, which follow from time: a browser opens another connection
    when an answer is still out at the next cell.
    """
    hums = tuple(tuple(replace(e, slot=0, connection=0) for e in hum) for hum in seen.hums)
    return replace(seen, hums=hums)


def _names(stage: Stage) -> list[tuple[bytes, bytes]]:
    """Ports differ between stages: they are compared by what listens there."""
    servers = stage.servers().items()
    return [(f"127.0.0.1:{s.port}".encode(), name.encode()) for name, s in servers]


def _event(
    request: Request, names: Iterable[tuple[bytes, bytes]], slot: int | None = None,
    connection: int | None = None,
) -> Event:  # fmt: skip
    head = request.head
    for address, name in names:
        head = head.replace(address, name)
    return Event(slot, request.line, head, len(request.body), connection)


def _hums(
    cells: Sequence[Request], hums: int, pace: int, names: list[tuple[bytes, bytes]]
) -> list[tuple[Event, ...]]:
    """Cells by page load: with two, the first to come with a counter is of the first load."""
    order = list(dict.fromkeys(cell.connection for cell in cells))
    loads: list[list[Request]] = [[] for _ in range(hums)]
    seen: Counter[int] = Counter()
    for cell in cells:
        counter = cell.body[1] if len(cell.body) > 1 else 0
        loads[min(seen[counter], hums - 1)].append(cell)
        seen[counter] += 1
    slot_s = SLOT_MS / 1000 / pace
    told = []
    for load in loads:
        # The middle cell says when the hum began: the first may itself be late.
        start = median([c.at - number * slot_s for number, c in enumerate(load)] or [0.0])
        slots = [round((c.at - start) / slot_s) for c in load]
        events = zip(load, slots, strict=True)
        told.append(
            tuple(
                _event(c, names, s, order.index(c.connection) if hums == 1 else None)
                for c, s in events
            )
        )
    return told


def differences(expected: Trace, found: Trace) -> list[str]:
    """Where two visits differ, in words; none means that nobody on the line can tell them apart."""
    told: list[str] = []
    for number, (one, other) in enumerate(zip(expected.hums, found.hums, strict=True), 1):
        told += _in_order(f"hum {number}", one, other)
    starts = [start for start in ORDERED for _ in expected.hums]
    for start, one, other in zip(starts, expected.streams, found.streams, strict=True):
        told += _in_order(start, one, other)
    ours, theirs = Counter(expected.rest), Counter(found.rest)
    told += [f"missing at {name}: {_said(event)}" for name, event in (ours - theirs).elements()]
    told += [f"added at {name}: {_said(event)}" for name, event in (theirs - ours).elements()]
    return told


def _in_order(what: str, one: Sequence[Event], other: Sequence[Event]) -> list[str]:
    told = [
        f"{what}, {number}: {_said(a)} became {_said(b)}"
        for number, (a, b) in enumerate(zip(one, other, strict=False))
        if a != b
    ]
    if len(one) != len(other):
        told.append(f"{what}: {len(one)} requests became {len(other)}")
    return told


def _said(event: Event) -> str:
    size = len(event.head)
    where = f"slot {event.slot}, connection {event.connection}, " if event.slot is not None else ""
    return f"{event.line} ({where}head {size} B, body {event.length} B)"
