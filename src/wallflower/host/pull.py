"""How an inner node pulls from the one before it: one POST that trims and reads a log.

The question is u64(after) ‖ u32(most): everything up to `after` is on the asker's disk and may be
trimmed. The answer is entries of u64(seq) ‖ u16(record) ‖ u32(length) ‖ body. So a crash between
two questions repeats entries and loses none; the asker drops what it has seen.

Several who share a log ask with u8(number) ‖ u8(of) behind it: which share of how many (hum 2.8).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from operator import lt, ne
from typing import NamedTuple

from wallflower.errors import Refused
from wallflower.host.asgi import App, Receive, Scope, Send, answer, bearer_is, read_body, refuse
from wallflower.host.log import Entry, Log
from wallflower.host.net import Net

QUESTION = 12
SHARE_QUESTION = 14
_HEAD = struct.Struct(">QHI")  # of an entry: seq, record, length
_LENGTH_AT = 10


class View(NamedTuple):
    """An entry whose body still lies in the answer that it came in."""

    seq: int
    record: int
    body: memoryview


@dataclass(frozen=True, slots=True)
class Views:
    """An answer, cut into entries; `last` is the number of the last, 0 where there is none."""

    entries: list[View]
    count: int
    last: int

    def __iter__(self) -> Iterator[View]:
        return iter(self.entries)


_view = partial(tuple.__new__, View)  # what View._make does, without a Python frame
Arrived = tuple[int, int, bytes | memoryview]  # an Entry or a View
_MOST = 4096
_LAST = 2**62  # half of a database's integers, so that a log can go on above it
# A log of 116 hums a second gives so many numbers in 25 years. Who jumps further wants our next
# question to be beyond all that an honest node will ever have.
_JUMP = 2**40


class Share(NamedTuple):
    """One of `of` equal shares of a log, by its number from 0."""

    number: int
    of: int


WHOLE = Share(0, 1)


def parse_question(body: bytes) -> tuple[int, int]:
    """(after, most) of a question for a whole log, or Refused (pull 2)."""
    if len(body) != QUESTION:
        raise Refused("pull 2", "A question has the wrong length")
    after = int.from_bytes(body[:8])
    if after > _LAST:
        raise Refused("pull 2", "A question names a number that no log reaches")
    return after, min(int.from_bytes(body[8:]), _MOST)


def parse_share_question(body: bytes) -> tuple[int, int, Share]:
    """(after, most, share) of a question for a log that may be shared, or Refused (pull 2, 3)."""
    after, most = parse_question(body[:QUESTION])
    if len(body) == QUESTION:
        return after, most, WHOLE
    if len(body) != SHARE_QUESTION:
        raise Refused("pull 2", "A question has the wrong length")
    share = Share(*body[QUESTION:])
    if share.number >= share.of:
        raise Refused("pull 3", "A question names a share that there is not")
    return after, most, share


def make_question(after: int, most: int, share: Share = WHOLE) -> bytes:
    """The bytes of a question."""
    question = after.to_bytes(8) + most.to_bytes(4)
    return question if share.of == 1 else question + bytes(share)


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
        log.go_on_above(after)
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


def _count_alike(data: bytes, length: int) -> int | None:
    """How many entries there are when all bodies have this length; None when they have not."""
    size = _HEAD.size + length
    count, left = divmod(len(data), size)
    lengths = (data[at::size] for at in range(_LENGTH_AT, _HEAD.size))  # byte by byte
    said = (bytes([byte]) * count for byte in length.to_bytes(4))
    return None if left or any(map(ne, lengths, said)) else count


def _parse_alike(data: bytes) -> list[View] | None:
    """All entries at once when all bodies are as long as the first: a fifth of the work. None when
    they are not, or when anything is wrong."""
    if len(data) < _HEAD.size:
        return None
    _, _, length = _HEAD.unpack_from(data)
    if _count_alike(data, length) is None:
        return None
    size = _HEAD.size + length
    view, heads = memoryview(data), struct.Struct(f">QH{size - _LENGTH_AT}x").iter_unpack(data)
    entries = [
        _view((seq, record, view[at : at + length]))
        for at, (seq, record) in zip(range(_HEAD.size, len(data) + 1, size), heads, strict=True)
    ]
    numbers = [entry.seq for entry in entries]
    return entries if all(map(lt, numbers, numbers[1:])) else None


@dataclass(frozen=True, slots=True)
class Alike:
    """An answer whose bodies all have one length: the first begins at `first`, each next `step`
    further on. `others` of another length were left out; `last` is the number of the last."""

    data: bytes
    first: int
    step: int
    count: int
    others: int
    last: int


def parse_alike(data: bytes, length: int) -> Alike:
    """Read an answer of bodies of one length and cut nothing out of it, or Refused (pull 1).

    Whether numbers between the first and the last rise is not looked at: nobody asks by them.
    """
    step, others = _HEAD.size + length, 0
    count = _count_alike(data, length)
    if count is None:
        views = parse_views(data)
        alike = [Entry(v.seq, v.record, bytes(v.body)) for v in views if len(v.body) == length]
        data, count, others = encode_entries(alike), len(alike), len(views) - len(alike)
        return Alike(data, _HEAD.size, step, count, others, views[-1].seq)
    last = _HEAD.unpack_from(data, len(data) - step)[0] if count else 0
    return Alike(data, _HEAD.size, step, count, others, last)


async def pull(net: Net, url: str, token: str, after: int, most: int) -> list[Entry]:
    """`pull_views`, with the bodies copied out of the answer."""
    return _copied((await pull_views(net, url, token, after, most)).entries)


async def pull_views(net: Net, url: str, token: str, after: int, most: int) -> Views:
    """Ask a node for what comes after `after`, which tells it to forget everything up to it.

    Raises Refused (pull 1) when the answer goes back, beyond every log, or over `most`: its last
    number is the next question, so a node that could set it freely could hold the asker for ever.
    """
    entries = parse_views(await net.post(url, make_question(after, most), token))
    # They rise, so the first and the last bound all.
    answer = Views(entries, len(entries), entries[-1].seq if entries else 0)
    _bound(answer.count, answer.last, after, most)
    if entries and entries[0].seq <= after:
        raise Refused("pull 1", "Another node's answer is not what was asked for")
    return answer


async def pull_alike(
    net: Net, url: str, token: str, after: int, most: int, length: int, share: Share = WHOLE
) -> Alike:
    """`pull_views` of bodies of one length, of one share of a log, with nothing cut out."""
    answer = parse_alike(await net.post(url, make_question(after, most, share), token), length)
    _bound(answer.count + answer.others, answer.last, after, most)
    return answer


def _bound(count: int, last: int, after: int, most: int) -> None:
    if count > most or (count and not after < last <= min(after + _JUMP, _LAST)):
        raise Refused("pull 1", "Another node's answer is not what was asked for")


def _copied(views: list[View]) -> list[Entry]:
    return [Entry(seq, record, bytes(body)) for seq, record, body in views]
