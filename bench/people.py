"""What people and the desk wait for: the page's weight, a hum, the board, a drop; idle roles."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

from bench.parts import Part
from bench.place import DAY, Place, draw, letter, timed
from bench.processes import rss_mb
from wallflower.cli.demo import prepare
from wallflower.cli.new import make
from wallflower.crypto import sign
from wallflower.desk.inbox import open_drop
from wallflower.host.http import HttpNet
from wallflower.lab.demo.pace import DemoPace
from wallflower.lab.demo.town import ROLES, make_town
from wallflower.source.reading import read_board
from wallflower.wire.drop import DropHeader, make_drop, parse_drop
from wallflower.wire.letter import seal_letter
from wallflower.wire.segment import SegmentHeader, make_segment, parse_segment
from wallflower.wire.sizes import (
    BOARD_SEGMENTS,
    DAY_S,
    HASH,
    RECEIPT,
    RECEIPTS,
    REPLY_SLOT,
    REPLY_SLOTS,
    SECRET,
    week_of_day,
)


async def idle_roles(folder: Path) -> dict[str, object]:
    """Start every role by its command, at the pace of real days; what each holds once it answers,
    and what the built site weighs."""
    town = make_town(folder, DemoPace(DAY_S, 0), make, prepare)
    try:
        await town.start_roles()
        await _until_all_answer(town.net, {n: p for n, p in town.ports.items() if "status" in n})
        await asyncio.sleep(1)  # their first rounds
        town.check_alive()
        held = {role: rss_mb(town.processes[role].pid) for role in ROLES}
    finally:
        await town.stop()
    return {"rss_mb": held, **weights(folder / "mirror" / "site")}


async def _until_all_answer(net: HttpNet, ports: dict[str, int]) -> None:
    for port in ports.values():
        async with asyncio.timeout(30):
            while True:
                try:
                    json.loads(await net.get(f"http://127.0.0.1:{port}/status"))
                    break
                except Exception:  # not yet: whatever it is, the limit ends it
                    await asyncio.sleep(0.1)


def weights(site: Path) -> dict[str, int]:
    """Bytes of the built site on the wire, gzip as a static host sends it, heads not counted."""
    sizes = {
        name: len(gzip.compress((site / name).read_bytes(), 9, mtime=0))
        for name in ("index.html", "style.css", "app.js", "hum.js", "seal.js")
    }
    return {
        "instructions_bytes": sizes["index.html"],
        "noscript_bytes": sizes["index.html"] + sizes["style.css"],
        "script_bytes": sizes["app.js"] + sizes["hum.js"] + sizes["seal.js"],
    }


def waits(place: Place, times: int) -> dict[str, Part]:
    """A hum made, a whole board read with words, and full drops opened at the desk."""
    with timed() as spent:
        place.hums(times)
    return {"seal": spent(times), "board": _board(), "letters": _letters(place, times)}


def _board() -> Part:
    """Check and read a board of the default size, in which nothing is for these words."""
    seed = draw(32)
    public = sign.verify_key(seed)
    board = []
    for number in range(BOARD_SEGMENTS):
        header = SegmentHeader(
            1, number, number, REPLY_SLOTS, RECEIPTS, draw(HASH), draw(HASH), draw(HASH)
        )
        replies = [draw(REPLY_SLOT) for _ in range(REPLY_SLOTS)]
        receipts = sorted(draw(RECEIPT) for _ in range(RECEIPTS))
        board.append(make_segment(header, replies, receipts, seed))
    with timed() as spent:
        segments = [parse_segment(data) for data in board]
        for segment in segments:
            sign.verify(public, "segment", segment.signed, segment.signature)
        found = read_board(draw(SECRET), segments, week_of_day(DAY))
    assert not found.replies
    return spent(1)


def _letters(place: Place, drops: int) -> Part:
    """Open drops that are full of letters, as the desk does before it stores them."""
    record = place.town.record()
    body, entry = record.body, record.body.desks[0]
    binding, slots = body.desk_entry_hash(entry), body.parameters.slots
    sealed = [seal_letter(entry.key, binding, letter(entry.week)) for _ in range(slots)]
    drop = parse_drop(
        make_drop(
            DropHeader(record=body.number, number=1, tick=1, slots=slots, previous=bytes(HASH)),
            body.drop_key, record.hash, draw(32), sealed, draw(32),
        )
    )  # fmt: skip
    with timed() as spent:
        for _ in range(drops):
            found = open_drop(drop, place.drop, record.hash, [(entry.week, place.desk, binding)])
            assert len(found.letters) == slots
    return spent(drops * slots)
