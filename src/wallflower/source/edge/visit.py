"""One visit, as the page does it: the record, the hum, and the whole board, whoever it is.

The hum carries what was sealed on an earlier day; the board is taken for reading offline, later.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

from wallflower.errors import Fault, Refused
from wallflower.host import Host
from wallflower.host.entropy import uniform
from wallflower.host.http import HttpNet
from wallflower.host.net import Net, Unreachable, is_onion
from wallflower.source.edge.store import Store
from wallflower.source.letters import Choice, Kept, choose_for_hum, filler
from wallflower.trust.board import leading_head, number_seen, verify_segment
from wallflower.trust.pins import Pins
from wallflower.trust.record import (
    EpochRecord,
    believe,
    verified,
    verify_hums,
    verify_record,
)
from wallflower.wire.census import report_of
from wallflower.wire.hum import make_hum, offsets_ms
from wallflower.wire.letter import Language
from wallflower.wire.record import Pace, WayKind
from wallflower.wire.segment import SignedSegment, segment_size
from wallflower.wire.sizes import HEAD, LATE_MS, POSITIONS, RECORD_MAX, SLOT_MS

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_MOST_HEADS = 2


def hum_pace(record: EpochRecord, origin: str) -> int:
    """The record's pace of hums, honoured only when our own origin is loopback (record 1)."""
    here = urlsplit(origin).hostname in _LOOPBACK
    return record.body.parameters.pace.hums if here else 1


async def own_pace(mirror: str, pins: Pins) -> Pace:
    """The pace that this client's clock runs at: the verified record's on loopback, else real."""
    if urlsplit(mirror).hostname not in _LOOPBACK:
        return Pace(1, 1, 0)
    net = HttpNet()
    try:
        record = verify_record(await net.get(f"{mirror}/record", limit=RECORD_MAX), pins)
    finally:
        await net.close()
    return record.body.parameters.pace


def way_url(record: EpochRecord, kind: WayKind) -> str | None:
    """The first way of a kind; it is never changed within a hum."""
    return next(iter(_urls(record, kind)), None)


def _urls(record: EpochRecord, kind: WayKind) -> list[str]:
    """The ways of a kind, onions last, since here is no Tor."""
    return sorted((way.url for way in record.body.ways if way.kind is kind), key=is_onion)


async def fetch_record(
    host: Host, mirror: str, pins: Pins, kept: EpochRecord | None = None
) -> EpochRecord:
    """The newest believable record, for a hum of now, or a Fault. Without one there is no hum.

    A mirror that shows an older record than the `kept` one is not followed (record 2.12).
    """
    raw = await host.net.get(f"{mirror}/record", limit=RECORD_MAX)
    record = believe(kept, verify_record(raw, pins), host.clock.now())
    verify_hums(record, host.clock.now())
    return record


async def send_hum(
    net: Net, url: str, cells: Sequence[bytes], offsets: Sequence[float],
    wall: Callable[[], float] = time.time, left: Callable[[], None] = lambda: None,
) -> list[bool]:  # fmt: skip
    """Send each cell at its time by the monotonic clock, skip what is late, retry nothing.

    Skipped is also what is more than a slot late by the `wall` clock, in seconds: the other one
    stands still while a machine sleeps. `left` is called when the hum has left, which is before its
    last cell. Returns for each cell whether it was answered with 204.
    """
    loop = asyncio.get_running_loop()
    start, begun = loop.time(), wall()
    answers = [False] * len(cells)

    async def send(counter: int, cell: bytes, after: float) -> None:
        await asyncio.sleep(max(0.0, start + after - loop.time()))
        late, slept = loop.time() - start - after, wall() - begun - after
        if late > LATE_MS / 1000 or slept > SLOT_MS / 1000:
            return
        try:
            await net.post(url, cell, limit=0)
        except Unreachable:
            return
        before, answers[counter] = hum_left(answers), True
        if hum_left(answers) and not before:
            left()

    each = enumerate(zip(cells, offsets, strict=True))
    await asyncio.gather(*(send(n, cell, ms / 1000) for n, (cell, ms) in each))
    return answers


def hum_left(answers: Sequence[bool]) -> bool:
    """Whether one copy of each position was taken."""
    return {i % POSITIONS for i, ok in enumerate(answers) if ok} == set(range(POSITIONS))


@dataclass(frozen=True, slots=True)
class Viewer:
    """What a visit may report to the census: the channel of this copy, and the language shown."""

    channel: int = 0
    language: int = Language.ENGLISH


class Witness(Protocol):
    """Who hears how far a visit is, also where the board then cannot be had."""

    def hums(self) -> None:
        """The first cell is about to be sent."""

    def hummed(self, whole: bool, left: bool) -> None:
        """The hum is over; whether it was taken whole, and whether a letter left with it."""


