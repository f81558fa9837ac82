"""How an inner node pulls from the one before it: one POST that trims and reads a log.

Bytes, bounds and refusals are those of spec/pull.md. A crash between two questions repeats entries
and loses none; the asker drops what it has seen.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import ne
from typing import NamedTuple

from wallflower.errors import Refused
from wallflower.host.asgi import App, Receive, Scope, Send, answer, bearer_is, read_body, refuse
from wallflower.host.log import Entry, Log
from wallflower.host.net import Net

QUESTION = 12
SHARE_QUESTION = 14
_HEAD = struct.Struct(">QHI")  # of an entry: seq, record, length
_RECORD_AT, _LENGTH_AT = 8, 10
_MOST = 8192
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
    """(after, most) of a question for a whole log, or Refused (pull 3.2)."""
    if len(body) != QUESTION:
        raise Refused("pull 3.2", "A question has the wrong length")
    after = int.from_bytes(body[:8])
    if after > _LAST:
        raise Refused("pull 3.2", "A question names a number that no log reaches")
    return after, min(int.from_bytes(body[8:]), _MOST)


def parse_share_question(body: bytes) -> tuple[int, int, Share]:
    """(after, most, share) of a question for what may be shared, or Refused (pull 3.2, 3.3)."""
    after, most = parse_question(body[:QUESTION])
    if len(body) == QUESTION:
        return after, most, WHOLE
    if len(body) != SHARE_QUESTION:
        raise Refused("pull 3.2", "A question has the wrong length")
    share = Share(*body[QUESTION:])
    if share.number >= share.of:
        raise Refused("pull 3.3", "A question names a share that there is not")
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
    """Read an answer, or Refused (pull 3.1)."""
    entries: list[Entry] = []
    at, end, last = 0, len(data), -1
    while at < end:
        if at + _HEAD.size > end:
            raise Refused("pull 3.1", "The bytes end too early")
        seq, record, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size + length
        if at > end:
            raise Refused("pull 3.1", "The bytes end too early")
        if seq <= last:
            raise Refused("pull 3.1", "Another node's answer is out of order")
        entries.append(Entry(seq, record, data[at - length : at]))
        last = seq
    return entries


def _count_alike(data: bytes, length: int) -> int | None:
    """How many entries there are when all bodies have this length; None when they have not."""
    size = _HEAD.size + length
    count, left = divmod(len(data), size)
    lengths = (data[at::size] for at in range(_LENGTH_AT, _HEAD.size))  # byte by byte
    said = (bytes([byte]) * count for byte in length.to_bytes(4))
    return None if left or any(map(ne, lengths, said)) else count


@dataclass(frozen=True, slots=True)
class Alike:
    """An answer whose bodies all have one length: the first begins at `first`, each next `step`
    further on. `others` of another length were left out; `head` and `last` are the numbers of the
    first and the last of all."""

    data: bytes
    first: int
    step: int
    count: int
    others: int
    head: int
    last: int

    def by_record(self) -> Mapping[int, Sequence[int]]:
        """Where the bodies of each record begin, in their order."""
        starts = range(self.first, len(self.data), self.step)
        high, low = (self.data[at :: self.step] for at in (_RECORD_AT, _RECORD_AT + 1))
        if high[1:] == high[:-1] and low[1:] == low[:-1]:  # as in nearly every answer
            return {high[0] << 8 | low[0]: starts} if starts else {}
        found: dict[int, list[int]] = {}
        for *record, at in zip(high, low, starts, strict=True):
            found.setdefault(int.from_bytes(record), []).append(at)
        return found


def parse_alike(data: bytes, length: int) -> Alike:
    """Read an answer of bodies of one length and cut nothing out of it, or Refused (pull 3.1).

    Whether numbers between the first and the last rise is not looked at, since nothing is done by
    them: `pull_alike` takes no more entries than there are numbers from the first to the last, so
    the node could as well have sent the same bodies under numbers that rise.
    """
    step, others = _HEAD.size + length, 0
    count = _count_alike(data, length)
    if count is None:
        entries = parse_entries(data)
        alike = [entry for entry in entries if len(entry.body) == length]
        data, count, others = encode_entries(alike), len(alike), len(entries) - len(alike)
        head, last = entries[0].seq, entries[-1].seq
    elif count:
        head, last = (_HEAD.unpack_from(data, at)[0] for at in (0, len(data) - step))
    else:
        head = last = 0
    return Alike(data, _HEAD.size, step, count, others, head, last)


async def pull(net: Net, url: str, token: str, after: int, most: int) -> list[Entry]:
    """Ask a node for what comes after `after`, which tells it to forget everything up to it.

    Raises Refused (pull 3.1) when the answer goes back, beyond every log, or over `most`: its last
    number is the next question, so a node that could set it freely could hold the asker for ever.
    """
    entries = parse_entries(await net.post(url, make_question(after, most), token))
    if entries:
        _bound(len(entries), entries[0].seq, entries[-1].seq, after, most)
    return entries


async def pull_alike(
    net: Net, url: str, token: str, after: int, most: int, length: int, share: Share = WHOLE
) -> Alike:
    """`pull` of bodies of one length, of one share of a log, with nothing cut out."""
    answer = parse_alike(await net.post(url, make_question(after, most, share), token), length)
    count = answer.count + answer.others
    if count:
        _bound(count, answer.head, answer.last, after, most)
    return answer


def _bound(count: int, head: int, last: int, after: int, most: int) -> None:
    """Refuse (pull 3.1) what is not above `after`, jumps, or is more than was asked for or than has
    a number of its own each."""
    if count > most or not (after < head <= last - count + 1 and last <= min(after + _JUMP, _LAST)):
        raise Refused("pull 3.1", "Another node's answer is not what was asked for")
