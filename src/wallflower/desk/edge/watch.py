"""Looks for our own slots and receipts on the public board, as any reader downloads it."""

from __future__ import annotations

from wallflower.desk.edge.parts import Parts
from wallflower.errors import Refused
from wallflower.host.net import Unreachable
from wallflower.trust.board import verify_head, verify_segment
from wallflower.trust.record import EpochRecord
from wallflower.wire.segment import parse_head, parse_segment, segment_size
from wallflower.wire.sizes import HASH, HEAD


async def look_at_board(parts: Parts) -> None:
    """Look for our own slots and receipts, once a period, in what is new on the board."""
    record = parts.in_force()
    if record is None:
        return
    period = record.body.parameters.period
    if (parts.store.get("board_time") or 0) >= parts.host.clock.now() // period * period:
        return
    raw = await parts.get("board/head", HEAD)
    if parse_head(raw).record > record.number:
        return  # the server is a record ahead of us; ask again when we have it
    head = verify_head(raw, record)
    _begin_anew_under(parts, record.body.board_verify)
    seen = parts.store.get("board_number") or 0
    if head.number < seen:
        parts.letters.alarm(
            parts.today(), "The board went back to an older state: ask the organisation"
        )
        raise Refused("segment 3.7", "The board was rolled back")
    # A head may name any first; nobody is asked for more than the longest board.
    oldest = max(head.first, seen + 1, head.number - record.body.parameters.segments + 1)
    await _walk(parts, head.number, oldest, head.segment_hash)


def _begin_anew_under(parts: Parts, key: bytes) -> None:
    """What was seen under another board key says nothing of today's board: whoever had that key
    could name the highest number there is, and a period of any day (segment 3.7). So all of today's
    board is read, as by a desk that never looked."""
    store, before = parts.store, parts.store.get("board_key")
    if before == key:
        return
    with store.transaction():
        store.put("board_key", key)
        if before is not None:
            store.put("board_number", 0)
            store.put("board_hash", bytes(HASH))
            store.put("board_since", 0)


async def _walk(parts: Parts, newest: int, oldest: int, newest_hash: bytes) -> None:
    """Read segments from the newest to the oldest that is new, each named by its follower."""
    slots: set[bytes] = set()
    receipts: set[bytes] = set()
    expected, until, since, follower = newest_hash, 0, 0, None
    for number in range(newest, oldest - 1, -1):
        record, data = await _segment(parts, number)
        segment = verify_segment(data, expected, record, follower)
        slots.update(segment.replies)
        receipts.update(segment.receipts)
        follower, expected = segment.header, segment.header.previous
        since = segment.header.period * record.body.parameters.period
        until = until or since
    seen, seen_hash = (parts.store.get(n) for n in ("board_number", "board_hash"))
    # A segment from the future would say of days to come that the board has shown them to the end.
    until = min(until, int(parts.host.clock.now()))
    joined = oldest == (seen or 0) + 1
    if joined and expected != (seen_hash or bytes(HASH)):
        parts.letters.alarm(
            parts.today(), "The board is not the one that was seen before: ask the organisation"
        )
    with parts.store.transaction():
        parts.outbox.seen(slots, receipts)
        if newest >= oldest:
            parts.store.put("board_number", newest)
            parts.store.put("board_hash", newest_hash)
            parts.store.put("board_time", until)
            if not joined:
                parts.store.put("board_since", since)
        parts.outbox.settle(parts.store.get("board_since") or 0, parts.store.get("board_time") or 0)


async def _segment(parts: Parts, number: int) -> tuple[EpochRecord, bytes]:
    """A segment's bytes and the record that it was released under."""
    newest = parts.in_force()
    if newest is None:
        raise Unreachable
    p = newest.body.parameters
    data = await parts.get(f"board/{number}", 4 * segment_size(p.replies, p.receipts))
    record = await parts.record(parse_segment(data).header.record)
    if record is None:
        raise Refused("segment 3.6", "A segment names a record that cannot be")
    return record, data
