"""How an inner node pulls from the one before it: one POST that trims and reads a log.

The question is u64(after) ‖ u32(most): everything up to `after` is on the asker's disk and may be
trimmed. The answer is entries of u64(seq) ‖ u16(record) ‖ u32(length) ‖ body. So a crash between
two questions repeats entries and loses none; the asker drops what it has seen.
"""

from __future__ import annotations

import itertools

from wallflower.errors import Refused
from wallflower.host.asgi import App, Receive, Scope, Send, answer, bearer_is, read_body, refuse
from wallflower.host.log import Entry, Log
from wallflower.host.net import Net
from wallflower.wire.reading import Reader

QUESTION = 12
_MOST = 4096


def parse_question(body: bytes) -> tuple[int, int]:
    """(after, most) of a question, or Refused (pull 2)."""
    if len(body) != QUESTION:
        raise Refused("pull 2", "A question has the wrong length")
    return int.from_bytes(body[:8]), min(int.from_bytes(body[8:]), _MOST)


def log_route(log: Log, token: str) -> App:
    """The ASGI route that lets the holder of `token` pull from a log."""

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive, QUESTION)
        if not bearer_is(scope, token) or body is None or len(body) != QUESTION:
            await refuse(send)
            return
        after, most = parse_question(body)
        log.trim(after)
        await answer(send, 200, encode_entries(log.read(after, most)))

    return route


def encode_entries(entries: list[Entry]) -> bytes:
    """The answer's bytes."""
    return b"".join(
        e.seq.to_bytes(8) + e.record.to_bytes(2) + len(e.body).to_bytes(4) + e.body for e in entries
    )


def parse_entries(data: bytes) -> list[Entry]:
    """Read an answer, or Refused (pull 1)."""
    reader = Reader(data, "pull 1")
    entries, left = [], len(data)
    while left:
        seq, record, length = reader.number(8), reader.number(2), reader.number(4)
        entries.append(Entry(seq, record, reader.take(length)))
        left -= 14 + length
    if any(a.seq >= b.seq for a, b in itertools.pairwise(entries)):
        raise Refused("pull 1", "Another node's answer is out of order")
    return entries


async def pull(net: Net, url: str, token: str, after: int, most: int) -> list[Entry]:
    """Ask a node for what comes after `after`, which tells it to forget everything up to it."""
    question = after.to_bytes(8) + most.to_bytes(4)
    return parse_entries(await net.post(url, question, token))
