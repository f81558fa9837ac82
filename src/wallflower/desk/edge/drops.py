"""Pulls the drops of mix B and keeps what is in them, each in one commit with the cursor."""

from __future__ import annotations

import asyncio
from typing import Final

from wallflower.desk.edge.parts import Parts
from wallflower.desk.inbox import open_drop
from wallflower.errors import Refused
from wallflower.host.log import Entry
from wallflower.host.net import Unreachable
from wallflower.host.pull import pull
from wallflower.trust.ahead import date_of
from wallflower.trust.drop import verify_drop
from wallflower.trust.record import EpochRecord
from wallflower.wire.drop import SignedDrop, parse_drop
from wallflower.wire.sizes import DAY_S, HASH

_DROPS_AT_ONCE: Final = 8
# A B that never comes to an end would keep keys, batch and alarms from their turn. Twice what it
# puts out in the three days that a drop opens, at a drop in ten minutes.
_MOST_QUESTIONS: Final = 2 * 3 * 144 // _DROPS_AT_ONCE


async def read_drops(parts: Parts) -> None:
    """Pull until nothing is left, or until the next pass. What was kept is acknowledged by the next
    question."""
    if parts.records.newest() is None:
        return
    url = f"{parts.settings.b.url.rstrip('/')}/drops"
    most = _DROPS_AT_ONCE
    for _ in range(_MOST_QUESTIONS):
        after, token = parts.store.get("cursor") or 0, parts.token("b")
        try:
            entries = await pull(parts.host.net, url, token, after, most)
        except Unreachable:
            if most == 1:
                raise
            most = 1  # so many at once may take longer on a slow line than an answer may
            continue
        if not entries:
            return
        for entry in entries:
            await _read_drop(parts, entry)
            await asyncio.sleep(0)  # the pages stay answerable while drops are opened


async def _read_drop(parts: Parts, entry: Entry) -> None:
    """Keep what one drop holds, and the cursor behind it, in one commit.

    Raises Unreachable or Refused while the desk server does not show a good record for it: then the
    drop waits at B for a day, since another node's false answer must not cost a letter.
    """
    try:
        drop = parse_drop(entry.body)
    except Refused as refused:
        _pass_over(parts, entry, refused.rule)
        return
    number = drop.header.record
    try:
        record = await parts.record(number)
    except Unreachable:
        if not (_is_kept_back(parts, number) and _has_waited(parts, number)):
            raise
        _give_up(parts, entry, "record is not shown", drop)
        return
    except Refused as refused:
        if not _has_waited(parts, number):
            raise
        _give_up(parts, entry, refused.rule, drop)
        return
    if record is None:
        _pass_over(parts, entry, "drop 2.1")
        return
    with parts.store.transaction():
        _keep_drop(parts, drop, record)
        parts.store.put("held_record", None)  # it came: where it is away again, that is another day
        parts.store.put("cursor", entry.seq)


def _is_kept_back(parts: Parts, number: int) -> bool:
    """Whether a desk server that showed the record in force at this pass does not show an older
    one: then it has lost that one, or keeps it back."""
    record = parts.in_force()
    return parts.record_shown and record is not None and number < record.number


def _has_waited(parts: Parts, number: int) -> bool:
    """Whether a day has gone since a drop was first held up by this record. Letters that come after
    must not wait for ever: after other pins, a record of the signers before that is no ancestor of
    today's verifies no more."""
    now = int(parts.host.clock.now())
    with parts.store.transaction():
        held = parts.store.get("held_record") == number
        if not held or parts.store.get("held_since") > now:  # or by a clock that was ahead
            parts.store.put("held_record", number)
            parts.store.put("held_since", now)
        else:  # a network that failed for once heals by the next pass, and nobody need ask
            parts.letters.alarm(
                parts.today(),
                f"The desk server shows no good record {number}, which a drop needs:"
                " ask the organisation",
            )
    return now - int(parts.store.get("held_since")) >= DAY_S


def _give_up(parts: Parts, entry: Entry, rule: str, drop: SignedDrop) -> None:
    """Pass a drop over whose record did not come, and say what that costs.

    It is no break of B's chain: the next one follows it. Nobody saw that it is signed, but the next
    one's signature names its hash.
    """
    header = drop.header
    with parts.store.transaction():
        parts.letters.alarm(
            parts.today(),
            f"The desk server showed no good record {header.record} in a day, so a drop was given"
            " up. Letters in it are lost",
        )
        if _place(parts) == (header.number - 1, header.previous):
            parts.store.put("drop_number", header.number)
            parts.store.put("drop_hash", drop.hash)
        _count_and_pass(parts, entry, rule)


def _pass_over(parts: Parts, entry: Entry, rule: str) -> None:
    with parts.store.transaction():
        _count_and_pass(parts, entry, rule)


def _count_and_pass(parts: Parts, entry: Entry, rule: str) -> None:
    parts.letters.fault(rule)
    parts.store.put("cursor", entry.seq)


def _place(parts: Parts) -> tuple[int, bytes]:
    """The number and the hash of the last drop."""
    return parts.store.get("drop_number") or 0, parts.store.get("drop_hash") or bytes(HASH)


def _day_of(parts: Parts, drop: SignedDrop, record: EpochRecord) -> int:
    """The day of a drop. A tick outside of its record's two days is a fault of B."""
    day = drop.header.tick * record.body.parameters.tick // DAY_S
    if day in (record.body.day, record.body.day + 1):
        return day
    parts.letters.fault("drop 1.3")
    return record.body.day


def _ring_break(parts: Parts, what: str) -> None:
    """One alarm a day, which counts: a B whose every drop breaks the chain buries no other alarm,
    and does not fill the store."""
    store, today = parts.store, parts.today()
    day, count, rung = (store.get(n) for n in ("break_day", "breaks", "break_alarm"))
    before = int(count) if day == today else 0
    others = f", nor did {before} before it today" if before else ""
    alarm = f"{what}{others}: ask operator B"
    parts.letters.alarm(today, alarm, rung if before else "")
    store.put("break_day", today)
    store.put("breaks", before + 1)
    store.put("break_alarm", alarm)


def _keep_drop(parts: Parts, drop: SignedDrop, record: EpochRecord) -> None:
    last, last_hash = _place(parts)
    try:
        verify_drop(drop, record, last, last_hash)
    except Refused as refused:
        parts.letters.fault(refused.rule)
        # A break of the chain comes after a good signature: it is B's own drop, so it is read,
        # and what is missing before it is said aloud. Without a good signature nothing is read.
        if refused.rule != "drop 2.4":
            return
        _ring_break(parts, f"Drop {drop.header.number} does not follow drop {last}")
    day = _day_of(parts, drop, record)
    parts.store.put("drop_number", drop.header.number)
    parts.store.put("drop_hash", drop.hash)
    parts.store.put("drop_day", day)
    parts.letters.count("drops", 1)
    private = parts.keyring.drop_key(record.body.day, record.body.drop_key)
    if private is None:
        parts.letters.fault("drop key is gone")
        parts.letters.alarm(
            parts.today(),
            f"A drop of {date_of(day)} does not open, since its key is gone or was never here."
            " Letters in it are lost",
        )
        return
    try:
        opened = open_drop(drop, private, record.hash, parts.keyring.living())
    except Refused as refused:
        parts.letters.fault(refused.rule)
        return
    parts.letters.keep(opened, day)
