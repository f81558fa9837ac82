"""Pulls the drops of mix B and keeps what is in them, each in one commit with the cursor."""

from __future__ import annotations

import asyncio
from typing import Final

from wallflower.desk.edge.parts import Parts
from wallflower.desk.inbox import open_drop
from wallflower.errors import Refused
from wallflower.host.log import Entry
from wallflower.host.pull import pull
from wallflower.trust.drop import verify_drop
from wallflower.trust.record import EpochRecord
from wallflower.wire.drop import SignedDrop, parse_drop
from wallflower.wire.sizes import DAY_S, HASH

_DROPS_AT_ONCE: Final = 8


async def read_drops(parts: Parts) -> None:
    """Pull until nothing is left. What was kept is acknowledged by the next question."""
    if parts.records.newest() is None:
        return
    b = parts.settings.b
    while True:
        after = parts.store.get("cursor") or 0
        entries = await pull(
            parts.host.net, f"{b.url.rstrip('/')}/drops", b.token, after, _DROPS_AT_ONCE
        )
        if not entries:
            return
        for entry in entries:
            await _read_drop(parts, entry)
            await asyncio.sleep(0)  # the pages stay answerable while drops are opened


async def _read_drop(parts: Parts, entry: Entry) -> None:
    """Keep what one drop holds, and the cursor behind it, in one commit."""
    try:
        drop = parse_drop(entry.body)
        record = await parts.record(drop.header.record)
        if record is None:
            raise Refused("drop 2.1", "A drop names a record that cannot be")
    except Refused as refused:
        with parts.store.transaction():
            parts.letters.fault(refused.rule)
            parts.store.put("cursor", entry.seq)
        return
    with parts.store.transaction():
        _keep_drop(parts, drop, record)
        parts.store.put("cursor", entry.seq)


def _day_of(parts: Parts, drop: SignedDrop, record: EpochRecord) -> int:
    """The day of a drop. A tick outside of its record's two days is a fault of B."""
    day = drop.header.tick * record.body.parameters.tick // DAY_S
    if day in (record.body.day, record.body.day + 1):
        return day
    parts.letters.fault("drop 1.3")
    return record.body.day


def _keep_drop(parts: Parts, drop: SignedDrop, record: EpochRecord) -> None:
    last = parts.store.get("drop_number") or 0
    last_hash = parts.store.get("drop_hash") or bytes(HASH)
    try:
        verify_drop(drop, record, last, last_hash)
    except Refused as refused:
        parts.letters.fault(refused.rule)
        # A break of the chain comes after a good signature: it is B's own drop, so it is read,
        # and what is missing before it is said aloud. Without a good signature nothing is read.
        if refused.rule != "drop 2.4":
            return
        parts.letters.alarm(
            parts.today(),
            f"Drop {drop.header.number} does not follow drop {last}: ask operator B",
        )
    day = _day_of(parts, drop, record)
    parts.store.put("drop_number", drop.header.number)
    parts.store.put("drop_hash", drop.hash)
    parts.store.put("drop_day", day)
    parts.letters.count("drops", 1)
    private = parts.keyring.drop_key(record.body.day, record.body.drop_key)
    if private is None:
        parts.letters.fault("drop key is gone")
        return
    try:
        opened = open_drop(drop, private, record.hash, parts.keyring.living())
    except Refused as refused:
        parts.letters.fault(refused.rule)
        return
    parts.letters.keep(opened, day)