async def visit(
    host: Host, mirror: str, pins: Pins, store: Store,
    viewer: Viewer = Viewer(), witness: Witness | None = None,
) -> tuple[bool, int]:  # fmt: skip
    """One visit. Returns whether a waiting letter left, and how many segments the board has; raises
    Unreachable or Refused where it cannot be had, and without a record that may be believed.
    """
    before = store.record()
    kept_record = verified(before, pins) if before is not None else None
    record = await fetch_record(host, mirror, pins, kept_record)
    draw = host.entropy.draw
    # In this order: a record without places would be a store in which no letter has room.
    store.fill(record, pins.desk, draw)
    store.keep_record(record.raw)
    choice = choose_for_hum(store.letters(), record, pins.desk)
    fresh = filler(record, pins.desk, draw)  # in every visit, whether a letter leaves or not
    report = report_of(choice.kind, viewer.channel, viewer.language, draw)
    cells = make_hum(record.body, choice.kind, choice.sealed, draw, choice.token, report)
    pace = hum_pace(record, mirror)
    offsets = offsets_ms(pace, lambda: uniform(draw))
    url = way_url(record, WayKind.INGRESS)
    if url is None:
        raise Fault("The record names no ingress", "Wait for the next record.")
    if witness is not None:
        witness.hums()

    def left_now() -> None:
        # For cover and letter alike, and at once: whoever ends this now, or has no power any more,
        # would send the letter again. What the disk says of it is told when the hum is over.
        with suppress(OSError):
            put_away(store, choice, True, fresh)

    humming = asyncio.ensure_future(send_hum(host.net, url, cells, offsets, left=left_now))
    try:
        count = await fetch_board(host, mirror, record, store)
    except asyncio.CancelledError:
        humming.cancel()  # who ends the visit waits for nothing any more
        raise
    finally:
        # A board that cannot be had never cuts a hum short, nor hides that a letter left.
        whole = hum_left(await humming)
        if witness is not None:  # before the disk is asked, which may be full
            witness.hummed(whole, whole and choice.place is not None)
        left = put_away(store, choice, whole, fresh)
    return left, count


def put_away(store: Store, choice: Choice, whole: bool, fresh: Kept) -> bool:
    """Put a fresh filler where the letter was that left, and rewrite the store; whether one did.

    The store is read again: a letter may have been written while the hum lasted, or all deleted.
    """
    at = choice.place
    with store.changing() as kept:
        if whole and kept and at is not None and kept[at].sealed == choice.sealed:
            kept[at] = fresh
    return whole and at is not None


async def fetch_board(host: Host, mirror: str, record: EpochRecord, store: Store) -> int:
    """Take the whole board, newest first, from the way whose head leads (segment 2). Returns its
    length; 0 where nothing was released yet, as far as anybody here knows.
    """
    boards = (url.rstrip("/") for url in _urls(record, WayKind.BOARD))
    ways = list(dict.fromkeys([mirror, *boards]))[:_MOST_HEADS]  # the mirror may be one of them
    heads = [await _shown(host.net, f"{way}/board/head") for way in ways]
    if not store.newest() and not any(heads):
        return 0
    head, leads = leading_head(heads, record, number_seen(reversed(store.segments()), record))
    p = record.body.parameters
    # The largest that any of them can have: sizes are never lowered (segment 4).
    size = segment_size(p.replies, p.receipts)
    ways.insert(0, ways.pop(leads))  # the way that showed this head first, then what is left
    segments: dict[int, bytes] = {}
    expected, follower = head.segment_hash, None
    # A head may name any first; nobody is asked for more than the longest board.
    first = max(head.first, head.number - p.segments + 1)
    for number in range(head.number, first - 1, -1):
        path = f"/board/{number}"
        believe = partial(verify_segment, expected=expected, record=record, follower=follower)
        segments[number], segment = await _first_good(host.net, ways, path, size, believe)
        follower, expected = segment.header, segment.header.previous
    store.keep_segments(segments)
    return len(segments)


async def _first_good(
    net: Net, ways: list[str], path: str, limit: int, believe: Callable[[bytes], SignedSegment]
) -> tuple[bytes, SignedSegment]:
    """What the first of the ways holds there that is believed; the fault of the first where none
    does. A way that did not have it becomes the last: nobody waits for a silent one each time.
    """
    faults: list[Fault] = []
    for way in tuple(ways):
        try:
            data = await net.get(way + path, limit=limit)
            return data, believe(data)
        except (Unreachable, Refused) as fault:
            faults.append(fault)
            ways.append(ways.pop(0))
    raise faults[0]


async def _shown(net: Net, url: str) -> bytes | None:
    try:
        return await net.get(url, limit=HEAD)
    except Unreachable:
        return None
