"""How an inner node pulls from the one before it: one POST that trims and reads a log.

The question is u64(after) ‖ u32(most): everything up to `after` is on the asker's disk and may be
trimmed. The answer is entries of u64(seq) ‖ u16(record) ‖ u32(length) ‖ body. So a crash between
two questions repeats entries and loses none; the asker drops what it has seen.
"""

from __future__ import annotations

import struct
from functools import partial
from operator import lt, ne
from typing import NamedTuple

from wallflower.errors import Refused
from wallflower.host.asgi import App, Receive, Scope, Send, answer, bearer_is, read_body, refuse
from wallflower.host.log import Entry, Log
from wallflower.host.net import Net

QUESTION = 12
_HEAD = struct.Struct(">QHI")  # of an entry: seq, record, length
_LENGTH_AT = 10


class View(NamedTuple):
    """An entry whose body still lies in the answer that it came in."""

    seq: int
    record: int
    body: memoryview


_view = partial(tuple.__new__, View)  # what View._make does, without a Python frame
Arrived = tuple[int, int, bytes | memoryview]  # an Entry or a View
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
    return _copied(parse_views(data))


def parse_views(data: bytes) -> list[View]:
    """Read an answer and copy none of it, or Refused (pull 1)."""
    alike = _parse_alike(data)
    if alike is not None:
        return alike
    view, entries, at, end, last = memoryview(data), [], 0, len(data), -1
    while at < end:
        if at + _HEAD.size > end:
            raise Refused("pull 1", "The bytes end too early")
        seq, record, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size + length
        if at > end:
            raise Refused("pull 1", "The bytes end too early")
        if seq <= last:
            raise Refused("pull 1", "Another node's answer is out of order")
        entries.append(View(seq, record, view[at - length : at]))
        last = seq
    return entries


def _parse_alike(data: bytes) -> list[View] | None:
    """All entries at once when all bodies are as long as the first, as cells are: a fifth of the
    work. None when they are not, or when anything is wrong."""
    if len(data) < _HEAD.size:
        return None
    _, _, length = _HEAD.unpack_from(data)
    size = _HEAD.size + length
    count, left = divmod(len(data), size)
    lengths = (data[at::size] for at in range(_LENGTH_AT, _HEAD.size))  # byte by byte
    said = (bytes([byte]) * count for byte in length.to_bytes(4))
    if left or any(map(ne, lengths, said)):
        return None
    view, heads = memoryview(data), struct.Struct(f">QH{size - _LENGTH_AT}x").iter_unpack(data)
    entries = [
        _view((seq, record, view[at : at + length]))
        for at, (seq, record) in zip(range(_HEAD.size, len(data) + 1, size), heads, strict=True)
    ]
    numbers = [entry.seq for entry in entries]
    return entries if all(map(lt, numbers, numbers[1:])) else None


async def pull(net: Net, url: str, token: str, after: int, most: int) -> list[Entry]:
    """`pull_views`, with the bodies copied out of the answer."""
    return _copied(await pull_views(net, url, token, after, most))


async def pull_views(net: Net, url: str, token: str, after: int, most: int) -> list[View]:
    """Ask a node for what comes after `after`, which tells it to forget everything up to it.

    Raises Refused (pull 1) when the answer goes back, beyond every log, or over `most`: its last
    number is the next question, so a node that could set it freely could hold the asker for ever.
    """
    question = after.to_bytes(8) + most.to_bytes(4)
    entries = parse_views(await net.post(url, question, token))
    # They rise, so the first and the last bound all.
    if len(entries) > most or (entries and not after < entries[0].seq <= entries[-1].seq <= _LAST):
        raise Refused("pull 1", "Another node's answer is not what was asked for")
    return entries


def _copied(views: list[View]) -> list[Entry]:
    return [Entry(seq, record, bytes(body)) for seq, record, body in views]
