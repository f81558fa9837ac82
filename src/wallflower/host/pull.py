"""How an inner node pulls from the one before it: one POST that trims and reads a log.

The question is u64(after) ‖ u32(most): everything up to `after` is on the asker's disk and may be
trimmed. The answer is entries of u64(seq) ‖ u16(record) ‖ u32(length) ‖ body. So a crash between
two questions repeats entries and loses none; the asker drops what it has seen.
"""

from __future__ import annotations

import struct

from wallflower.errors import Refused
from wallflower.host.asgi import App, Receive, Scope, Send, answer, bearer_is, read_body, refuse
from wallflower.host.log import Entry, Log
from wallflower.host.net import Net

QUESTION = 12
_HEAD = struct.Struct(">QHI")  # of an entry: seq, record, length
_MOST = 4096
_LAST = 2**63 - 1  # of a database's integers


def parse_question(body: bytes) -> tuple[int, int]:
    """(after, most) of a question, or Refused (pull 2)."""
    if len(body) != QUESTION:
        raise Refused("pull 2", "A question has the wrong length")
    after = int.from_bytes(body[:8])
    if after > _LAST:
        raise Refused("pull 2", "A question names a number that no log reaches")
    return after, min(int.from_bytes(body[8:]), _MOST)


def log_route(log: Log, token: str) -> App:
    """The ASGI route that lets the holder of `token` pull from a log."""

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive, QUESTION)
        if not bearer_is(scope, token) or body is None:
            await refuse(send)
            return
        try:
            after, most = parse_question(body)
        except Refused:
            await refuse(send)
            return
        log.trim(after)
        await answer(send, 200, encode_entries(log.read(after, most)))

    return route


def encode_entries(entries: list[Entry]) -> bytes:
    """The answer's bytes."""
    return b"".join(_HEAD.pack(e.seq, e.record, len(e.body)) + e.body for e in entries)


def parse_entries(data: bytes) -> list[Entry]:
    """Read an answer, or Refused (pull 1)."""
    entries, at, end, last = [], 0, len(data), -1
    while at < end:
        if at + _HEAD.size > end:
            raise Refused("pull 1", "The bytes end too early")
        seq, record, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size + length
        if at > end:
            raise Refused("pull 1", "The bytes end too early")
        if seq <= last:
            raise Refused("pull 1", "Another node's answer is out of order")
        entries.append(Entry(seq, record, data[at - length : at]))
        last = seq
    return entries


async def pull(net: Net, url: str, token: str, after: int, most: int) -> list[Entry]:
    """Ask a node for what comes after `after`, which tells it to forget everything up to it.

    Raises Refused (pull 1) when the answer goes back, beyond every log, or over `most`: its last
    number is the next question, so a node that could set it freely could hold the asker for ever.
    """
    question = after.to_bytes(8) + most.to_bytes(4)
    entries = parse_entries(await net.post(url, question, token))
    # They rise, so the first and the last bound all.
    if len(entries) > most or (entries and not after < entries[0].seq <= entries[-1].seq <= _LAST):
        raise Refused("pull 1", "Another node's answer is not what was asked for")
    return entries
